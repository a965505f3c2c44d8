"""Somebody else's site, with Pelican's own way with languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.multilingual.foreign import make_foreign_site, tree
from tests.multilingual.sites import Site

TABLE = "regions: {alps: {name: {en: Alps, fr: Alpes}, reports: [{countries: [CH], about: {en: Snow}}]}}\n"
ARTICLE = "{% for one in article.countries + article.regions %}[{{ one.name(article.lang) }}]{% endfor %}"


def build(site: Site, name: str) -> str:
    site.output = site.folder / name
    built = site.run_pelican("-o", str(site.output), COLUMNS="400")  # no message is broken into lines
    assert built.returncode == 0, built.stderr
    return built.stdout + built.stderr


@pytest.mark.parametrize("setting", [{}, {"ATLAS_FILE": ""}])
def test_without_a_table_nothing_changes(tmp_path: Path, setting: dict[str, str]) -> None:
    site = make_foreign_site(tmp_path)
    site.write("swiss.md", "Title: Swiss\nDate: 2026-01-02\nCountries: CH\n\nText.\n")
    build(site, "before")
    before = tree(site.output)
    site.settings(PLUGINS=["atlas"], **setting)
    assert "ERROR" not in build(site, "after")
    assert tree(site.output) == before


def test_articles_have_their_countries_without_multilingual(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["atlas"], ATLAS_FILE="atlas.yaml")
    site.write("atlas.yaml", TABLE)
    site.write("../show/article.html", ARTICLE)
    site.settings(THEME_TEMPLATES_OVERRIDES=[str(site.folder / "show")])
    site.write("swiss.md", "Title: Swiss\nSlug: swiss\nDate: 2026-01-02\nCountries: ch, FR\n\nText.\n")
    site.write("suisse.md", "Title: Suisse\nSlug: swiss\nLang: fr\nDate: 2026-01-02\nCountries: CH\n\nTexte.\n")
    said = build(site, "output")
    assert "ERROR" not in said
    assert site.text("swiss.html") == "[Switzerland][France][Alps][Elsewhere]"
    assert site.text("swiss-fr.html") == "[Suisse][Alpes]"
    assert site.text("soup.html") == ""


def test_what_is_wrong_is_logged_without_multilingual(tmp_path: Path) -> None:
    site = make_foreign_site(tmp_path, PLUGINS=["atlas"], ATLAS_FILE="atlas.yaml")
    site.write("atlas.yaml", TABLE + "names: {UK: {en: Britain}}\n")
    site.write("swiss.md", "Title: Swiss\nDate: 2026-01-02\nCountries: Switzerland\n\nText.\n")
    said = " ".join(build(site, "output").split())
    assert "content/atlas.yaml:2: names: 'UK' is no country's code. Did you mean 'GB' (United Kingdom)?" in said
    assert "swiss.md: Countries: 'Switzerland' is no country's code. Did you mean 'CH' (Switzerland)?" in said
