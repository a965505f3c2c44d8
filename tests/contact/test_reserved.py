"""What is kept for fiction and examples is told from what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contact.check import check_forms
from contact.record import Contact
from contact.reserved import is_example_domain, is_fictional_number

from tests.contact.conftest import EVERYTHING
from tests.multilingual.sites import Site


@pytest.mark.parametrize(
    "number",
    [
        "442079460000", "442079460999", "441134960123", "441614960999", "441914980500", "441632960001", "447700900123",
        "448081570000", "449098790999", "443069990123", "442920180123", "442890180123", "442896496123",
        "12025550100", "12025550199", "18005550142",
    ],
)  # fmt: skip
def test_numbers_kept_for_fiction(number: str) -> None:
    assert is_fictional_number(number)


@pytest.mark.parametrize(
    "number",
    [
        "442079461000", "442079450999", "44207946000", "4420794600000", "447700901000", "441914960123",
        "12025550099", "12025550200", "12025551234", "112025550100", "497700900123",
    ],
)  # fmt: skip
def test_numbers_next_to_them(number: str) -> None:
    assert not is_fictional_number(number)


def test_domains_kept_for_examples() -> None:
    for domain in (
        "example.com",
        "EXAMPLE.org",
        "mail.example.net",
        "a.example",
        "host.test",
        "x.invalid",
        "localhost",
    ):
        assert is_example_domain(domain), domain
    for domain in ("example.de", "myexample.com", "example.com.practice.org", "latest", "practice.org"):
        assert not is_example_domain(domain), domain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTACT_PHONE", "+44 20 7946 0101"),
        ("CONTACT_WHATSAPP", "+1 202 555 0102"),
        ("CONTACT_SIGNAL", "+44 7700 900 123"),
        ("CONTACT_EMAIL", "office@mail.example.org"),
        ("CONTACT_FORM_ACTION", "https://forms.example.net/x"),
        ("FOLLOW_LINKEDIN_URL", "https://www.example.com/in/a"),
    ],
)
def test_what_is_published_has_nothing_of_it(site: Site, name: str, value: Any) -> None:
    site.settings(
        **{name: value, "FOLLOW_LINKEDIN_NAME": "A Practice", "POLICY_FORM_ACTIONS": ["https://forms.example.net"]}
    )
    found = [one for one in site.check(production=True).errors if one.file == name]
    assert len(found) == 1
    assert "is reserved for" in found[0].what
    assert not [one for one in site.check().errors if one.file == name], "while one writes, it may stand"


def test_real_addresses_pass(site: Site) -> None:
    site.settings(CONTACT_EMAIL="office@practice.org", CONTACT_SIGNAL="office.27", FOLLOW_YOUTUBE="A_Channel")
    assert site.check(production=True).errors == []


FORM = '<form method="post" action="{action}"></form>'
META = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; {}">'


@pytest.mark.parametrize(
    ("action", "metas", "refused"),
    [
        ("/mail/contact", ["form-action 'none'"], True),
        ("/mail/contact", ["form-action 'self'"], False),
        ("/mail/contact", ["form-action https://forms.practice.org"], True),
        ("https://forms.practice.org/contact", ["form-action 'self'"], True),
        (
            "https://forms.practice.org/contact",
            ["Form-Action 'self' https://forms.practice.org; base-uri 'none'"],
            False,
        ),
        ("https://forms.practice.org/contact", ["form-action https://forms.practice.org", "form-action 'none'"], True),
        ("https://forms.practice.org/contact", ["base-uri 'none'"], False),
        ("https://forms.practice.org/contact", [], False),
    ],
)
def test_a_page_does_not_forbid_its_own_form(tmp_path: Path, action: str, metas: list[str], refused: bool) -> None:
    page = tmp_path / "en" / "contact" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("".join(map(META.format, metas)) + FORM.format(action=action), "utf-8")
    (tmp_path / "index.html").write_text(META.format("form-action 'none'"), "utf-8")  # a page without the form
    found: list[tuple[str, str, str]] = []
    check_forms(Contact(form_action=action), tmp_path, lambda *problem: found.append(problem))
    assert [(where, "POLICY_FORM_ACTIONS" in remedy) for where, _, remedy in found] == [
        ("/en/contact/", True)
    ] * refused


def test_the_check_of_a_site_looks_at_its_forms(site: Site) -> None:
    theme = site.folder / "overrides"
    theme.mkdir()
    for name, sources in (("contact", "'none'"), ("apply", "https://forms.practice.org")):
        page = META.format(f"form-action {sources}") + '{% include "_contact_form.html" %}'
        (theme / f"{name}.html").write_text(page, "utf-8")
    site.settings(CONTACT_FORM_ACTION=EVERYTHING["CONTACT_FORM_ACTION"], THEME_TEMPLATES_OVERRIDES=[str(theme)])
    found = {one.file for one in site.check().errors if "policy" in one.what}
    assert "/en/contact" in found
    assert "/en/apply" not in found
