"""Where letters are asked for: a form on the site itself, the way to it on copies, and neither while there are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contact.conftest import LANGUAGES, make_site
from tests.frontdoor.support import ROOT


def build(folder: Path, **settings: object) -> dict[str, Any]:
    """The newsletter page's part after the text, in each language."""
    site = make_site(folder)
    site.settings(PLUGINS=["multilingual", "contact", "newsletter"], **settings)
    site.build_whole()
    return {lang: site.html(f"{lang}/newsletter/").xpath("//main")[0] for lang in LANGUAGES}


def test_the_form_asks_for_an_address_and_a_language_alone(tmp_path: Path) -> None:
    for lang, page in build(tmp_path, NEWSLETTER_SIGNUP="/mail/subscribe").items():
        (form,) = page.xpath(".//form")
        assert (form.get("action"), form.get("method")) == ("/mail/subscribe", "post")
        assert [field.get("name") for field in form.xpath(".//*[@name]")] == ["address", "lang"]
        for field in form.xpath(".//*[@name]"):
            assert form.xpath(f".//label[@for='{field.get('id')}']")
            assert form.xpath(f".//*[@id='{field.get('aria-describedby')}']")
        assert form.xpath(".//option/@value") == list(LANGUAGES)
        assert form.xpath(".//option[@selected]/@value") == [lang]
        assert len(form.xpath(".//button")) == 1


def test_a_copy_carries_no_form_and_says_where_the_real_one_is(tmp_path: Path) -> None:
    for lang, page in build(tmp_path, NEWSLETTER_SIGNUP="elsewhere").items():
        assert not page.xpath("//form")
        address = f"https://site.example/{lang}/newsletter/"
        assert page.xpath(".//section[@aria-labelledby='sign-up']//a/@href") == [address]


def test_there_is_no_form_while_no_letters_are_sent(tmp_path: Path) -> None:
    for page in build(tmp_path).values():
        assert not page.xpath("//form | //*[@id='sign-up']")
        assert page.xpath(".//*[@id='not-yet']")


@pytest.mark.parametrize(
    ("signup", "actions"),
    [
        ("", ()),
        ("elsewhere", ()),
        ("/mail/subscribe", ("/mail/subscribe",)),
        ("/letters/mail/subscribe", ("/letters/mail/subscribe",)),
        ("https://mail.site.example/mail/subscribe", ("https://mail.site.example/mail/subscribe",)),
        (
            "https://name.us1.list-manage.com/subscribe/post?u=0a&id=1b",
            ("https://name.us1.list-manage.com/subscribe/post",),
        ),
    ],
)
def test_browsers_let_the_form_go_where_it_is_sent(signup: str, actions: tuple[str, ...]) -> None:
    program = "import publishconf as c; print((c.POLICY_FORM_ACTIONS, c.NEWSLETTER_SIGNUP))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, env={"NEWSLETTER_SIGNUP": signup}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str((actions, signup or None))
