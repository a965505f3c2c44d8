"""The theme's texts: found by negotiation, with plural forms, checked before they are used."""

from pathlib import Path

import pytest
from multilingual.catalogues import Catalogues

from tests.multilingual.sites import Site, texts

HEAD = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: {forms}\\n"

"""
TWO = "nplurals=2; plural=(n != 1);"
RUSSIAN = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
ARABIC = (
    "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);"
)


def catalogue(*messages: str, forms: str = TWO) -> str:
    return HEAD.format(forms=forms) + "\n\n".join(messages) + "\n"


def message(msgid: str, msgstr: str) -> str:
    return f'msgid "{msgid}"\nmsgstr "{msgstr}"'


def counted(singular: str, plural: str, *forms: str) -> str:
    lines = [f'msgstr[{n}] "{form}"' for n, form in enumerate(forms)]
    return "\n".join([f'msgid "{singular}"', f'msgid_plural "{plural}"', *lines])


def read(folder: Path, **files: str) -> Catalogues:
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.po").write_text(text, "utf-8")
    return Catalogues([folder], folder)


def test_a_language_takes_the_nearest_catalogue(tmp_path: Path) -> None:
    catalogues = read(
        tmp_path,
        zh=catalogue(message("Home", "zh")),
        zh_hans=catalogue(message("Home", "zh-Hans")),
        pt_br=catalogue(message("Home", "pt-BR")),
    )
    found = {tag: catalogues.find(tag).gettext("Home") for tag in ("zh-Hans-SG", "zh-Hans", "zh-Hant", "pt-BR", "pt")}
    assert found == {"zh-Hans-SG": "zh-Hans", "zh-Hans": "zh-Hans", "zh-Hant": "zh", "pt-BR": "pt-BR", "pt": "Home"}


def test_the_first_folder_wins_message_by_message(tmp_path: Path) -> None:
    for name, text in (
        ("site", catalogue(message("Home", "ours"))),
        ("theme", catalogue(message("Home", "theirs"), message("Back", "zurück"))),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "de.po").write_text(text, "utf-8")
    found = Catalogues([tmp_path / "site", tmp_path / "theme"], tmp_path).find("de")
    assert (found.gettext("Home"), found.gettext("Back"), found.gettext("Other")) == ("ours", "zurück", "Other")


@pytest.mark.parametrize(
    ("tag", "forms", "written", "expected"),
    [
        (
            "ru", RUSSIAN, ("%(num)s язык", "%(num)s языка", "%(num)s языков"),
            {1: "1 язык", 2: "2 языка", 5: "5 языков", 11: "11 языков", 21: "21 язык", 102: "102 языка"},
        ),
        (
            "ar", ARABIC, ("لا لغات", "لغة", "لغتان", "%(num)s لغات", "%(num)s لغةً", "%(num)s لغة"),
            {0: "لا لغات", 1: "لغة", 2: "لغتان", 3: "3 لغات", 11: "11 لغةً", 100: "100 لغة"},
        ),
        ("zh-Hans", "nplurals=1; plural=0;", ("%(num)s 种语言",), {1: "1 种语言", 2: "2 种语言"}),
        ("fa", "nplurals=2; plural=(n > 1);", ("%(num)s زبان", "%(num)s زبان‌ها"), {1: "1 زبان", 2: "2 زبان‌ها"}),
    ],
)  # fmt: skip
def test_plural_forms(tmp_path: Path, tag: str, forms: str, written: tuple[str, ...], expected: dict[int, str]) -> None:
    text = catalogue(counted("%(num)s language", "%(num)s languages", *written), forms=forms)
    (tmp_path / f"{tag}.po").write_text(text, "utf-8")
    catalogues = Catalogues([tmp_path], tmp_path)
    assert catalogues.problems == []
    found = catalogues.find(tag)
    said = {n: found.ngettext("%(num)s language", "%(num)s languages", n) % {"num": n} for n in expected}
    assert said == expected


def test_pages_count_with_the_forms_of_their_language(site: Site) -> None:
    site.settings(
        MULTILINGUAL_LANGUAGES={tag: {} for tag in ("en", "ru", "fa", "es", "de")}, MULTILINGUAL_MESSAGES=["messages"]
    )
    site.write(
        "../messages/ru.po",
        catalogue(
            counted("%(num)s language", "%(num)s languages", "%(num)s A", "%(num)s B", "%(num)s C"), forms=RUSSIAN
        ),
    )
    for number in (2, 5):
        site.article("en", f"in-{number}")
        for tag in ("ru", "fa", "es", "de")[: number - 1]:
            site.translation(tag, f"in-{number}", "en")
    site.build_whole()
    shown = site.html("ru/").text_content()
    assert "2 B" in shown
    assert "5 C" in shown
    assert "2 languages" in site.html("en/").text_content()


def test_a_fuzzy_text_is_not_used(tmp_path: Path) -> None:
    catalogues = read(tmp_path, de=catalogue("#, fuzzy\n" + message("Home", "Heim"), message("Back", "Zurück")))
    assert catalogues.find("de").gettext("Home") == "Home"
    assert catalogues.missing("de", ["Home", "Back", "Other"]) == ["Home", "Other"]


def test_a_plural_without_texts_is_that_of_the_template(tmp_path: Path) -> None:
    begun = catalogue(counted("%(num)s day", "%(num)s days", ""), forms="nplurals=1; plural=0;")
    catalogues = read(tmp_path, tr=begun)
    assert [catalogues.find("tr").ngettext("%(num)s day", "%(num)s days", n) for n in (1, 2)] == [
        "%(num)s day",
        "%(num)s days",
    ]
    assert catalogues.missing("tr", ["%(num)s day"]) == ["%(num)s day"]


def test_an_unfinished_plural_is_missing(tmp_path: Path) -> None:
    text = catalogue(counted("%(num)s day", "%(num)s days", "%(num)s Tag", ""))
    assert read(tmp_path, de=text).missing("de", ["%(num)s day"]) == ["%(num)s day"]


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (message("By %(names)s", "Von %(name)s"), "the placeholders of 'Von %(name)s' are broken"),
        (message("By %(names)s", "Von %(names)"), "the placeholders of 'Von %(names)' are broken"),
        (message("By %(names)s", "Von %(names)s %s"), "the placeholders of 'Von %(names)s %s' are broken"),
        (message("By %(names)s", "Von"), "'Von' has lost %(names)s"),
        (message("Half", "50 %"), "the placeholders of '50 %' are broken"),
        (
            counted("%(num)s day", "%(num)s days", "ein Tag", "%(n)s Tage"),
            "the placeholders of '%(n)s Tage' are broken",
        ),
        (
            counted("%(num)s day of %(all)s", "%(num)s days of %(all)s", "ein Tag", "%(num)s von %(all)s"),
            "'ein Tag' has lost %(all)s",
        ),
    ],
)
def test_broken_placeholders_are_told(tmp_path: Path, broken: str, what: str) -> None:
    catalogues = read(tmp_path, de=catalogue(message("Home", "Heim"), broken))
    (problem,) = catalogues.problems
    assert problem.what.startswith(what)
    assert (problem.file, problem.line) == ("de.po", 9)
    assert problem.remedy.startswith("Write the placeholders as in ")


def test_a_count_may_be_left_out_where_the_form_says_it(tmp_path: Path) -> None:
    text = catalogue(counted("%(num)s day", "%(num)s days", "ein Tag", "%(num)s Tage"))
    assert read(tmp_path, de=text).problems == []


@pytest.mark.parametrize("header", ["", '"Language: hak\\n"\n', '"Language: en\\n"\n'])
def test_the_file_s_name_says_the_language(tmp_path: Path, header: str) -> None:
    text = catalogue(counted("%(num)s day", "%(num)s days", "A", "B", "C"), forms=RUSSIAN)
    found = read(tmp_path, ru=text.replace('msgstr ""\n', f'msgstr ""\n{header}', 1)).find("ru")
    assert [found.ngettext("%(num)s day", "%(num)s days", n) for n in (1, 2, 5)] == ["A", "B", "C"]


def test_a_plural_that_lacks_forms_is_missing(tmp_path: Path) -> None:
    text = catalogue(counted("%(num)s day", "%(num)s days", "A", "B"), forms=RUSSIAN)
    assert read(tmp_path, ru=text).missing("ru", ["%(num)s day"]) == ["%(num)s day"]


def test_a_plural_rule_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, ru=catalogue(message("Home", "x"), forms="nplurals=2; plural=(n is 1);")).problems
    assert problem.file == "ru.po"
    assert problem.remedy == "Mend the catalogue's header."


def test_bad_catalogues_are_told_in_one_run(site: Site) -> None:
    site.article("en", "one")
    site.settings(MULTILINGUAL_MESSAGES=["messages"])
    site.write("../messages/fa.po", catalogue(message("By %(names)s", "%(name)s")))
    site.write("../messages/zh-Hans.po", 'msgid "Home"\nmsgstr "unfinished\n')
    site.write("../messages/en.po", catalogue(message("Home", "Accueil é")).encode("latin-1"))
    site.write("../messages/farsi.po", catalogue())
    said = texts(site.build())
    assert [text.partition(": ")[0] for text in said] == [
        "messages/en.po", "messages/fa.po:6", "messages/farsi.po", "messages/zh-Hans.po:2",
    ]  # fmt: skip
    assert "UTF-8" in said[0]
    assert said[2].endswith("Name a catalogue by its language, e.g. fa.po.")
    assert not site.output.exists()


def test_a_folder_of_messages_that_is_missing_is_told(site: Site) -> None:
    site.article("en", "one")
    site.settings(MULTILINGUAL_MESSAGES=["mesages"])
    assert texts(site.build()) == [
        "mesages: the folder of messages is missing. Correct MULTILINGUAL_MESSAGES.",
    ]


def test_the_theme_s_own_catalogues_are_whole(site: Site) -> None:
    folder = Path(site.configuration["THEME"], "messages")
    assert Catalogues([folder], folder).problems == []
