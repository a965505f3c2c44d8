"""Links that open a code host's editor."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from translators.errors import ConfigurationError
from translators.repository import LONGEST, Repository
from translators.settings import open_repository, read_configuration

from tests.translators.sites import Site

TEXT = "Title: \nSummary: \nTranslated_from: en\nTranslator: withheld\n\n"


def open_one(address: str, **more: str) -> Repository:
    stated = {f"TRANSLATORS_REPOSITORY_{name.upper()}": value for name, value in more.items()}
    found = open_repository(read_configuration({"TRANSLATORS_REPOSITORY": address} | stated))
    assert found
    return found


@pytest.mark.parametrize(
    ("address", "host", "new", "edit"),
    [
        ("https://github.com/o/r", "", "/o/r/new/main", "/o/r/edit/main/content/articles/fa/a.md"),
        ("https://gitlab.com/o/g/r/", "", "/o/g/r/-/new/main", "/o/g/r/-/edit/main/content/articles/fa/a.md"),
        (
            "https://codeberg.org/o/r.git",
            "",
            "/o/r/_new/main/content/articles/fa",
            "/o/r/_edit/main/content/articles/fa/a.md",
        ),
        ("https://git.example.org/o/r", "github", "/o/r/new/main", "/o/r/edit/main/content/articles/fa/a.md"),
    ],
)
def test_each_host_has_its_own_addresses(address: str, host: str, new: str, edit: str) -> None:
    repository = open_one(address, host=host)
    path = "content/articles/fa/a.md"
    begun = urlsplit(repository.new_file(path, TEXT))
    assert begun.path == new
    fields = {name: values[0] for name, values in parse_qs(begun.query).items()}
    assert (
        fields
        == {
            "github": {"filename": path, "value": TEXT},
            "gitlab": {"file_name": path},
            "gitea": {"filename": "a.md", "value": TEXT},
        }[repository.host]
    )
    assert urlsplit(repository.edit_file(path)).path == edit


def test_whatever_stands_in_a_text_stays_in_it() -> None:
    repository = open_one("https://github.com/o/r", branch="neu & alt")
    whole = repository.new_file("content/articles/fa/ä #?.md", "Title: 100 % & more #1?\n\u200c\n")
    parts = urlsplit(whole)
    assert whole.isascii()
    assert not parts.fragment
    assert unquote(parts.path) == "/o/r/new/neu & alt"
    assert parse_qs(parts.query)["value"] == ["Title: 100 % & more #1?\n\u200c\n"]


def test_an_address_is_never_longer_than_servers_take() -> None:
    repository = open_one("https://github.com/o/r")
    long = repository.new_file("content/articles/fa/a.md", "سرخط " * 1000)
    assert len(long) <= LONGEST
    assert list(parse_qs(urlsplit(long).query)) == ["filename"]


def test_a_translation_is_begun_with_its_header_and_gone_on_with_where_it_stands(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("en")
    site.write("en", "help", "Template: help\n", kind="pages")
    repository = open_one("https://github.com/o/r")
    begun = parse_qs(urlsplit(repository.address_for(site.find("fa"))).query)
    assert begun == {"filename": ["content/articles/fa/flight.md"], "value": [TEXT]}
    begun = parse_qs(urlsplit(repository.address_for(site.find("zh-Hans", "help"))).query)
    assert begun["filename"] == ["content/pages/zh-Hans/help.md"]
    assert "\nTemplate: help\n" in begun["value"][0]
    site.translate("fa")
    assert repository.address_for(site.find("fa")).endswith("/edit/main/content/articles/fa/flight.md")


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("REPOSITORY", "git@github.com:o/r.git", "use the address of its first page"),
        ("REPOSITORY", "https://github.com/o/r?tab=1", "use the address of its first page"),
        ("REPOSITORY", "https://git.example.org/o/r", "use one of github, gitlab, gitea"),
        ("REPOSITORY", None, "use text"),
        ("REPOSITORY_HOST", "bitbucket", "use one of github, gitlab, gitea"),
        ("REPOSITORY_BRANCH", "", "state one, or leave the setting out"),
        ("DASHBOARD", "", "state one, or leave the setting out"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: object, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        read_configuration({f"TRANSLATORS_{name}": value})


def test_without_a_repository_there_are_no_links() -> None:
    assert open_repository(read_configuration({})) is None
