"""Submissions in eight languages, keys to seal them to, and a store of a test's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyrage

from mailroom.intake.container import pack
from mailroom.intake.forms import Attachment, Submission
from mailroom.intake.sealing import Recipient, Sealed, seal
from mailroom.intake.submissions import MIGRATIONS, Intake
from mailroom.store.database import migrate
from tests.mailroom.offices import Watch

#: A sentence in each language of the publication: of one, two, three and four octets to a character.
TEXTS = {
    "ar": "أحتاج إلى تقرير خبير عن قضيتي. ",
    "en": "I need an expert report for my case. ",
    "es": "Necesito un informe pericial para mi caso. ",
    "fa": "برای پرونده‌ام به گزارش کارشناس نیاز دارم. ",
    "fr": "J’ai besoin d’un rapport d’expert pour mon dossier. ",
    "ru": "Мне нужно заключение эксперта по моему делу. ",
    "uk": "Мені потрібен висновок експерта у моїй справі. ",
    "zh-Hans": "我的案件需要一份专家报告𠀀。",
}


@dataclass(frozen=True)
class Expert:
    """Somebody with an age key."""

    identity: pyrage.x25519.Identity
    recipient: Recipient


def make_expert() -> Expert:
    """An expert with a fresh key."""
    identity = pyrage.x25519.Identity.generate()
    return Expert(identity, Recipient(str(identity.to_public()), date(2026, 11, 1)))


def write(lang: str, octets: int) -> Submission:
    """A submission in that language that takes exactly so many octets, unpadded."""
    empty = Submission("report", lang, (("message", ""), ("contact", "+49 30 0")))
    room = octets - len(pack(empty).rstrip(b"\0"))
    count, rest = divmod(room, len(TEXTS[lang].encode()))
    text = TEXTS[lang] * count + "x" * rest
    return Submission("report", lang, (("message", text), ("contact", "+49 30 0")))


def with_file(lang: str, content: bytes) -> Submission:
    """A submission with a file."""
    return Submission("report", lang, (("message", TEXTS[lang]),), (Attachment("pdf", content),))


def sealed(expert: Expert, lang: str = "fa", octets: int = 1000) -> Sealed:
    """A sealed submission of a size."""
    return seal(write(lang, octets), [expert.recipient])


def lookup_of(name: str) -> bytes:
    """What stands for a receipt's value where no slow hash is needed."""
    return hashlib.sha256(name.encode()).digest()


def make_store(folder: Path, watch: Watch | None = None, *, most: int = 2000, room: int = 2048) -> Intake:
    """The store in that folder, made if there is none."""
    path = folder / "intake.db"
    migrate(path, MIGRATIONS)
    return Intake(path, (watch or Watch()).clock(), most=most, room=room)


def only(intake: Intake) -> str:
    """The id of the one submission there is."""
    (stored,) = intake.list()
    return stored.id
