"""`./blog check`: the pages keep to the table, and the privacy page says what the settings say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.multilingual.sites import Site

CLAIMS: dict[str, Any] = {
    "PRIVACY_ACCESS_LOG": "none",
    "PRIVACY_HOST": 'A "Host" & Co',
    "PRIVACY_HOST_COUNTRY": "IS",
    "PRIVACY_MAILING_SERVICE": None,
}
SOON = (datetime.now(UTC).date() + timedelta(days=300)).isoformat()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site whose every promise holds."""
    site = Site(tmp_path, PLUGINS=["multilingual", "policy"], MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}}, **CLAIMS)
    site.settings(POLICY_SECURITY_CONTACT=("mailto:safe@site.example",), POLICY_SECURITY_EXPIRES=SOON)
    site.article("en", "one", Summary="Summary.")
    for lang in ("en", "fa"):
        fields = {} if lang == "en" else {"Translated_from": "en"}
        site.page(lang, "privacy", Template="privacy", Summary="Summary.", **fields)
    return site


def found(site: Site, *, production: bool = True, warnings: bool = False) -> list[str]:
    """What the plugin has to say; texts of the theme that are not translated are not its matter."""
    problems = site.check(production=production).problems
    return [str(p) for p in problems if p.warning == warnings and "no text for" not in p.what]


def test_a_site_that_keeps_its_promises_has_nothing_to_mend(site: Site) -> None:
    assert found(site) == []
    assert found(site, warnings=True) == []
    site.build_whole()
    claims = site.html("fa/privacy/").xpath("//@data-claim")
    assert claims == ["access-log=none", 'host=A "Host" & Co', "host-country=IS", "mailing-service=none"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PRIVACY_ACCESS_LOG": None}, "PRIVACY_ACCESS_LOG: not decided"),
        ({"PRIVACY_HOST": ""}, "PRIVACY_HOST: not decided"),
        ({"PRIVACY_HOST_COUNTRY": None}, "PRIVACY_HOST_COUNTRY: not decided"),
    ],
)
def test_what_only_the_operator_knows_is_asked_for_before_publishing(
    site: Site, settings: dict[str, Any], said: str
) -> None:
    site.settings(**settings)
    [problem] = found(site, production=True)
    assert said in problem
    assert found(site, warnings=True, production=False) == []  # while one writes, the page itself says so
    assert "=undecided" in site_text(site, drafts=True)
    assert "=undecided" not in site_text(site, drafts=False)


def site_text(site: Site, *, drafts: bool) -> str:
    site.build_whole(overrides={"MULTILINGUAL_DRAFTS": drafts})
    return site.text("en/privacy/")


@pytest.mark.parametrize("log", ["none", "host", 1, 14])
@pytest.mark.parametrize("service", [None, "mailroom", "listmonk", "buttondown", "mailchimp"])
def test_every_value_has_words_and_is_found_again(site: Site, log: str | int, service: str | None) -> None:
    site.settings(PRIVACY_ACCESS_LOG=log, PRIVACY_MAILING_SERVICE=service)
    assert found(site) == []
    items = site_items(site)
    assert all(text.strip().endswith(".") for text in items.values())
    assert items.keys() >= {f"access-log={log}", f"mailing-service={service or 'none'}"}


def site_items(site: Site) -> dict[str, str]:
    site.build_whole()
    return {item.get("data-claim"): item.text_content() for item in site.html("en/privacy/").xpath("//*[@data-claim]")}


def test_a_privacy_page_that_is_missing_or_says_something_else_is_refused(site: Site) -> None:
    (site.content / "pages/fa/privacy.md").unlink()
    site.page("en", "privacy", '<ul><li data-claim="access-log=30">Thirty days.</li></ul>', Summary="Summary.")
    problems = found(site)
    assert [p for p in problems if p.startswith("the privacy page in fa: there is none")]
    assert [p for p in problems if "says access-log=30, which the settings do not" in p]
    assert [p for p in problems if "does not say access-log=none" in p]
    assert [p for p in problems if "does not say host-country=IS" in p]
    assert len(problems) == 6
    assert found(site, production=False) == []
    assert len(found(site, production=False, warnings=True)) == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<img src="https://cdn.example/a.png" alt="">', "it loads https://cdn.example/a.png"),
        ('<img src="a.png" srcset="//cdn.example/a.png 2x" alt="">', "it loads //cdn.example/a.png"),
        ('<video poster="https://cdn.example/p.png"></video>', "it loads https://cdn.example/p.png"),
        ('<link rel="preconnect" href="https://cdn.example">', "it loads https://cdn.example"),
        ('<svg><image href="https://cdn.example/a.png"/></svg>', "it loads https://cdn.example/a.png"),
        ('<svg><use xlink:href="https://cdn.example/a.svg#a"/></svg>', "it loads https://cdn.example/a.svg#a"),
        ('<base href="https://cdn.example/">', "it loads https://cdn.example/"),
        ('<img src="https://[" alt="">', "it loads https://["),
        ("<script>alert(1)</script>", "it has a script"),
        ('<a href="#" onclick="x()">x</a>', "it has a script"),
        ('<meta http-equiv="Set-Cookie" content="a=1">', "it sets a cookie"),
        (
            '<form action="https://lists.example/"><button>x</button></form>',
            "its form is sent to https://lists.example/",
        ),
        ('<form><button formaction="/x">x</button></form>', "its form is sent to /x"),
    ],
)
def test_a_page_that_breaks_the_table_is_refused(site: Site, text: str, said: str) -> None:
    site.article("en", "bad", f"<div>{text}</div>", Summary="Summary.")
    problems = [problem for problem in found(site, production=False) if problem.startswith("/en/bad")]
    assert [problem for problem in problems if said in problem], problems


def test_a_drawing_that_runs_or_loads_something_is_refused(site: Site) -> None:
    inside = '<script>1</script><image href="https://cdn.example/a.png"/>'
    site.write("images/a.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>')
    site.write(
        "images/b.svg", '<svg xmlns="http://www.w3.org/2000/svg"><path style="fill: red"/><use href="#a"/></svg>'
    )
    said = sorted(found(site, production=False))
    assert len(said) == 2
    assert all(problem.startswith("/images/a.svg") for problem in said)
    assert "it has a script" in said[0]
    assert "it loads https://cdn.example/a.png" in said[1]


def test_what_the_table_allows_is_not_reported(site: Site) -> None:
    site.settings(POLICY_FORM_ACTIONS=("https://lists.example/",))
    site.article(
        "en",
        "good",
        '<form action="https://lists.example/mail/"><button>x</button></form>\n'
        '<script type="application/ld+json">{"a": 1}</script>\n'
        '<a href="https://elsewhere.example/">A link asks for nothing.</a>',
        Summary="Summary.",
    )
    assert found(site) == []


def test_styles_that_no_browser_applies_are_named(site: Site) -> None:
    site.article("en", "styled", '<p style="color: red">x</p>', Summary="Summary.")
    [warning] = found(site, production=False, warnings=True)
    assert warning.startswith("/en/styled")
    assert "styles of its own" in warning


def test_an_exit_that_is_missing_in_a_language_is_named(site: Site) -> None:
    site.settings(MULTILINGUAL_LANGUAGES={"en": {"EXIT_URL": "https://weather.example/"}, "fa": {}})
    [problem] = found(site)
    assert problem.startswith("MULTILINGUAL_LANGUAGES['fa']: no EXIT_URL")
    assert found(site, production=False) == []


@pytest.mark.parametrize(("days", "refused"), [(-5, True), (29, True), (31, False)])
def test_a_security_contact_that_ends_soon_is_refused(site: Site, days: int, refused: bool) -> None:
    day = datetime.now(UTC).date() + timedelta(days=days)
    site.settings(POLICY_SECURITY_EXPIRES=day.isoformat())
    problems = found(site)
    assert bool(problems) is refused
    assert all("POLICY_SECURITY_EXPIRES" in problem for problem in problems)
    assert found(site, production=False) == []


def test_a_site_that_tells_nobody_whom_to_warn_is_refused(site: Site) -> None:
    site.settings(POLICY_SECURITY_CONTACT=...)
    [problem] = found(site)
    assert problem.startswith("POLICY_SECURITY_CONTACT: nobody to tell")
