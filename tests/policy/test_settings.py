"""Settings: what can be meant is read, anything else is refused with a remedy."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from policy.errors import ConfigurationError
from policy.exits import languages_without_exit, read_exits
from policy.privacy import Privacy, read_privacy
from policy.settings import Configuration, read_configuration

README = Path(__file__).resolve().parents[2] / "plugins" / "policy" / "README.md"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("POLICY_FORM_ACTION", (), "Did you mean 'POLICY_FORM_ACTIONS'?"),
        ("POLICY_FORM_ACTIONS", "/mail/", "use a tuple of texts"),
        ("POLICY_FORM_ACTIONS", ("/mail/; script-src *",), "without spaces"),
        ("POLICY_FORM_ACTIONS", ("https://lists.example/'self'",), "quotes"),
        ("POLICY_FORM_ACTIONS", ("https://lists.example/$request_uri/",), "& and $"),
        ("POLICY_FORM_ACTIONS", ("https://lists.example/{http.request.uri}/",), "plain ASCII"),
        ("POLICY_FORM_ACTIONS", ("https://lists.example/&quot",), "& and $"),
        ("POLICY_FORM_ACTIONS", ("https://[",), "https address"),
        ("POLICY_FORM_ACTIONS", ("https://lists.example:99999/",), "https address"),
        ("POLICY_FORM_ACTIONS", ("//lists.example/",), "https address"),
        ("POLICY_FORM_ACTIONS", ("http://lists.example/",), "https address"),
        ("POLICY_FORM_ACTIONS", ("javascript:alert(1)",), "https address"),
        ("POLICY_FORM_ACTIONS", ("https://*.example/",), "host and path only"),
        ("POLICY_FORM_ACTIONS", ("https://user@lists.example/",), "host and path only"),
        ("POLICY_FORM_ACTIONS", ("https://lists.example/?list=1",), "host and path only"),
        ("POLICY_FORM_ACTIONS", ("https://пример.example/",), "plain ASCII"),
        ("POLICY_HEADER_FILES", (".htaccess",), "Known are: _headers."),
        ("POLICY_HSTS_DAYS", "365", "use a number of days"),
        ("POLICY_HSTS_DAYS", -1, "use a number of days"),
        ("POLICY_PRECOMPRESS", 1, "use True or False"),
        ("POLICY_SECURITY_CONTACT", ("safe@site.example",), "use mailto:"),
        ("POLICY_SECURITY_EXPIRES", "next year", "use a day such as"),
        ("POLICY_MAILROOM", "https://site.example/", "use host:port"),
        ("POLICY_MAILROOM", "127.0.0.1:99999", "use host:port"),
        ("POLICY_MAILROOM", "127.0.0.1:٨٠٢٥", "use host:port"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)) as caught:
        read_configuration({name: value})
    assert str(caught.value).startswith(f"{name} = ")
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PRIVACY_LOG", "none", "unknown setting"),
        ("PRIVACY_ACCESS_LOG", 0, 'use "none", a number of days, or "host"'),
        ("PRIVACY_ACCESS_LOG", True, 'use "none", a number of days, or "host"'),
        ("PRIVACY_ACCESS_LOG", "for ever", 'use "none", a number of days, or "host"'),
        ("PRIVACY_HOST", "two\nlines", "use a name on one line"),
        ("PRIVACY_HOST_COUNTRY", "Iceland", "ISO 3166-1"),
        ("PRIVACY_MAILING_SERVICE", "mailchimps", "Did you mean 'mailchimp'?"),
    ],
)
def test_a_claim_that_cannot_be_meant_is_refused(name: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        read_privacy({name: value})


def test_claims_are_read_as_the_environment_has_them() -> None:
    assert read_privacy({"SITENAME": "x"}) is None
    undecided = read_privacy({"PRIVACY_ACCESS_LOG": None, "PRIVACY_HOST": ""})
    assert undecided == Privacy()
    assert undecided.undecided == ("PRIVACY_ACCESS_LOG", "PRIVACY_HOST", "PRIVACY_HOST_COUNTRY")
    assert undecided.claims == {"mailing-service": "none"}
    decided = read_privacy({"PRIVACY_ACCESS_LOG": "14", "PRIVACY_HOST": "A host", "PRIVACY_HOST_COUNTRY": "IS"})
    assert decided is not None
    assert decided.access_log == 14
    assert not decided.undecided
    assert decided.claims["access-log"] == "14"
    assert (decided.country_name("fa"), decided.country_name("zh-Hans")) == ("ایسلند", "冰岛")
    assert decided.country_name("qqq") == "IS"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://weather.example/", "absolute https"),
        ("//weather.example/", "absolute https"),
        ("/weather/", "absolute https"),
        ("javascript:history.back()", "absolute https"),
        ("https://me:secret@weather.example/", "user and password"),
        ("https://site.example/about/", "leads back to this site"),
        (" https://weather.example/", "use an https address"),
        ('https://weather.example/"><', "use an https address"),
        ("https://[", "use an https address"),
        ("https://weather.example:99999/", "use an https address"),
    ],
)
def test_an_exit_that_is_none_is_refused(url: str, said: str) -> None:
    for settings in ({"EXIT_URL": url}, {"MULTILINGUAL_LANGUAGES": {"en": {}, "fa": {"EXIT_URL": url}}}):
        with pytest.raises(ConfigurationError, match=said):
            read_exits(settings | {"SITEURL": "https://site.example"})


def test_a_language_without_an_exit_is_found_where_others_have_one() -> None:
    languages: dict[str, dict[str, str]] = {"en": {"EXIT_URL": "https://weather.example/"}, "fa": {}}
    assert languages_without_exit({"MULTILINGUAL_LANGUAGES": languages}) == ["fa"]
    assert languages_without_exit({"MULTILINGUAL_LANGUAGES": {"en": {}, "fa": {}}}) == []
    assert languages_without_exit({}) == []


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `((?:POLICY|PRIVACY)_\w+)` \| `(.+?)` \|", README.read_text("utf-8"), re.MULTILINE))
    known = {f"POLICY_{field.name.upper()}": field.default for field in fields(Configuration)}
    known |= {f"PRIVACY_{field.name.upper()}": field.default for field in fields(Privacy)}
    assert {name: ast.literal_eval(default) for name, default in rows.items()} == known
