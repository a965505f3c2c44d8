"""Settings: what is wrong is told, what there is, is documented."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from citations.errors import ConfigurationError
from citations.settings import PREFIX, Configuration, read_configuration

from tests.multilingual.foreign import make_foreign_site, tree
from tests.multilingual.sites import ROOT, Site


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"CITATIONS_ORGANIZATIONS": ()}, "Did you mean 'CITATIONS_ORGANISATIONS'"),
        ({"CITATIONS_ORGANISATIONS": "desk"}, "list of authors' keys"),
        ({"CITATIONS_ORGANISATIONS": [1]}, "list of authors' keys"),
        ({"CITATIONS_LOGO": None}, "use a path"),
        ({"CITATIONS_ACCESS_DATES": 1}, "True or False"),
    ],
)
def test_a_wrong_setting_is_told(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_configuration(stated)
    assert caught.value.remedy
    assert caught.value.setting in str(caught.value)


def test_a_wrong_setting_stops_the_build_with_one_line(site: Site) -> None:
    site.settings(CITATIONS_LOGOS="x")
    done = site.run("build")
    assert done.returncode != 0
    assert "CITATIONS_LOGOS = 'x': unknown setting. Did you mean 'CITATIONS_LOGO'?" in done.stderr


def test_every_setting_is_documented_with_its_default() -> None:
    readme = (ROOT / "plugins" / "citations" / "README.md").read_text("utf-8")
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| `(.+?)` \|", readme, re.MULTILINE))
    defaults = {PREFIX + field.name.upper(): field.default for field in fields(Configuration)}
    assert {name: ast.literal_eval(value) for name, value in rows.items()} == defaults


def test_it_adds_its_files_and_changes_no_other(tmp_path: Path) -> None:
    """With Pelican's own theme, which asks for nothing."""
    site = make_foreign_site(tmp_path, PLUGINS=["citations"])
    assert site.run_pelican("-s", "pelicanconf.py").returncode == 0
    with_it = tree(site.output)
    site.settings(PLUGINS=[])
    assert site.run_pelican("-s", "pelicanconf.py", "-d").returncode == 0
    without = tree(site.output)
    added = set(with_it) - set(without)
    assert added
    assert all(name.endswith((".bib", ".ris")) for name in added)
    assert {name: with_it[name] for name in without} == without


def test_a_site_built_after_another_without_it_has_none(site: Site, tmp_path: Path) -> None:
    """Receivers stay connected as long as the process lasts; they serve only the sites that name the plugin."""
    site.article("en", "one")
    site.build_whole()
    assert site.has("en/one/cite.bib")
    other = Site(tmp_path / "other")
    other.article("en", "one")
    other.build_whole()
    assert not other.has("en/one/cite.bib")
