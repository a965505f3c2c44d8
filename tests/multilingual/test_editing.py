"""Changing source files for an editor: new, rename, withdraw, in both forms of header, with every byte else kept."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multilingual.editing import EditingError, add_value, make_key, rename, withdraw
from multilingual.headers import decode, split_header
from multilingual.placement import KEY

from tests.multilingual.sites import Site

DAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Leaving Russia: a family's choice", "leaving-russia-a-familys-choice"),
        ("Покинуть Россию", "pokinut-rossiiu"),
        ("Être réfugié à Nîmes", "etre-refugie-a-nimes"),
        ("NO", "no"),
        ("ترک روسیه", "article-2026-03-04"),
        ("离开俄罗斯", "article-2026-03-04"),
        ("Asylum و جنگ", "article-2026-03-04"),
        ("!?", "article-2026-03-04"),
        ("word " * 40, "word-word-word-word-word-word-word-word-word-word-word-word"),
    ],
)
def test_a_key_is_made_from_the_title_where_its_script_gives_one(title: str, key: str) -> None:
    assert make_key(title, DAY) == key


@given(st.text())
def test_a_made_key_is_a_key(title: str) -> None:
    assert KEY.match(make_key(title, DAY))


# New


def test_new_starts_a_draft_that_builds(site: Site) -> None:
    done = site.run("new", "Asylum: an «introduction» #1", "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    path = site.content / "articles/en/asylum-an-introduction-1.md"
    assert done.stdout.startswith("content/articles/en/asylum-an-introduction-1.md: ")
    assert path.read_text("utf-8").startswith("Title: Asylum: an «introduction» #1\n")
    assert site.run("build").returncode == 0
    assert site.has("en/drafts/asylum-an-introduction-1/")
    assert "Asylum: an «introduction» #1" in site.text("en/drafts/asylum-an-introduction-1/")


def test_new_with_a_persian_title(site: Site) -> None:
    done = site.run("new", "ترک روسیه: راهنما", "--lang", "FA")
    assert done.returncode == 0
    (path,) = (site.content / "articles/fa").iterdir()
    assert path.stem.startswith("article-20")
    assert "Title: ترک روسیه: راهنما\n" in path.read_text("utf-8")
    assert site.run("new", "دیگر", "--lang", "fa", "--key", "another").returncode == 0
    assert (site.content / "articles/fa/another.md").is_file()
    assert site.run("build").returncode == 0


def test_new_makes_pages_too(site: Site) -> None:
    assert site.run("new", "About us", "--lang", "zh_hans", "--page", "--key", "about").returncode == 0
    assert "Date:" not in (site.content / "pages/zh-Hans/about.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["A title", "--lang", "de"], "blog: --lang de: not a language of this site. Known are: en, fa, zh-Hans.\n"),
        (["  ", "--lang", "en"], "blog: the title is empty; give it in quotes\n"),
        (
            ["x", "--lang", "en", "--key", "../x"],
            "blog: --key ../x: no key. Use small letters a-z, digits and hyphens.\n",
        ),
    ],
)
def test_new_refuses_in_one_line(site: Site, arguments: list[str], said: str) -> None:
    done = site.run("new", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
    assert list(site.content.iterdir()) == []


def test_new_never_writes_over_a_file_of_any_language(site: Site) -> None:
    path = site.article("fa", "one")
    before = path.read_bytes()
    done = site.run("new", "One", "--lang", "en", "--key", "one")
    assert done.returncode == 1
    assert "exists; give another --key" in done.stderr
    assert path.read_bytes() == before
    assert not (site.content / "articles/en").exists()


# Rename


@pytest.fixture
def many(site: Site) -> Site:
    """One article in three languages, in two forms of header, with links to it."""
    site.write("articles/en/old.md", "Title: Old\nDate: 2026-01-02\n\n[me]({filename}old.md)\n")
    site.write(
        "articles/fa/old.md",
        "\ufeff---\r\ntitle: قدیم\r\ntranslated_from: en\r\n---\r\n\r\n[x](|filename|/articles/en/old.md#a)\r\n",
    )
    site.write("articles/zh-Hans/old.md", "Title: 旧\r\nTranslated_from: en\r\nSlug: 旧\r\n\r\n文\r\n")
    site.article(
        "en",
        "other",
        "[x]({filename}old.md) [y]({filename}very-old.md) old.md [z]({filename}/articles/fa/old.md 'old.md')",
    )
    site.article("en", "very-old", "[x]({filename}../en/old.md)")
    site.page("en", "about", "[x]({filename}../../articles/en/old.md)")
    return site


def test_rename_moves_every_language_and_keeps_links_and_addresses(many: Site) -> None:
    many.build_whole()
    old_pages = set(many.pages())
    done = many.run("rename", "old", "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Renamed 3 files from old to new; the old addresses lead to the new ones.\n"
    assert sorted(path.parent.name for path in many.content.rglob("new.md")) == ["en", "fa", "zh-Hans"]
    assert not list(many.content.rglob("old.md"))
    other = (many.content / "articles/en/other.md").read_text("utf-8")
    assert (
        "[x]({filename}new.md) [y]({filename}very-old.md) old.md [z]({filename}/articles/fa/new.md 'old.md')" in other
    )
    many.build_whole()
    for url in ("en/old/", "fa/old/", "k/old/"):
        (refresh,) = many.html(url).xpath("//meta[@http-equiv='refresh']/@content")
        assert refresh.endswith("/new/"), (url, refresh)
    assert "Old" in many.html("en/new/").text_content()
    assert many.has("zh-Hans/旧/")
    assert old_pages <= set(many.pages())


def test_rename_keeps_every_other_byte(many: Site) -> None:
    many.run("rename", "old", "new")
    assert (many.content / "articles/en/new.md").read_bytes() == (
        b"Title: Old\nDate: 2026-01-02\nFormer_keys: old\n\n[me]({filename}new.md)\n"
    )
    assert (many.content / "articles/fa/new.md").read_bytes() == (
        "\ufeff---\r\ntitle: قدیم\r\ntranslated_from: en\r\n---\r\n\r\n"
        "[x](|filename|/articles/en/new.md#a)\r\n".encode()
    )
    assert (many.content / "articles/zh-Hans/new.md").read_bytes() == (
        "Title: 旧\r\nTranslated_from: en\r\nSlug: 旧\r\n\r\n文\r\n".encode()
    )


def test_renaming_again_keeps_all_former_keys(many: Site) -> None:
    for old, new in (("old", "new"), ("new", "newer"), ("newer", "newest")):
        assert many.run("rename", old, new).returncode == 0
    many.build_whole()
    for key in ("old", "new", "newer"):
        (refresh,) = many.html(f"en/{key}/").xpath("//meta[@http-equiv='refresh']/@content")
        assert refresh.endswith("/newest/")


def test_renaming_back_is_possible(many: Site) -> None:
    many.run("rename", "old", "new")
    assert many.run("rename", "new", "old").returncode == 0
    many.build_whole()
    assert not many.html("en/old/").xpath("//meta[@http-equiv='refresh']")
    (refresh,) = many.html("en/new/").xpath("//meta[@http-equiv='refresh']/@content")
    assert refresh.endswith("/old/")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("odl", "new", "there is no article or page 'odl'. Did you mean 'old'?"),
        ("old", "other", "exists; choose another name"),
        ("old", "OTHER", "'OTHER' is no key."),
        ("old", "../x", "'../x' is no key."),
        ("old", "old", "exists; choose another name"),
    ],
)
def test_rename_refuses_and_changes_nothing(many: Site, old: str, new: str, said: str) -> None:
    before = {path: path.read_bytes() for path in many.content.rglob("*.md")}
    done = many.run("rename", old, new)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in many.content.rglob("*.md")} == before


def test_rename_refuses_what_it_cannot_read_before_it_changes_anything(many: Site) -> None:
    many.write("articles/en/zzz.md", b"Title: caf\xe9\n\nText.\n")
    before = {path: path.read_bytes() for path in many.content.rglob("*.md")}
    with pytest.raises(EditingError, match=r"zzz\.md:1: the file is not UTF-8"):
        rename(many.content, "old", "new")
    assert {path: path.read_bytes() for path in many.content.rglob("*.md")} == before


# Withdraw


def test_withdraw_takes_an_article_down_in_every_language(many: Site) -> None:
    done = many.run("withdraw", "old", "--reason", 'For: somebody\'s "safety".')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Withdrew old (3 files): ")
    assert "[me]({filename}old.md)" in (many.content / "articles/en/old.md").read_text("utf-8")
    many.build_whole()
    for url in ("en/old/", "fa/old/", "zh-Hans/旧/"):
        assert 'For: somebody\'s "safety".' in many.html(url).text_content()
    assert "/old/" not in many.text("sitemap.xml")


def test_withdraw_erases_the_text_when_asked(many: Site) -> None:
    many.write(
        "articles/en/old.md",
        "Title: Old\nSummary: Secret\n    and more secret\nDate: 2026-01-02\nsummary: Secret again\n\n"
        "Secret text.\n\n---\n\nMore secrets.\n",
    )
    many.write(
        "articles/fa/old.md",
        "---\r\ntitle: قدیم\r\nsummary: >\r\n  Secret\r\n\r\n  folded\r\ntranslated_from: en\r\n---\r\nSecret\r\n",
    )
    done = many.run("withdraw", "old", "--erase")
    assert done.returncode == 0
    for path in many.content.rglob("old.md"):
        text = path.read_bytes().decode("utf-8")
        assert "ecret" not in text
        assert "folded" not in text
        assert "Title" in text or "title" in text
        assert ("\r\n" in text) is (path.parent.name != "en")
    many.build_whole()
    assert many.has("fa/old/")


def test_withdrawing_twice_changes_nothing_more(many: Site) -> None:
    withdraw(many.content, "old", "Once.", DAY, erase=False)
    before = {path: path.read_bytes() for path in many.content.rglob("*.md")}
    withdraw(many.content, "old", "Twice.", DAY, erase=False)
    assert {path: path.read_bytes() for path in many.content.rglob("*.md")} == before


def test_withdraw_names_what_it_does_not_know(site: Site) -> None:
    site.article("en", "one")
    done = site.run("withdraw", "on")
    assert (done.returncode, done.stderr) == (1, "blog: there is no article or page 'on'. Did you mean 'one'?\n")


# Headers


BODY = "\nText: one\n\n---\n\nCorrected: not a field\n"
FORMS = [
    "Title: x\n{field}Date: 2026-01-02\n" + BODY,
    "---\ntitle: x\n{yaml}date: 2026-01-02\n---" + BODY,
]
values = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1, max_size=30
)


@given(st.lists(values, max_size=2), values, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_a_value_is_added_in_either_form_and_nothing_else_changes(
    stated: list[str], value: str, ending: str, mark: str
) -> None:
    classic = "".join(f"Corrected: {one}\n" for one in stated)
    listed = "".join(f"  - '{one.replace(chr(39), chr(39) * 2)}'\n" for one in stated)
    for form in FORMS:
        text = form.format(field=classic, yaml=f"corrected:\n{listed}" if stated else "")
        changed = add_value(mark + text.replace("\n", ending), "Corrected", value)
        assert changed.startswith(mark)
        header, before = split_header(decode(changed.encode())), split_header(decode(text.encode()))
        found = header.fields["corrected"]
        assert (found[0] if isinstance(found[0], list) else found) == [*stated, value]
        assert {k: v for k, v in header.fields.items() if k != "corrected"} == {
            k: v for k, v in before.fields.items() if k != "corrected"
        }
        assert header.body == before.body
        assert changed.removeprefix(mark).replace(ending, "").count("\n") == 0 if ending == "\r\n" else True


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("---\ntitle: x\ntags: [a, b]  # two\nlang: fa\n---\nT\n", ["a", "b", "c"]),
        ("---\ntitle: x\ntags: a\nlang: fa\n---\nT\n", ["a", "c"]),
        ("---\ntitle: x\ntags:\n- a\n- b\n# a remark\nlang: fa\n---\nT\n", ["a", "b", "c"]),
        ("---\ntitle: x\ntags: |\n  a\n\nlang: fa\n---\nT\n", ["a", "c"]),
        ("---\ntitle: x\ntags:\nlang: fa\n---\nT\n", ["c"]),
        ("---\ntitle: x\nlang: fa\ntags:\n  - a\n---\nT\n", ["a", "c"]),
        ("---\ntitle: x\nlang: fa\n...\nT\n", ["c"]),
    ],
)
def test_a_yaml_list_grows_wherever_it_stands(before: str, after: list[str]) -> None:
    header = split_header(add_value(before, "Tags", "c"))
    (found,) = header.fields["tags"]
    assert (found if isinstance(found, list) else [found]) == after
    assert header.fields["title"] == ["x"]
    assert header.fields["lang"] == ["fa"]
    assert header.body.strip() == "T"


def test_files_are_replaced_in_one_step(many: Site) -> None:
    names = {path.name for path in many.content.rglob("*")}
    withdraw(many.content, "old", "x", DAY, erase=True)
    assert {path.name for path in many.content.rglob("*")} == names


def test_line_endings_of_old_macs_do_not_confuse(site: Site) -> None:
    path: Path = site.write("articles/en/one.md", b"Title: x\rDate: 2026-01-02\r\rText.\r")
    withdraw(site.content, "one", "Reason", DAY, erase=False)
    assert split_header(decode(path.read_bytes())).fields["withdrawn"] == ["2026-03-04 Reason"]
