"""What an editor must know before publishing."""

import pytest
from multilingual.check import _OWN_MESSAGES, check_messages
from multilingual.errors import Problem

from tests.multilingual.sites import Site, texts

TERMS = """\
topics:
  war: {name: {en: War, fa: جنگ, zh-Hans: 战争}}
  asylum: {name: {en: Asylum}}
"""


@pytest.fixture
def whole(site: Site) -> Site:
    """A site that check finds nothing to mend in."""
    site.article("en", "one", Summary="A summary.")
    site.translation("fa", "one", "en", Summary="خلاصه")
    assert texts(site.check()) == []
    return site


def test_check_writes_nothing_and_finds_nothing_in_a_whole_site(whole: Site) -> None:
    assert not whole.output.exists()
    assert not (whole.content / "addresses.txt").exists()
    done = whole.run("check", "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing to mend in ")


def test_what_stops_a_build_stops_check(whole: Site) -> None:
    whole.article("en", "two", Date="soon")
    done = whole.run("check")
    assert done.returncode == 1
    assert done.stderr.startswith("content/articles/en/two.md:2: 'date' is not a date: 'soon'. ")
    assert done.stdout == "1 problem, 0 warnings.\n"


def test_a_summary_that_is_missing_is_a_warning(whole: Site) -> None:
    whole.article("en", "two")
    done = whole.run("check")
    assert done.returncode == 0
    assert done.stderr == "warning: content/articles/en/two.md: no summary. State `Summary:`.\n"
    assert whole.run("check", "--strict").returncode == 1


def test_texts_without_translation_are_named(whole: Site) -> None:
    theme = whole.folder / "theme"
    (theme / "templates").mkdir(parents=True)
    (theme / "messages").mkdir()
    for name in ("article", "page", "index", "archives"):
        (theme / "templates" / f"{name}.html").write_text(
            '{{ gettext("Home") }}{{ gettext("Archive") }}{{ message_in("fa", "Other") }}'
            "{% trans num=2 %}{{ num }} day{% pluralize %}{{ num }} days{% endtrans %}",
            "utf-8",
        )
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    whole_text = head + "".join(f'msgid "{t}"\nmsgstr "{t}"\n\n' for t in ("Home", "Archive", "Other", *_OWN_MESSAGES))
    plural = 'msgid "%(num)s day"\nmsgid_plural "%(num)s days"\nmsgstr[0] "%(num)s"\nmsgstr[1] "%(num)s"\n'
    (theme / "messages" / "en.po").write_text(whole_text + plural, "utf-8")
    (theme / "messages" / "fa.po").write_text(whole_text.replace('"Home"\nmsgstr "Home"', '"Home"\nmsgstr ""'), "utf-8")
    whole.settings(
        THEME=str(theme), MULTILINGUAL_CHOOSER=False, MULTILINGUAL_NEUTRAL=False, MULTILINGUAL_NOT_FOUND=False,
        MULTILINGUAL_LANGUAGES={"en": {}, "fa": {}, "tr": {}},
    )  # fmt: skip
    warnings = [problem for problem in whole.check().problems if problem.warning]
    assert [(p.file, p.what) for p in warnings if p.file.endswith("fa.po")] == [
        ("theme/messages/fa.po", "no text for '%(num)s day'"), ("theme/messages/fa.po", "no text for 'Home'"),
    ]  # fmt: skip
    assert not [p for p in warnings if p.file.endswith("en.po")]
    (begun,) = (p.what for p in warnings if p.file.endswith("tr.po"))
    assert begun == "no text for 6 of 6 messages, such as '%(num)s day'"


def test_our_theme_is_translated_into_all_languages_of_the_site(whole: Site) -> None:
    tags = ("en", "ru", "uk", "es", "fr", "ar", "fa", "zh-Hans")
    whole.settings(MULTILINGUAL_LANGUAGES={tag: {} for tag in tags})
    result = whole.build_whole()
    assert result.site is not None
    assert list(map(str, check_messages(result.site))) == []


def test_names_that_are_missing_are_named(whole: Site) -> None:
    whole.settings(MULTILINGUAL_TERMS="terms.yaml")
    whole.write("terms.yaml", TERMS)
    assert whole.check().problems == [
        Problem("content/terms.yaml", 0, f"topics.asylum has no name in {tag}", "Add it.", warning=True)
        for tag in ("fa", "zh-Hans")
    ]


# What other plugins find

LOOKING = """
from pathlib import Path
from pelican.plugins import signals

def look(generator):
    if __name__ not in generator.settings["PLUGINS"]:  # receivers outlive their site
        return
    report, path = generator.context["report_problem"], Path(generator.settings["PATH"])
    for article in generator.articles:
        if "remark" in article.metadata:
            report(article, "a remark", "Remove it.", field="remark", warning=article.metadata["remark"] == "soft")

    def check(output, *, production):
        if (path / "one.flag").exists():
            report(path / "one.flag", f"a flag and {len(list(output.rglob('*.html')))} pages", "Take it down.")
        if production:
            report("PUBLISHED", "not yet", "Wait.", warning=True)

    generator.context["CHECKS"].append(check)

def register():
    signals.article_generator_finalized.connect(look)
"""


@pytest.fixture
def looked_at(whole: Site) -> Site:
    whole.settings(PLUGINS=["multilingual", "looking"], PLUGIN_PATHS=[*whole.configuration["PLUGIN_PATHS"], "."])
    (whole.folder / "looking.py").write_text(LOOKING, "utf-8")
    return whole


def test_another_plugin_can_stop_a_build(looked_at: Site) -> None:
    looked_at.article("en", "two", Summary="A summary.", Remark="hard")
    (problem,) = looked_at.build().errors
    assert (problem.file, problem.line, problem.what) == ("content/articles/en/two.md", 4, "a remark")
    assert not looked_at.output.exists() or not looked_at.pages()


def test_another_plugin_can_warn_without_stopping_or_leaving_out(looked_at: Site) -> None:
    looked_at.article("en", "two", Summary="A summary.", Remark="soft")
    result = looked_at.build(without_broken=True)
    assert [problem.what for problem in result.problems] == ["a remark"]
    assert not result.errors
    assert not result.left_out
    assert looked_at.has("en/two/")


def test_another_plugin_looks_at_what_was_written(looked_at: Site) -> None:
    assert not looked_at.check().problems
    looked_at.write("one.flag", "up")
    (problem,) = looked_at.check().problems
    assert problem.file == "content/one.flag"
    assert problem.what.startswith("a flag and ")
    assert "and 0 pages" not in problem.what
    (looked_at.content / "one.flag").unlink()
    assert [problem.file for problem in looked_at.check(production=True).problems] == ["PUBLISHED"]


# Addresses that were once published


def test_addresses_are_recorded_for_publishing_only(whole: Site) -> None:
    whole.check(production=True)
    lines = (whole.content / "addresses.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["/en/one/", "/fa/one/", "/k/one/"]
    before = (whole.content / "addresses.txt").read_bytes()
    whole.check(production=True)
    assert (whole.content / "addresses.txt").read_bytes() == before
    whole.article("en", "two", Summary="A summary.")
    whole.check()
    assert (whole.content / "addresses.txt").read_bytes() == before
    whole.check(production=True)
    assert (whole.content / "addresses.txt").read_bytes() == before + b"/en/two/\n/k/two/\n"


def test_addresses_are_recorded_only_when_nothing_is_wrong(looked_at: Site) -> None:
    looked_at.write("one.flag", "up")
    looked_at.check(production=True)
    assert not (looked_at.content / "addresses.txt").exists()


def test_a_published_address_cannot_get_lost(whole: Site) -> None:
    whole.check(production=True)
    (whole.content / "articles/fa/one.md").unlink()
    (problem,) = whole.check().errors
    assert (problem.file, problem.line, problem.what) == (
        "content/addresses.txt",
        4,
        "/fa/one/ was published and is gone",
    )
    assert "./blog withdraw" in problem.remedy
    assert "/fa/one/" in (whole.content / "addresses.txt").read_text("utf-8")


@pytest.mark.parametrize("how", ["slug", "key", "file", "withdraw", "hidden"])
def test_an_address_that_leads_on_is_not_lost(whole: Site, how: str) -> None:
    whole.check(production=True)
    match how:
        case "slug":
            whole.translation("fa", "one", "en", Summary="خلاصه", Slug="یک", Former_slugs="one")
        case "key":
            assert whole.run("rename", "one", "two").returncode == 0
        case "file":
            whole.settings(MULTILINGUAL_REDIRECTS="redirects.txt")
            whole.write("redirects.txt", "/fa/one/ /en/one/  # not translated any more\n")
            (whole.content / "articles/fa/one.md").unlink()
        case "withdraw":
            assert whole.run("withdraw", "one").returncode == 0
        case "hidden":
            whole.translation("fa", "one", "en", Status="hidden")
    assert texts(whole.check()) == []


def test_an_address_whose_article_becomes_a_draft_is_lost(whole: Site) -> None:
    whole.check(production=True)
    whole.translation("fa", "one", "en", Status="draft")
    assert [problem.what for problem in whole.check().errors] == ["/fa/one/ was published and is gone"]


def test_unicode_addresses_are_recorded_as_they_are(whole: Site) -> None:
    whole.translation("fa", "one", "en", Summary="خلاصه", Slug="یک")
    whole.check(production=True)
    assert "/fa/یک/\n" in (whole.content / "addresses.txt").read_text("utf-8")
    assert texts(whole.check()) == []


# Links between pages that were written


def test_a_dead_fragment_is_told(whole: Site) -> None:
    whole.article("en", "two", "[a](#here) [b]({filename}one.md#nowhere)\n\n<p id='here'>x</p>", Summary="A summary.")
    (problem,) = whole.check().problems
    assert problem.file == "/en/two/"
    assert problem.what.endswith("one/#nowhere names a place that is not on that page")


def test_a_note_that_nothing_calls_is_told_in_its_file(whole: Site) -> None:
    whole.settings(MARKDOWN={"extension_configs": {"markdown.extensions.footnotes": {}}})
    whole.article("en", "two", "Text.[^a]\n\n[^a]: One.\n[^b]: Two.", Summary="A summary.")
    (problem,) = whole.check().problems
    assert (problem.file, problem.what) == ("content/articles/en/two.md", "nothing calls the note [^b]")


def test_a_fragment_may_be_in_any_script_and_encoding(whole: Site) -> None:
    whole.article("fa", "two", "[a](#%D8%A8%D8%AE%D8%B4) [b](#بخش) [c](#)\n\n<p id='بخش'>x</p>", Summary="خلاصه")
    assert texts(whole.check()) == []


@pytest.mark.parametrize(
    "written",
    [
        "<a href='../nowhere/'>x</a>",
        "![x](missing.png)",
        "[x](/nowhere/)",
        "[x](https://site.example/nowhere/)",
        "[x](../../no%20where/)",
    ],
)
def test_a_dead_link_between_pages_is_told(whole: Site, written: str) -> None:
    whole.article("en", "two", written, Summary="A summary.")
    found = whole.check().errors
    assert {problem.file for problem in found} == {"/en/two/"}
    assert all("leads to nothing" in problem.what for problem in found)


@pytest.mark.parametrize(
    "written",
    [
        "[x](https://elsewhere.example/nowhere/)",
        "<a href='mailto:a@site.example'>x</a>",
        "[x](../one/)",
        "[x](/en/one/)",
        "[x](?a=b)",
        "[x](tel:1)",
    ],
)
def test_other_links_are_nobody_s_business(whole: Site, written: str) -> None:
    whole.article("en", "two", written, Summary="A summary.")
    assert texts(whole.check()) == []


def test_a_drafts_links_are_looked_at_when_it_is_published(whole: Site) -> None:
    whole.article("en", "two", "[x](/nowhere/)", Summary="A summary.", Status="draft")
    assert whole.check().errors == []
    whole.article("en", "two", "[x](/nowhere/)", Summary="A summary.")
    assert len(whole.check().errors) == 1
