"""DKIM signatures (RFC 6376), relaxed/relaxed, by RSA or Ed25519 (RFC 8463).

Our own because it has to sign some hundred letters a second. What makes a letter leave a list is signed (RFC 8058, 4),
and From twice, so that nobody can add a second one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailroom.errors import ConfigurationError, InvalidLetter
from mailroom.settings import Settings

SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"reply-to", b"list-id",
    b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
#: Fewer bits are refused by the large providers (RFC 8301, 3.2).
BITS = 2048

_SPACES = re.compile(rb"[ \t]+")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z")

Key = RSAPrivateKey | Ed25519PrivateKey


class Signer:
    """Signs letters with one key."""

    def __init__(self, key: Key, domain: str, selector: str) -> None:
        """Raises ConfigurationError for a domain or a selector that cannot be one, and for a weak key."""
        for setting, value in (("MAILROOM_DKIM_DOMAIN", domain), ("MAILROOM_DKIM_SELECTOR", selector)):
            if not _DOMAIN.match(value):
                raise ConfigurationError(setting, value, "use letters, digits, hyphens and dots, as DNS has them")
        if isinstance(key, RSAPrivateKey) and key.key_size < BITS:
            remedy = f"it has {key.key_size} bits: make one of {BITS} or more with ./blog mailroom dkim"
            raise ConfigurationError("MAILROOM_DKIM_KEY", "…", remedy)
        self._key = key
        self._name = f"{selector}._domainkey.{domain}"
        algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"
        self._tags = f"v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={domain}; s={selector};".encode()

    def sign(self, letter: bytes, instant: float) -> bytes:
        """The letter with its signature above it. Its lines must end in CRLF.

        Raises InvalidLetter for one without a From field, or whose header and body are not parted by an empty line.
        """
        header, parted, body = letter.partition(b"\r\n\r\n")
        fields = _fields(header)
        if not parted or b"from" not in dict(fields):
            raise InvalidLetter("The letter has no From field or no body", "It cannot be signed: report this")
        # Of a field that is there several times, the last is signed first (RFC 6376, 5.4.2).
        chosen = [(name, value) for wanted in SIGNED for name, value in reversed(fields) if name == wanted]
        names = b":".join([b"from", *(name for name, _ in chosen)])
        unsigned = b" %s t=%d;\r\n h=%s;\r\n bh=%s;\r\n b=" % (
            self._tags,
            int(instant),
            names.replace(b":message-id", b":\r\n message-id").replace(b":list-id", b":\r\n list-id"),
            base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()),
        )
        signed = b"".join(_relaxed_field(name, value) for name, value in chosen)
        signed += _relaxed_field(b"dkim-signature", unsigned).removesuffix(b"\r\n")
        signature = base64.b64encode(self._sign(signed))
        lines = [signature[start : start + 72] for start in range(0, len(signature), 72)]
        return b"DKIM-Signature:" + unsigned + b"\r\n ".join(lines) + b"\r\n" + letter

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(octets, PKCS1v15(), SHA256())
        return self._key.sign(hashlib.sha256(octets).digest())  # RFC 8463, 3: the hash is what is signed

    def record(self) -> tuple[str, str]:
        """The DNS record that lets others verify: its name, and its text as a zone file has it, in strings of ≤ 255."""
        public = self._key.public_key()
        if isinstance(self._key, RSAPrivateKey):
            kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        text = f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"
        return self._name, " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


def relaxed_body(body: bytes) -> bytes:
    """A body with white space made even and without empty lines at its end (RFC 6376, 3.4.4)."""
    if not body.endswith(b"\r\n"):  # as SMTP will end it
        body += b"\r\n"
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    if b" \r\n" in body:
        body = body.replace(b" \r\n", b"\r\n")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a header: names in lower case, and values on one line."""
    lines = header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")
    parts = (line.partition(b":") for line in lines)
    return [(name.strip().lower(), value) for name, _, value in parts]


def _relaxed_field(name: bytes, value: bytes) -> bytes:
    """A field with its name in lower case, its lines joined and its white space made even (RFC 6376, 3.4.2)."""
    return name + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ") + b"\r\n"


def make_signer(settings: Settings) -> Signer | None:
    """The signer that the settings describe; None when the relay signs, or in development nobody."""
    if settings.dkim_key in ("", "relay"):
        return None
    return Signer(load_key(Path(settings.dkim_key)), settings.dkim_domain or settings.domain, settings.dkim_selector)


def load_key(path: Path) -> Key:
    """Read MAILROOM_DKIM_KEY, a PEM file. Raises ConfigurationError for one that cannot sign."""
    setting = "MAILROOM_DKIM_KEY"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(setting, str(path), f"it cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            setting, str(path), "use a PEM file without password (./blog mailroom dkim)"
        ) from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigurationError(setting, str(path), "use an RSA or Ed25519 key (./blog mailroom dkim makes one)")
    return key


def make_key() -> bytes:
    """A new key as a PEM file. RSA, since most providers cannot verify Ed25519."""
    key = generate_private_key(public_exponent=65537, key_size=BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
