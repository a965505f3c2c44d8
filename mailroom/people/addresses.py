"""Which addresses are addresses, and when two of them are the same person's."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from mailroom.errors import InvalidAddress

#: RFC 5321, 4.5.3.1: 256 octets for a path with its brackets.
LONGEST = 254


def read_address(text: str) -> str:
    """The address somebody typed, in the form in which it is written to: NFC, the domain in lower case.

    Internationalised addresses (RFC 6531) are addresses; names in front, comments, quotes and numbers for domains are
    not. No DNS is asked: whether the domain is there would tell its server that somebody signs up. Raises
    InvalidAddress without repeating the text.
    """
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=True, allow_quoted_local=False,
            allow_domain_literal=False, allow_display_name=False, test_environment=True,
        )  # fmt: skip
    except (EmailNotValidError, UnicodeError, ValueError) as error:
        raise InvalidAddress("This is not an address that letters can be sent to") from error
    address = found.normalized
    if len(address.encode()) > LONGEST or any(character < " " or character == "\x7f" for character in address):
        raise InvalidAddress("This is not an address that letters can be sent to")
    return address


def normalise(address: str) -> str:
    """What is the same for all ways to write one address: the key under which it is looked up.

    Domains ignore case; local parts may not (RFC 5321, 2.4), but no provider of note tells them apart, and two letters
    for one person are the greater evil.
    """
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain.lower()}"
