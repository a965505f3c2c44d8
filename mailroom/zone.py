"""What DNS has to say for letters to arrive: the records for these settings, as a zone file has them.

What the settings cannot tell stands between < and >, so that nobody publishes it unseen. What the doctor will say of
each is not written here: its own checks are asked, with these records in place of the DNS.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mailroom.delivery.relay import read_address
from mailroom.doctor import Finding, look_at_dkim, look_at_dmarc, look_at_return_path, look_at_spf
from mailroom.errors import ConfigurationError
from mailroom.letters.dkim import make_signer
from mailroom.letters.headers import wire_domain
from mailroom.names import Kind, Names
from mailroom.settings import Settings

#: A check of the doctor's.
Check = Callable[[Settings, Names], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its name without the dot at its end, and its value as a zone file has it."""

    name: str
    kind: Literal["TXT", "MX"]
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """Records that serve one purpose, and the check that looks at them; none where nobody can."""

    title: str
    advice: tuple[str, ...]
    records: tuple[Record, ...] = ()
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """Names as they will be once the records are published. Servers that are named have an address."""

    records: tuple[Record, ...]

    def find(self, name: str, kind: Kind) -> list[str]:
        """What `Names` promises."""
        if kind in ("A", "AAAA"):
            return [] if "<" in name else ["there"]
        values = [record.value for record in self.records if (record.name, record.kind) == (name, kind)]
        if kind == "MX":
            return [value.split()[1].removesuffix(".") for value in values]
        return ["".join(re.findall(r'"([^"]*)"', value)) for value in values]


def write_zone(settings: Settings) -> str:
    """The records as lines of a zone file, each purpose with what the doctor will say.

    Raises ConfigurationError when it is not said whose letters they are, and for a key that cannot be used.
    """
    settings = _complete(settings)
    sections = plan_zone(settings)
    names = Planned(tuple(record for section in sections for record in section.records))
    return "\n".join("\n".join(_write_section(section, settings, names)) for section in sections)


def write_summary(settings: Settings) -> str:
    """Which records are needed and how to try them, in a few lines. Raises ConfigurationError as `write_zone` does."""
    settings = _complete(settings)
    records = [record for section in plan_zone(settings) for record in section.records]
    named = "\n".join(f"  {record.kind:<3} {record.name}" for record in records)
    if settings.dkim_key == "relay":
        named += "\n  and what the relay's operator names for DKIM"
    return (
        f"Letters from {settings.domain} need these DNS records, which ./blog mailroom dns prints:\n{named}\n"
        "Try them on the mailroom's server: ./blog mailroom doctor"
    )


def plan_zone(settings: Settings) -> tuple[Section, ...]:
    """The records, by what they are for."""
    return (_plan_spf(settings), _plan_dkim(settings), _plan_dmarc(settings), _plan_return_path(settings), _PTR)


def _complete(settings: Settings) -> Settings:
    """The settings with domains as DNS has them, and the key that `./blog mailroom dkim` makes if none is named."""
    for name, value in (("MAILROOM_SENDER", settings.sender), ("MAILROOM_BOUNCE_DOMAIN", settings.bounce_domain)):
        if not value:
            raise ConfigurationError(name, "", "DNS records depend on it: set it, then try again")
    return replace(
        settings,
        sender=f"@{wire_domain(settings.domain, 'MAILROOM_SENDER')}",
        bounce_domain=wire_domain(settings.bounce_domain, "MAILROOM_BOUNCE_DOMAIN"),
        dkim_key=settings.dkim_key or str(settings.data.parent / "dkim.pem"),
    )


def _write_section(section: Section, settings: Settings, names: Names) -> Iterator[str]:
    yield f"; {section.title}"
    yield from (f"; {line}" for line in section.advice)
    yield from (f"; try it: dig +short {record.kind} {record.name}" for record in section.records)
    if section.check:
        yield "; ./blog mailroom doctor will say then:"
        yield from (f";   {line}" for line in _foresee(section.check, settings, names))
    yield from (f"{record.name}. IN {record.kind} {record.value}" for record in section.records)
    yield ""


def _foresee(check: Check, settings: Settings, names: Names) -> Iterator[str]:
    try:
        findings = list(check(settings, names))
    except ConfigurationError as error:
        findings = [Finding("wrong", str(error))]
    for finding in findings:
        yield f"{finding.verdict:6} {finding.what}"
        if finding.remedy:
            yield f"{'':6} {finding.remedy}"


# The records


def _plan_spf(settings: Settings) -> Section:
    sends = _name_the_relay(settings)
    records = [Record(settings.bounce_domain, "TXT", f'"v=spf1 {sends} -all"')]
    advice = [f"Letters are judged by the record of {settings.bounce_domain}, to which they come back."]
    if settings.bounce_domain != settings.domain:
        records.insert(0, Record(settings.domain, "TXT", f'"v=spf1 mx {sends} ~all"'))
        advice.append(f"If {settings.domain} has one already, put `{sends}` into that: two count as none.")
    if "<" in sends:
        advice.append("What stands between < and >, the relay's operator names.")
    elif sends == f"a:{_this_machine(settings)}":
        advice.append(
            "If the relay hands on to another (a smarthost), or a CDN has that name, name what sends instead."
        )
    return Section("SPF: which servers may send", tuple(advice), tuple(records), look_at_spf)


def _plan_dkim(settings: Settings) -> Section:
    title = "DKIM: the letter is yours, and nobody changed it"
    if settings.dkim_key == "relay":
        return Section(title, ("The relay signs: its operator names the record.",), (), look_at_dkim)
    if not Path(settings.dkim_key).exists():
        name = f"{settings.dkim_selector}._domainkey.{settings.dkim_domain or settings.domain}"
        advice = ("There is no key yet: ./blog mailroom dkim makes it; then print this again.",)
        return Section(title, advice, (Record(name, "TXT", '"v=DKIM1; k=rsa; p=<the key>"'),), look_at_dkim)
    signer = make_signer(settings)
    assert signer  # noqa: S101 - a key is named
    return Section(title, (), (Record(signer.record()[0], "TXT", signer.record()[1]),), look_at_dkim)


def _plan_dmarc(settings: Settings) -> Section:
    advice = (
        f"It is for all mail from {settings.domain}; if there is one already, keep it.",
        "Begin with p=none; when no letter of yours fails any more, p=quarantine.",
        "With rua=mailto:… providers report what they saw, by server, not by reader.",
    )
    record = Record(f"_dmarc.{settings.domain}", "TXT", '"v=DMARC1; p=none"')
    return Section("DMARC: what to do with letters that only pretend to be yours", advice, (record,), look_at_dmarc)


def _plan_return_path(settings: Settings) -> Section:
    server = _name_the_mailbox(settings)
    advice = ("The server that has the mailbox of MAILROOM_BOUNCES, for every address of that domain.",)
    record = Record(settings.bounce_domain, "MX", f"10 {server}.")
    return Section("MX: where letters that cannot be delivered come back", advice, (record,), look_at_return_path)


_PTR = Section(
    "PTR: the address that letters are sent from has a name, and that name has this address",
    (
        "If the relay is yours: whoever gave you the address sets it. Large providers refuse servers without.",
        "try it: dig +short -x ADDRESS; the doctor does not look at it",
    ),
)


# What the settings tell of servers


def _name_the_relay(settings: Settings) -> str:
    """The relay as a mechanism of SPF (RFC 7208, 5)."""
    if settings.relay == "outbox:":
        return "include:<relay>"
    host = read_address(settings).host
    address = _as_address(host)
    if _is_this_machine(host):
        host = _this_machine(settings)
    elif address:
        return f"ip{address.version}:{address}" if address.is_global else "ip4:<its-public-address>"
    if "<" in host:
        return f"a:{host}"
    # A provider sends from other servers than it takes letters at; ours are where they are called.
    return f"a:{host}" if _is_ours(host, settings) else f"include:<SPF-of-{host}>"


def _name_the_mailbox(settings: Settings) -> str:
    """The server to which returned letters must be led."""
    unknown = "<server-with-the-mailbox>"
    if settings.bounces == "maildir":
        return _this_machine(settings)
    if settings.bounces == "imap":
        host = urlsplit(settings.bounce_imap).hostname or ""
        if _is_this_machine(host):
            return _this_machine(settings)
        return host if _is_ours(host, settings) else unknown
    return unknown


def _this_machine(settings: Settings) -> str:
    """The name of the machine that the mailroom runs on: MAILROOM_URL leads to it."""
    host = urlsplit(settings.url).hostname or ""
    unknown = not host or host.endswith(".onion") or _is_this_machine(host) or _as_address(host)
    return "<name-of-this-server>" if unknown else host


def _is_ours(host: str, settings: Settings) -> bool:
    site = urlsplit(settings.url).hostname or settings.domain
    return any(host == domain or host.endswith(f".{domain}") for domain in (settings.domain, site))


def _is_this_machine(host: str) -> bool:
    address = _as_address(host)
    return address.is_loopback if address else host == "localhost"


def _as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
