"""Sites for the tests of the contact plugin."""

from pathlib import Path
from typing import Any

import pytest

from tests.multilingual.sites import Site

LANGUAGES = ("en", "ru", "uk", "es", "fr", "ar", "fa", "zh-Hans")
TEMPLATES = ("contact", "apply", "meeting", "services", "newsletter", "follow", "privacy")
#: The public half of a key that opens nothing: 32 octets of zero.
AGE = "age1" + "q" * 52 + "5cu47z"
#: Everything set; numbers out of the ranges that are kept for fiction.
EVERYTHING: dict[str, Any] = {
    "CONTACT_EMAIL": "office@practice.org",
    "CONTACT_PHONE": "+44 20 7946 0101",
    "CONTACT_WHATSAPP": "+1 202 555 0102",
    "CONTACT_SIGNAL": "office.27",
    "CONTACT_INTAKE": "/mail/form",
    "CONTACT_AGE_RECIPIENTS": (AGE,),
    "CONTACT_REPLY_MINUTES": 60,
    "CONTACT_FORM_ACTION": "https://forms.practice.org/contact",
    "SAMPLE_REPORT": "files/sample-report.pdf",
    "EXPERT_CV": "files/cv.pdf",
    "MEETING_SERVICE": "Zoom",
    "FOLLOW_YOUTUBE": "@A_Channel",
    "FOLLOW_LINKEDIN_NAME": "A Practice",
    "FOLLOW_LINKEDIN_URL": "https://www.linkedin.com/company/a-practice/",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site in eight languages with a page of every template, and nothing set."""
    return make_site(tmp_path)


@pytest.fixture
def full_site(tmp_path: Path) -> Site:
    """The same, with everything set."""
    site = make_site(tmp_path)
    site.settings(**EVERYTHING)
    return site


def make_site(folder: Path) -> Site:
    site = Site(
        folder,
        PLUGINS=["multilingual", "contact"],
        MULTILINGUAL_LANGUAGES={lang: {} for lang in LANGUAGES},
        STATIC_PATHS=["files"],
    )
    site.write("files/sample-report.pdf", b"%PDF-1.7\n" + b"x" * 1_234_567)
    site.write("files/cv.pdf", b"%PDF-1.7\n" + b"x" * 3_000)
    for lang in LANGUAGES:
        site.article(lang, "one", **({} if lang == "en" else {"Translated_from": "en", "Date": ""}))
        for name in TEMPLATES:
            site.page(lang, name, Template=name, **({} if lang == "en" else {"Translated_from": "en"}))
    return site
