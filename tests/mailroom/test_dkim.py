"""Our signatures, verified by another implementation (dkimpy), and refused as soon as anything is altered."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from mailroom.errors import ConfigurationError, InvalidLetter
from mailroom.letters.dkim import Signer, load_key, make_key, make_signer, relaxed_body
from mailroom.settings import Settings

INSTANT = 1_795_000_000
LETTER = (
    b"From: =?utf-8?b?2K3ZgtmI2YI=?= <letters@blog.test>\r\nSubject:  a\t letter \r\nTo: reader@mail.test\r\n"
    b"Date: Wed, 18 Nov 2026 11:06:40 +0000\r\nMessage-ID: <1@blog.test>\r\n"
    b"List-Unsubscribe: <https://blog.test/mail/unsubscribe/abc>,\r\n <mailto:leave@blog.test>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\nX-Other: is not signed\r\n"
    b"\r\nA text,  with\tspaces \r\n\r\nand lines\r\n\r\n\r\n"
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(generate_private_key(65537, 2048), "blog.test", "mailroom")


def verify(letter: bytes, signer: Signer) -> bool:
    name, strings = signer.record()
    text = "".join(re.findall('"([^"]*)"', strings)).encode()
    records = {f"{name}.".encode(): text}
    return bool(dkim.verify(letter, dnsfunc=lambda asked, timeout=5: records.get(asked)))  # noqa: ARG005 (dkimpy names it)


def test_another_implementation_verifies_it(signer: Signer) -> None:
    signed = signer.sign(LETTER, INSTANT)
    assert signed.endswith(LETTER)
    assert verify(signed, signer)
    assert signer.sign(LETTER, INSTANT) == signed
    header = signed.removesuffix(LETTER)
    assert max(map(len, header.split(b"\r\n"))) <= 78
    tags = dict(part.strip().split("=", 1) for part in re.sub(r"\s+", " ", header.decode()[15:]).split(";"))
    assert tags["t"] == str(INSTANT)
    assert tags["h"].replace(" ", "").split(":") == [
        "from", "from", "to", "subject", "date", "message-id", "mime-version",
        "list-unsubscribe", "list-unsubscribe-post",
    ]  # fmt: skip


def test_one_altered_byte_is_noticed(signer: Signer) -> None:
    signed = signer.sign(LETTER, INSTANT)
    for old, new in (
        (b"and lines", b"and lineS"),
        (b"reader@", b"Reader@"),
        (b"unsubscribe/abc", b"unsubscribe/abd"),
        (b"One-Click\r\n", b"One-Clicks\r\n"),
        (b"From: =?", b"From: <evil@blog.test>\r\nFrom: =?"),
        (b"MIME-Version", b"From: evil@blog.test\r\nMIME-Version"),
        (b"h=from:", b"h="),
        (b"t=1795", b"t=1796"),
    ):
        assert signed.count(old) == 1
        assert not verify(signed.replace(old, new), signer), new
    assert verify(signed.replace(b"is not signed", b"may change"), signer)
    assert verify(signed.replace(b"with\tspaces ", b"with spaces"), signer)


bodies = st.text("ab .=\t-\u00e9", max_size=12).map(str.encode)
values = st.text("ab \t<>@:;=é", min_size=1, max_size=30).filter(str.strip).map(str.encode)


@given(body=st.lists(bodies, max_size=8), subject=values, folded=values)
def test_whatever_the_letter_holds(signer: Signer, body: list[bytes], subject: bytes, folded: bytes) -> None:
    letter = b"From: letters@blog.test\r\nSubject:%s\r\n\t%s\r\nTO: reader@mail.test\r\n\r\n" % (subject, folded)
    letter += b"".join(line + b"\r\n" for line in body)
    assert verify(signer.sign(letter, INSTANT), signer)


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"  b \t"]), max_size=12).map(b"".join))
def test_bodies_are_read_as_others_read_them(body: bytes) -> None:
    ended = body if body.endswith(b"\r\n") else body + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(ended)


def test_ed25519() -> None:
    """Verified by hand: dkimpy needs another library for it."""
    signer = Signer(Ed25519PrivateKey.generate(), "blog.test", "ed")
    signed = signer.sign(LETTER, INSTANT)
    header = signed.removesuffix(LETTER)
    unsigned, signature = re.match(rb"(?s)(.*\sb=)(.*)\r\n", header).groups()  # type: ignore[union-attr]
    seen = [
        (name.lower(), value)
        for name, value in re.findall(rb"([\w-]+):((?:.|\r\n\s)*)\r\n", LETTER.partition(b"\r\n\r\n")[0] + b"\r\n")
    ]
    names = re.sub(rb"\s", b"", re.search(rb"h=([^;]*)", header)[1]).split(b":")  # type: ignore[index]
    chosen = [*((name, dict(seen)[name]) for name in names[1:]), (b"dkim-signature", unsigned.partition(b":")[2])]
    octets = b"".join(b":".join(each) for each in Relaxed.canonicalize_headers(chosen)).removesuffix(b"\r\n")
    public = re.search('p=([^"]*)', signer.record()[1])[1]  # type: ignore[index]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    key.verify(base64.b64decode(signature), hashlib.sha256(octets).digest())
    assert b"a=ed25519-sha256" in header
    assert signer.record()[0] == "ed._domainkey.blog.test"
    assert signer.record()[1].startswith('"v=DKIM1; k=ed25519; p=')


def test_the_record_is_cut_into_strings(signer: Signer) -> None:
    name, strings = signer.record()
    assert name == "mailroom._domainkey.blog.test"
    assert re.fullmatch(r'"v=DKIM1; k=rsa; p=[^"]{237}" "[^"]{1,255}"', strings)


def test_what_cannot_be_signed_is_refused(signer: Signer) -> None:
    for letter in (b"Subject: a\r\n\r\nb\r\n", b"From: a@blog.test\r\n"):
        with pytest.raises(InvalidLetter, match="no From field or no body"):
            signer.sign(letter, INSTANT)


def test_weak_and_unusable_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"MAILROOM_DKIM_KEY.*1024 bits"):
        Signer(generate_private_key(65537, 1024), "blog.test", "mailroom")  # noqa: S505 (weak on purpose)
    for domain, selector, setting in (
        ("blog test", "a", "DOMAIN"),
        ("blog.test", "a;b=", "SELECTOR"),
        ("", "a", "DOMAIN"),
    ):
        with pytest.raises(ConfigurationError, match=f"MAILROOM_DKIM_{setting}"):
            Signer(Ed25519PrivateKey.generate(), domain, selector)
    path = tmp_path / "dkim.pem"
    with pytest.raises(ConfigurationError, match=r"dkim\.pem'?: it cannot be read"):
        load_key(path)
    path.write_text("-----BEGIN nothing", "ascii")
    with pytest.raises(ConfigurationError, match="use a PEM file"):
        load_key(path)
    key = generate_ec_key(SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigurationError, match="RSA or Ed25519"):
        load_key(path)


def test_the_signer_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(make_key())
    signer = make_signer(Settings(dkim_key=str(path), sender="letters@blog.test"))
    assert signer is not None
    assert verify(signer.sign(LETTER, INSTANT), signer)
    assert signer.record()[0] == "mailroom._domainkey.blog.test"
    assert make_signer(Settings(dkim_key="relay")) is None
    assert make_signer(Settings()) is None


@pytest.mark.alone
def test_signing_is_fast(signer: Signer) -> None:
    """1.5 ms for a letter of 40 KB; the best of several rounds, since the machine may be busy."""
    letter = LETTER + b"A line of text, as long as quoted-printable has it, with  two spaces=\r\n" * 580
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(20):
            signer.sign(letter, INSTANT)
        rounds.append((time.perf_counter() - start) / 20)
    assert min(rounds) < 0.0015
