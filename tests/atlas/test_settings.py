"""The settings, and that the README has them all."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from atlas.errors import ConfigurationError
from atlas.settings import PREFIX, Configuration, read_configuration

from tests.atlas.sites import make_site
from tests.multilingual.sites import ROOT


def test_the_readme_has_every_setting_with_its_default() -> None:
    readme = (ROOT / "plugins" / "atlas" / "README.md").read_text("utf-8")
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| `(.+?)` \|", readme, re.MULTILINE))
    defaults = {PREFIX + field.name.upper(): field.default for field in fields(Configuration)}
    assert {name: ast.literal_eval(default) for name, default in rows.items()} == defaults


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ATLAS_FIEL": "atlas.yaml"}, "ATLAS_FIEL = 'atlas.yaml': unknown setting. Did you mean 'ATLAS_FILE'?"),
        ({"ATLAS_FILE": 3}, 'ATLAS_FILE = 3: use a path, or "" for none'),
        ({"ATLAS_FILE": None}, 'ATLAS_FILE = None: use a path, or "" for none'),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(settings)
    assert str(caught.value) == said
    assert caught.value.remedy


def test_a_wrong_setting_ends_the_build(tmp_path: Path) -> None:
    site = make_site(tmp_path, ATLAS_FILES="atlas.yaml")
    with pytest.raises(ValueError, match=r"ATLAS_FILES.*Did you mean 'ATLAS_FILE'"):
        site.build()
