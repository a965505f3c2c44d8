"""The plugin's settings: typos are named, and the README tells them all."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from translators.errors import ConfigurationError
from translators.settings import PREFIX, Configuration, read_configuration

README = Path(__file__).resolve().parents[2] / "plugins" / "translators" / "README.md"


def test_settings_are_read() -> None:
    assert read_configuration({"SITENAME": "x"}) == Configuration()
    stated = {"TRANSLATORS_FIELDS": ["Image_alt"], "TRANSLATORS_GLOSSARY": ""}
    assert read_configuration(stated) == Configuration(("image_alt",), "")


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("TRANSLATORS_FEILDS", (), "Did you mean 'TRANSLATORS_FIELDS'"),
        ("TRANSLATORS_FIELDS", "image_alt", "use a list of fields"),
        ("TRANSLATORS_FIELDS", [1], "use a list of fields"),
        ("TRANSLATORS_GLOSSARY", None, "use a path"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: object, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        read_configuration({name: value})
    assert str(caught.value).startswith(f"{name} = ")


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| `(.+?)` \|", README.read_text("utf-8"), re.MULTILINE))
    assert {name: ast.literal_eval(value) for name, value in rows.items()} == {
        PREFIX + field.name.upper(): field.default for field in fields(Configuration)
    }
