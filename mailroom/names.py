"""What DNS says: the records that others judge our letters by."""

from __future__ import annotations

from typing import Literal, Protocol

import dns.exception
import dns.resolver

from mailroom.errors import MailroomError

Kind = Literal["TXT", "MX", "A", "AAAA"]
#: Seconds to wait for an answer.
PATIENCE = 10.0


class Names(Protocol):
    """Where names are looked up."""

    def find(self, name: str, kind: Kind) -> list[str]:
        """The records of a name, none if there are none. Raises MailroomError when nobody answers."""


class Resolver:
    """The machine's own resolver, or another one."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        """Raises MailroomError when the machine has none."""
        try:
            self._resolver = resolver or dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise MailroomError("This machine asks no name server", "Name one in /etc/resolv.conf.") from error
        self._resolver.lifetime = PATIENCE

    def find(self, name: str, kind: Kind) -> list[str]:
        """The records of a name, the parts of each text joined (RFC 7208, 3.3), mail servers by preference."""
        try:
            answer = self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise MailroomError(
                f"{name}: no name server answers ({type(error).__name__})", "Try again, or look at /etc/resolv.conf."
            ) from error
        if kind == "TXT":
            return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        if kind == "MX":
            ordered = sorted(answer, key=lambda record: int(record.preference))
            return [record.exchange.to_text(omit_final_dot=True) for record in ordered]
        return [str(record.address) for record in answer]
