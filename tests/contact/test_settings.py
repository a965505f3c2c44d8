"""What can be set, what is refused, and how it is said."""

from __future__ import annotations

import re
from email.headerregistry import Address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from contact.check import check_intake
from contact.errors import ConfigurationError
from contact.record import Contact, Number
from contact.settings import SETTINGS, allows, read_contact
from hypothesis import given
from hypothesis import strategies as st

from tests.contact.conftest import AGE, EVERYTHING
from tests.multilingual.sites import ROOT, Site


def read(folder: Path = Path("/nowhere"), /, **settings: Any) -> Contact:
    return read_contact({"PATH": str(folder), "STATIC_PATHS": ["files"], "PLUGINS": [], **settings})


def test_nothing_set_is_nothing_shown() -> None:
    assert read() == Contact()
    assert read(**dict.fromkeys(EVERYTHING)) == Contact()
    assert read(**dict.fromkeys(EVERYTHING, "")) == Contact()
    assert Contact().channels == ()


def test_channels_stand_safest_first_whatever_the_settings_order() -> None:
    names = ("CONTACT_WHATSAPP", "CONTACT_PHONE", "CONTACT_EMAIL", "CONTACT_SIGNAL")
    contact = read(**{name: EVERYTHING[name] for name in names})
    assert [(one.kind, one.text, one.url) for one in contact.channels] == [
        ("signal", "office.27", ""),
        ("email", "office@practice.org", "mailto:office@practice.org"),
        ("phone", "+44 20 7946 0101", "tel:+442079460101"),
        ("whatsapp", "+1 202 555 0102", "https://wa.me/12025550102"),
    ]
    assert Contact(email="a@b.org", intake_url="x/").channels[0].kind == "intake"


def test_a_signal_number_is_a_link() -> None:
    (channel,) = read(CONTACT_SIGNAL="+44 20 7946 0101").channels
    assert (channel.url, channel.is_web) == ("https://signal.me/#p/+442079460101", True)


def test_a_handle_is_the_same_with_its_sign_and_without() -> None:
    assert read(FOLLOW_YOUTUBE="@a_b").youtube_url == read(FOLLOW_YOUTUBE="a_b").youtube_url
    assert read(FOLLOW_YOUTUBE="a_b").youtube_url == "https://www.youtube.com/@a_b"


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("CONTACT_EMAIL", "office", "one mail address"),
        ("CONTACT_INTAKE", "https://forms.practice.org/", "its path on this host"),
        ("CONTACT_INTAKE", "/mail/form/", "its path on this host"),
        ("CONTACT_INTAKE", "/mail/form?lang=fa", "its path on this host"),
        ("CONTACT_EMAIL", "Office <office@practice.org>", "one mail address"),
        ("CONTACT_EMAIL", "a@b.org?cc=x@y.org", "one mail address"),
        ("CONTACT_EMAIL", "a@b.org\n", "one mail address"),
        ("CONTACT_EMAIL", ["a@b.org"], "one mail address"),
        ("CONTACT_PHONE", "020 7946 0101", "country's code"),
        ("CONTACT_PHONE", "+44", "country's code"),
        ("CONTACT_PHONE", "+44 20 7946 0101 0101 01", "E.164"),
        ("CONTACT_PHONE", "+٤٤٢٠٧٩٤٦٠١٠١", "E.164"),
        ("CONTACT_PHONE", 442079460101, "E.164"),
        ("CONTACT_WHATSAPP", "+44  20 7946 0101", "E.164"),
        ("CONTACT_SIGNAL", "office", "user name"),
        ("CONTACT_SIGNAL", "+12", "E.164"),
        ("CONTACT_REPLY_MINUTES", 0, "whole minutes"),
        ("CONTACT_REPLY_MINUTES", -60, "whole minutes"),
        ("CONTACT_REPLY_MINUTES", 1.5, "whole minutes"),
        ("CONTACT_REPLY_MINUTES", True, "whole minutes"),
        ("CONTACT_REPLY_MINUTES", False, "whole minutes"),
        ("CONTACT_REPLY_MINUTES", "60", "whole minutes"),
        ("CONTACT_FORM_ACTION", "http://forms.practice.org/", "https://"),
        ("CONTACT_FORM_ACTION", "//forms.practice.org/", "https://"),
        ("CONTACT_FORM_ACTION", "mail/contact", "a path on this host"),
        ("CONTACT_FORM_ACTION", 'https://a.org/"onclick="', "https://"),
        ("CONTACT_FORM_ACTION", "https://user:password@a.org/", "https://"),
        ("CONTACT_FORM_ACTION", "https://a.org; script-src *", "https://"),
        ("CONTACT_FORM_ACTION", "https://[", "https://"),
        ("CONTACT_FORM_ACTION", "https://a.org:99999", "https://"),
        ("SAMPLE_REPORT", "files/none.pdf", "no such file"),
        ("SAMPLE_REPORT", "../secret.pdf", "content folder"),
        ("SAMPLE_REPORT", "/etc/passwd", "content folder"),
        ("EXPERT_CV", "files", "no such file"),
        ("EXPERT_CV", "elsewhere/cv.pdf", "STATIC_PATHS"),
        ("MEETING_SERVICE", "two\nlines", "a name on one line"),
        ("MEETING_SERVICE", " ", "a name on one line"),
        ("FOLLOW_YOUTUBE", "https://www.youtube.com/@a_b", "the handle alone"),
        ("FOLLOW_YOUTUBE", "ab", "the handle alone"),
        ("FOLLOW_LINKEDIN_URL", "http://www.linkedin.com/in/a", "https://"),
        ("FOLLOW_LINKEDIN_URL", "https://www.linkedin.com/in/a", "FOLLOW_LINKEDIN_NAME"),
        ("CONTACT_EMIAL", "a@b.org", "'CONTACT_EMAIL'"),
        ("FOLLOW_YUOTUBE", "a_b", "'FOLLOW_YOUTUBE'"),
        ("FOLLOW_Q", None, "unknown setting"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, value: Any, remedy: str) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "cv.pdf").write_bytes(b"%PDF")
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{name: value})
    assert str(caught.value).startswith(f"{name} = {value!r}: ")
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("value", [("age1short",), "AGE-SECRET-KEY-1" + "Q" * 58, 1, ("age1" + "q" * 58, None)])
def test_what_stands_for_a_recipient_is_not_repeated(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="CONTACT_AGE_RECIPIENTS = '…': state age recipients"):
        read(CONTACT_AGE_RECIPIENTS=value)


def test_a_sealed_form_without_recipients_to_compare_is_refused() -> None:
    said: list[str] = []
    for contact in (read(CONTACT_INTAKE="/mail/form"), read(CONTACT_INTAKE="/mail/form", CONTACT_AGE_RECIPIENTS=AGE)):
        check_intake(contact, lambda where, what, remedy: said.append(f"{where}: {what}. {remedy}"))
    assert len(said) == 1
    assert said[0].startswith("CONTACT_AGE_RECIPIENTS: ")


def test_an_edition_has_no_ways_of_its_own() -> None:
    with pytest.raises(ConfigurationError, match="for the whole site"):
        read(MULTILINGUAL_LANGUAGES={"en": {}, "fa": {"CONTACT_EMAIL": "fa@practice.org"}})


@pytest.mark.parametrize(
    ("action", "allowed"), [("/mail/contact", "/mail/contact"), ("https://a.org:8443/x?y=1", "https://a.org:8443/x")]
)
def test_a_form_needs_the_permission_of_the_policy(action: str, allowed: str) -> None:
    for settings in ({"PLUGINS": ["policy"]}, {"POLICY_FORM_ACTIONS": ["https://other.org"]}):
        with pytest.raises(ConfigurationError, match=re.escape(f"add {allowed!r} to POLICY_FORM_ACTIONS")):
            read(CONTACT_FORM_ACTION=action, **settings)
    assert read(CONTACT_FORM_ACTION=action, PLUGINS=["policy"], POLICY_FORM_ACTIONS=[allowed]).form_action == action
    assert read(CONTACT_FORM_ACTION=action).form_action == action, "a site without the plugin has no such setting"


def test_what_a_policy_lets_be_sent() -> None:
    site = "https://site.org"
    for source, action in (
        ("'self'", "/mail/contact"),
        ("/mail/", "/mail/contact"),
        ("'self'", "https://site.org/mail/"),
        ("https://a.org", "https://a.org/x"),
        ("https://a.org/x", "https://a.org/x?y=1"),
        ("https://a.org/x/", "https://a.org/x/y"),
    ):
        assert allows(source, action, site), (source, action)
    for source, action in (
        ("'none'", "/mail/contact"),
        ("https://a.org", "/mail/contact"),
        ("'self'", "https://a.org/x"),
        ("https://a.org/x", "https://a.org/x/y"),
        ("https://a.org", "https://b.a.org/"),
        ("http://a.org", "https://a.org/"),
        ("'self'", "https://site.org:8443/"),
    ):
        assert not allows(source, action, site), (source, action)


def test_a_build_stops_at_a_mistake_before_anything_is_written(site: Site) -> None:
    site.settings(CONTACT_PHONE="020 7946 0101")
    run = site.run("build")
    assert run.returncode != 0
    assert "CONTACT_PHONE = '020 7946 0101'" in run.stderr + run.stdout
    assert "Traceback" not in run.stderr + run.stdout
    assert not site.output.exists()


@given(st.emails(domains=st.sampled_from(["practice.org", "sub.practice.org"])))
def test_a_mail_link_leads_to_the_address_and_nothing_else(address: str) -> None:
    contact = read(CONTACT_EMAIL=address)
    link = urlsplit(contact.mail_url)
    assert (link.scheme, link.query, link.fragment) == ("mailto", "", "")
    assert unquote(link.path) == address == str(Address(addr_spec=address).addr_spec)
    assert re.fullmatch(r"mailto:[A-Za-z0-9%._~@-]+", contact.mail_url)


@given(st.text(max_size=30))
def test_no_text_breaks_a_reader(text: str) -> None:
    for name in SETTINGS:
        try:
            contact = read(**{name: text})
        except ConfigurationError as error:
            assert error.setting == name  # noqa: PT017 (either outcome is right)
        else:
            for link in (contact.mail_url, contact.youtube_url, *(one.url for one in contact.channels)):
                assert not re.search(r"[\s\"'<>]", link)


@given(st.from_regex(r"\+[1-9]( ?[0-9]){6,14}", fullmatch=True))
def test_a_number_is_dialled_as_it_is_shown(text: str) -> None:
    number = read(CONTACT_PHONE=text).phone
    assert isinstance(number, Number)
    assert (number.text, "+" + number.digits) == (text, text.replace(" ", ""))


def test_the_readme_has_every_setting() -> None:
    readme = (ROOT / "plugins" / "contact" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `(\w+)` \|", readme, re.MULTILINE))
    assert rows == dict.fromkeys(SETTINGS, "None")
