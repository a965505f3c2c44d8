"""What bad input gets: one line each with file, line, problem and remedy, all in one run, and nothing changed."""

import pytest

from tests.multilingual.sites import TERMS, WITH_TERMS, Site, texts

#: One of each kind that can be wrong with a site's content; by file, the line and what is said.
BAD_FILES: dict[str, str | bytes] = {
    "articles/en/broken-header.md": "---\nTitle: Asylum: a guide\n---\nText.\n",
    "articles/en/no-end.md": "---\nTitle: x\nDate: 2026-01-02\n\nText.\n",
    "articles/en/no-title.md": "Date: 2026-01-02\n\nText.\n",
    "articles/en/contradiction.md": "Title: x\nDate: 2026-01-02\nLang: fa\n\nText.\n",
    "articles/en/claims-a.md": "Title: x\nDate: 2026-01-02\nSlug: same\n\nText.\n",
    "articles/en/claims-b.md": "Title: x\nDate: 2026-01-02\nSlug: same\n\nText.\n",
    "articles/en/dead-link.md": "Title: x\nDate: 2026-01-02\n\nText.\n\n[x]({filename}nowhere.md)\n",
    "articles/en/dead-picture.md": "Title: x\nDate: 2026-01-02\n\n![x]({static}/images/nowhere.jpg)\n",
    "articles/en/bad-date.md": "Title: x\nDate: soon\n\nText.\n",
    "articles/en/no-date.md": "Title: x\n\nText.\n",
    "articles/en/empty.md": "",
    "articles/en/latin-1.md": "Title: x\nDate: 2026-01-02\n\ncaf\xe9\n".encode("latin-1"),
    "articles/en/bad-status.md": "Title: x\nDate: 2026-01-02\nStatus: publish\n\nText.\n",
    "articles/fa/orphan.md": "Title: x\nTranslated_from: en\n\nText.\n",
    "articles/en/two-sources.md": "Title: x\nDate: 2026-01-02\n\nText.\n",
    "articles/fa/two-sources.md": "Title: x\nDate: 2026-01-02\n\nText.\n",
    "articles/en/climbs.md": "Title: x\nDate: 2026-01-02\nSlug: ../../climbs\n\nText.\n",
    "articles/en/reserved.md": "Title: x\nDate: 2026-01-02\nSlug: archive\n\nText.\n",
    "articles/en/overlong.md": f"Title: x\nDate: 2026-01-02\nSlug: {'ا' * 101}\n\nText.\n",
    "articles/en/unknown-topic.md": "Title: x\nDate: 2026-01-02\nTopics: asilum\n\nText.\n",
    "articles/en/bad-remark.md": "Title: x\nDate: 2026-01-02\nCorrected: last week\n\nText.\n",
    "articles/en/Bad_Key.md": "Title: x\nDate: 2026-01-02\n\nText.\n",
    "articles/farsi/one.md": "Title: x\nTranslated_from: en\n\nText.\n",
    "pages/en/empty-page.md": "\n\n",
    "../messages/fa.po": 'msgid ""\nmsgstr "Language: fa\\n"\n\nmsgid "By %(names)s"\nmsgstr "%(n)s"\n',
    "redirects.txt": "/old/ /en/one/\n/older/ /nowhere/\nnot a redirect\n",
}  # fmt: skip
SAID = """\
content/articles/en/Bad_Key.md: 'Bad_Key' is no key.
content/articles/en/bad-date.md:2: 'date' is not a date: 'soon'.
content/articles/en/bad-remark.md:3: Corrected: 'last week' does not begin with a day.
content/articles/en/bad-status.md:3: 'publish' is no status.
content/articles/en/broken-header.md:2: mapping values are not allowed here.
content/articles/en/claims-b.md: /en/same/ is claimed twice, the other time by content/articles/en/claims-a.md.
content/articles/en/climbs.md:3: the slug '../../climbs' has other characters than letters, digits and hyphens.
content/articles/en/contradiction.md:3: Lang: fa contradicts the folder, which says en.
content/articles/en/dead-link.md:6: {filename}nowhere.md leads to nothing.
content/articles/en/dead-picture.md:4: {static}/images/nowhere.jpg leads to nothing.
content/articles/en/empty.md: the file is empty.
content/articles/en/latin-1.md:4: the file is not UTF-8.
content/articles/en/no-date.md: the date is missing.
content/articles/en/no-end.md:1: the header has no end.
content/articles/en/no-title.md:1: the title is missing.
content/articles/en/overlong.md:3: the slug 'اااااااااااااااااااا'… is longer than 200 bytes.
content/articles/en/reserved.md:3: the slug 'archive' is reserved.
content/articles/en/two-sources.md: 'two-sources' has 2 source articles
content/articles/en/unknown-topic.md:3: 'asilum' is not in the table of topics.
content/articles/fa/orphan.md:2: there is no 'orphan' in en, from which it was translated.
content/articles/fa/two-sources.md: 'two-sources' has 2 source articles
content/articles/farsi: the folder 'farsi' names no language of this site, while others beside it do.
content/pages/en/empty-page.md: the file is empty.
content/redirects.txt:2: the redirect to /nowhere/ leads to nothing.
content/redirects.txt:3: 'not a redirect' is not a redirect.
messages/fa.po:4: the placeholders of '%(n)s' are broken.
""".splitlines()


@pytest.fixture
def good_site(site: Site) -> Site:
    """A site that is whole, with topics."""
    site.settings(**WITH_TERMS, MULTILINGUAL_REDIRECTS="redirects.txt", MULTILINGUAL_MESSAGES=["messages"])
    (site.folder / "messages").mkdir()
    site.write("terms.yaml", TERMS)
    site.article("en", "one", Topics="war")
    site.translation("fa", "one", "en")
    site.page("en", "about")
    return site


def test_everything_that_is_wrong_is_told_in_one_run(good_site: Site) -> None:
    for path, text in BAD_FILES.items():
        good_site.write(path, text)
    said = texts(good_site.build())
    assert [line for line in said if not line.startswith(tuple(SAID))] == []
    assert [start for start in SAID if not any(line.startswith(start) for line in said)] == []
    assert len(said) == len(SAID)
    assert not any("\n" in line for line in said)


def test_the_command_prints_them_and_exits_with_1(good_site: Site) -> None:
    for path, text in BAD_FILES.items():
        good_site.write(path, text)
    beside = {path.name for path in good_site.folder.iterdir()}
    done = good_site.run("build")
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert done.stdout == ""
    assert lines[-1] == f"Nothing was published: {len(SAID)} problems."
    assert len(lines) == len(SAID) + 1
    assert {path.name for path in good_site.folder.iterdir()} - {"__pycache__"} == beside - {"__pycache__"}


def test_plain_pelican_logs_the_same_problems(good_site: Site) -> None:
    for path, text in BAD_FILES.items():
        good_site.write(path, text)
    done = good_site.run_pelican("--fatal", "errors", NO_COLOR="1", COLUMNS="1000")
    assert done.returncode != 0
    assert "Bad_Key" in done.stdout + done.stderr


def test_what_was_published_stays_as_it_was(good_site: Site) -> None:
    good_site.build_whole()
    before = good_site.snapshot()
    for path, text in BAD_FILES.items():
        good_site.write(path, text)
    good_site.article("en", "one", "Changed.", Topics="war")
    result = good_site.build()
    assert result.errors
    assert result.changed == 0
    assert good_site.snapshot() == before
    assert sorted(path.name for path in good_site.folder.iterdir() if path.name != "__pycache__") == [
        "content", "messages", "output", "pelicanconf.py",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("topics:\n  war: {name: {en: War}\n", "3: expected ',' or '}', but got '<stream end>'. "),
        ("topics: [war]\n", "1: topics is not a table. "),
        ("topics:\n  war: War\n", "2: topics.war is not a table. "),
        ("topics:\n  war: {slug: {en: war}}\n", "2: topics.war has no names. "),
        ("topics:\n  war: {name: {}}\n", "2: topics.war has no names. "),
        ("topics:\n  war: {name: {en: [a]}, slug: {}}\n", "2: topics.war: the value for en is not text. "),
        ("- topics\n", "1: the file is not a table. "),
        ("topics:\n  war: {name: {en: A}}\n  war: {name: {en: B}}\n", "3: topics has 'war' twice. "),
        ("topics:\n  war:\n    name: {en: War, farsi: x}\n", "3: topics.war: 'farsi' is not "),
        ("topics:\n  war: {name: {en: War}, slug: {en: ../x}}\n", "2: topics.war: the slug '../x' has "),
        ("topics:\n  a/b: {name: {en: War}}\n", "2: topics.a/b: the slug 'a/b' has "),
    ],
)
def test_a_bad_table_of_terms_is_told(site: Site, table: str, said: str) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", table)
    site.article("en", "one")
    problems = texts(site.build())
    assert problems[0].startswith(f"content/terms.yaml:{said}")
    assert len(problems) == 1


def test_a_table_of_terms_that_is_not_utf8_is_told(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.write("terms.yaml", b"topics:\n  war: {name: {fr: d\xe9part}}\n")
    site.article("en", "one")
    assert texts(site.build()) == ["content/terms.yaml: the file is not UTF-8. Save it as UTF-8."]


def test_a_table_of_terms_that_is_missing_is_told(site: Site) -> None:
    site.settings(**WITH_TERMS)
    site.article("en", "one")
    assert texts(site.build()) == [
        "content/terms.yaml: the table of terms is missing. Write it, or unset MULTILINGUAL_TERMS.",
    ]


def test_a_broken_template_is_told_with_its_line(site: Site) -> None:
    theme = site.folder / "theme" / "templates"
    theme.mkdir(parents=True)
    for name in ("article", "page", "index", "archives"):
        (theme / f"{name}.html").write_text("fine\n", "utf-8")
    site.settings(
        THEME=str(site.folder / "theme"),
        MULTILINGUAL_CHOOSER=False,
        MULTILINGUAL_NEUTRAL=False,
        MULTILINGUAL_NOT_FOUND=False,
    )
    site.article("en", "one")
    site.build_whole()
    before = site.snapshot()
    for text, said in (
        ("one\n{% if %}\n", "theme/templates/article.html:2: Expected an expression, got 'end of statement block'. "),
        ("one\n\n{{ nothing.at.all }}\n", "theme/templates/article.html:3: UndefinedError: 'nothing' is undefined. "),
    ):
        (theme / "article.html").write_text(text, "utf-8")
        (problem,) = texts(site.build())
        assert problem == said + "Mend the template."
        assert site.snapshot() == before


def test_a_template_that_is_missing_is_told(site: Site) -> None:
    site.settings(THEME="simple", DIRECT_TEMPLATES=["index", "archives", "contact"])
    site.article("en", "one")
    (problem,) = texts(site.build())
    assert "contact" in problem
    assert ".venv" not in problem
    assert problem.endswith("Write the template, or correct the setting that names it.")


def test_errors_of_other_plugins_count(site: Site) -> None:
    (site.folder / "loud.py").write_text(
        "import logging\nfrom pelican import signals\n"
        "def complain(generator):\n    logging.getLogger('loud').error('content/articles/en/one.md: too loud')\n"
        "def register():\n    signals.article_generator_finalized.connect(complain)\n",
        "utf-8",
    )
    site.settings(
        PLUGINS=["multilingual", "loud"], PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], str(site.folder)]
    )
    site.article("en", "one")
    done = site.run("build")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("content/articles/en/one.md: too loud. ")


def test_a_plugin_that_fails_to_load_stops_the_build(site: Site) -> None:
    site.settings(PLUGINS=["multilingual", "no_such_plugin"])
    site.article("en", "one")
    result = site.build()
    assert any("no_such_plugin" in text for text in texts(result))
    assert not site.output.exists()
