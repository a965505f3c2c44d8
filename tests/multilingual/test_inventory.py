"""Every text as its file states it, for parts that build nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from multilingual.commands import read_content
from multilingual.headers import HeaderError
from multilingual.inventory import Inventory

SETTINGS = """
PATH = "content"
DEFAULT_LANG = "en"
MULTILINGUAL_LANGUAGES = {"en": {}, "fa": {}}
ARTICLE_PATHS = ["articles", "more"]
PAGE_PATHS = ["pages"]
"""


def write(root: Path, name: str, text: str | bytes) -> None:
    path = root / "content" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pelicanconf.py").write_text(SETTINGS, "utf-8")
    write(tmp_path, "articles/fa/flight.md", "Title: T\nTranslated_from: en\n\nx\n")
    write(tmp_path, "articles/en/flight.md", "---\ntitle: Flight\ntopics: [a, b]\n---\nOne.\n")
    write(tmp_path, "pages/en/sub/about.md", b"\xef\xbb\xbfTitle: About\r\nSummary: One\r\n    two\r\n\r\nText.\r\n")
    return tmp_path


def take(root: Path) -> Inventory:
    return read_content(root)


def test_texts_stand_in_the_sites_order_of_languages(root: Path) -> None:
    inventory = take(root)
    assert [(text.kind, text.key, text.lang, text.name) for text in inventory.texts] == [
        ("article", "flight", "en", "content/articles/en/flight.md"),
        ("article", "flight", "fa", "content/articles/fa/flight.md"),
        ("page", "about", "en", "content/pages/en/sub/about.md"),
    ]
    assert [(language.tag, language.direction, language.prefix) for language in inventory.languages] == [
        ("en", "ltr", "en/"),
        ("fa", "rtl", "fa/"),
    ]
    assert inventory.problems == ()
    assert inventory.settings["DEFAULT_LANG"] == "en"


def test_headers_are_read_in_either_form(root: Path) -> None:
    flight, _, about = take(root).texts
    assert (flight.fields, flight.body) == ({"title": ("Flight",), "topics": ("a", "b")}, "One.\n")
    assert about.fields == {"title": ("About",), "summary": ("One", "two")}
    assert about.raw == about.path.read_bytes()


def test_what_is_wrong_with_a_file_is_carried(root: Path) -> None:
    write(root, "articles/en/Bad_Name.md", "Title: x\n\nx\n")
    write(root, "articles/en/empty.md", "")
    write(root, "articles/en/bytes.md", b"Title: x\n\n\xff\n")
    write(root, "articles/xx/flight.md", "Title: x\n\nx\n")
    write(root, "more/en/flight.md", "Title: x\n\nx\n")
    write(root, "articles/en/.flight.md.swp.md", "")
    inventory = take(root)
    assert len(inventory.texts) == 3
    assert [(problem.file, problem.line, problem.what) for problem in inventory.problems] == [
        ("content/articles/en/Bad_Name.md", 0, "'Bad_Name' is no key"),
        ("content/articles/en/bytes.md", 3, "the file is not UTF-8"),
        ("content/articles/en/empty.md", 0, "the file is empty"),
        ("content/articles/xx", 0, "the folder 'xx' names no language of this site, while others beside it do"),
        ("content/more/en/flight.md", 0, "content/articles/en/flight.md is the same in the same language"),
    ]


def test_a_text_as_other_bytes_have_it(root: Path) -> None:
    inventory = take(root)
    earlier = inventory.reread(inventory.texts[0], b"Title: Earlier\n\nText.\n")
    assert (earlier.fields["title"], earlier.key, earlier.body) == (("Earlier",), "flight", "\nText.\n")
    with pytest.raises(HeaderError):
        inventory.reread(inventory.texts[0], b"\xff")


def test_a_link_to_nothing_is_told(root: Path) -> None:
    (root / "content" / "articles" / "fa" / "lost.md").symlink_to("nowhere.md")
    assert [str(problem) for problem in take(root).problems] == [
        "content/articles/fa/lost.md: it cannot be read (No such file or directory). Mend it, or remove it."
    ]
