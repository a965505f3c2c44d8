"""What a client hands in, field by field: exactly these, each of its kind, and none that would break a letter.

Every objection names the field. None repeats an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

from mailroom.campaigns.campaigns import Content, Draft, Kind
from mailroom.errors import InvalidAddress, InvalidCampaign, InvalidLetter
from mailroom.letters.headers import wire_address
from mailroom.letters.markup import body_of, check
from mailroom.people.addresses import read_address

#: How long a started campaign may wait, in seconds.
LONGEST_HOLD = 7 * 24 * 3600
KINDS: tuple[Kind, ...] = get_args(Kind)
_REQUIRED = ("kind", "lang", "post", "digest", "subject", "preheader", "title", "summary", "url", "html", "text")
_OPTIONAL = ("corrects", "reply_to")
_KEY = re.compile(r"[a-z0-9-]{1,80}")
_POST = re.compile(r"[!-~]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"https?://[!#-;=?-~]+")
# Control characters, line and paragraph separators, and halves of surrogate pairs, which JSON can write.
_NEVER = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_IN_LINE = re.compile(rf"[{_NEVER}\t\r\n]")
_IN_TEXT = re.compile(rf"[{_NEVER}]")
#: Characters in a line, at most: more than any mail program shows.
_LINE = 500


def read_object(body: bytes) -> dict[str, Any]:
    """The fields in a body of JSON. Raises ValueError for what is no JSON object, or names a field twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a field is there twice")
        return dict(pairs)

    def refuse(number: str) -> None:
        raise ValueError(f"{number} is no number")

    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def read_draft(key: str, fields: Mapping[str, Any], languages: Collection[str]) -> Draft:
    """A campaign as it was handed in for this key. Raises InvalidCampaign, naming the field."""
    _check_names(fields, _REQUIRED, _OPTIONAL)
    texts = {name: _string(name, fields.get(name, "")) for name in (*_REQUIRED, *_OPTIONAL)}
    kind = next((kind for kind in KINDS if kind == texts["kind"]), None)
    if kind is None:
        own = ": the mailroom composes the digest of the week itself" if texts["kind"] == "digest" else ""
        raise _wrong("kind", f"is none of {', '.join(KINDS)}{own}")
    lang = texts["lang"]
    if lang not in languages:
        raise _wrong("lang", f"is none of our languages, {', '.join(languages)}")
    if not _KEY.fullmatch(key) or not key.startswith(f"{lang.lower()}-"):
        raise _wrong(
            "key", f"does not consist of {lang.lower()}- and small letters a-z, digits and hyphens, 80 at most"
        )
    _match("post", texts["post"], _POST, "is not 1 to 64 characters of ASCII without spaces")
    _match("digest", texts["digest"], _DIGEST, "is not a SHA-256 in 64 hexadecimal digits")
    if kind == "correction":
        _match("corrects", texts["corrects"], _KEY, "is not the key of the campaign that is corrected")
    elif texts["corrects"]:
        raise _wrong("corrects", "belongs to corrections alone")
    content = Content(
        subject=_line("subject", texts["subject"]),
        preheader=_line("preheader", texts["preheader"], empty=True),
        title=_line("title", texts["title"]),
        summary=_text("summary", texts["summary"], empty=True),
        url=_url(texts["url"]),
        html=_html(texts["html"]),
        text=_text("text", texts["text"]),
        reply_to=_reply_to(texts["reply_to"]),
    )
    return Draft(key, kind, lang, texts["post"], texts["digest"], content, texts["corrects"])


def read_start(key: str, fields: Mapping[str, Any]) -> tuple[dict[str, str], int]:
    """What is to be started, by key and digest, and the hold in seconds. Raises InvalidCampaign."""
    _check_names(fields, ("digests",), ("hold",))
    digests, hold = fields["digests"], fields.get("hold", 0)
    if not isinstance(digests, dict) or not all(map(_KEY.fullmatch, digests)):
        raise _wrong("digests", "is not an object of digests by key")
    for digest in digests.values():
        _match("digests", _string("digests", digest), _DIGEST, "holds what is not a SHA-256 in 64 hexadecimal digits")
    if key not in digests:
        raise _wrong("digests", f"does not hold {key} itself")
    if not isinstance(hold, int) or isinstance(hold, bool) or not 0 <= hold <= LONGEST_HOLD:
        raise _wrong("hold", f"is not a number of seconds from 0 to {LONGEST_HOLD}")
    return digests, hold


def read_recipient(fields: Mapping[str, Any]) -> str:
    """The address to which a test letter is to go. Raises InvalidCampaign."""
    _check_names(fields, ("address",), ())
    return _address("address", _string("address", fields["address"]))


def _wrong(name: str, problem: str) -> InvalidCampaign:
    return InvalidCampaign(f"{name} {problem}", f"Change {name}.")


def _check_names(fields: Mapping[str, Any], required: Collection[str], optional: Collection[str]) -> None:
    for name in required:
        if name not in fields:
            raise InvalidCampaign(f"{name} is missing", f"Hand in {name} as well.")
    for name in fields:
        if name not in required and name not in optional:
            known = ", ".join((*required, *optional))
            named = name if re.fullmatch(r"\w{1,40}", name, re.ASCII) else "A field"
            raise InvalidCampaign(f"{named} is not known here", f"Hand in only {known}.")


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "is not a text")
    return value


def _match(name: str, value: str, pattern: re.Pattern[str], problem: str) -> None:
    if not pattern.fullmatch(value):
        raise _wrong(name, problem)


def _line(name: str, value: str, *, empty: bool = False) -> str:
    """A text of one line: a line break in a subject would begin another header field."""
    if found := _IN_LINE.search(value):
        raise _wrong(name, f"holds U+{ord(found[0]):04X}: it has to be one line without control characters")
    if len(value) > _LINE:
        raise _wrong(name, f"has more than {_LINE} characters")
    return _filled(name, value, empty=empty)


def _text(name: str, value: str, *, empty: bool = False) -> str:
    if found := _IN_TEXT.search(value):
        raise _wrong(name, f"holds the control character U+{ord(found[0]):04X}")
    return _filled(name, value, empty=empty)


def _filled(name: str, value: str, *, empty: bool) -> str:
    if not empty and not value.strip():
        raise _wrong(name, "is empty")
    return value


def _url(value: str) -> str:
    try:
        good = _URL.fullmatch(value) and urlsplit(value).hostname and not urlsplit(value).username
    except ValueError:
        good = False
    if not good or len(value) > 2000:
        raise _wrong("url", "is not a whole address in ASCII, https://…")
    return value


def _html(value: str) -> str:
    fragment = body_of(_text("html", value))
    if problems := check(fragment):
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise _wrong("html", f"cannot be mailed: {'; '.join(problems[:5])}{more}")
    return _filled("html", fragment, empty=False)


def _reply_to(value: str) -> str:
    return _address("reply_to", value) if value else ""


def _address(name: str, value: str) -> str:
    try:
        address = read_address(_line(name, value))
        wire_address(address, name)
    except (InvalidAddress, InvalidLetter) as error:
        raise _wrong(name, "is not an address that letters can be sent to") from error
    return address
