"""The shape of the house, read off the imports (design: the rooms)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()}
MODULES = sorted(path for path in (ROOT / "plugins").rglob("*.py") if "__pycache__" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, *, at_load: bool = False) -> Iterator[tuple[str, str]]:
    """The modules a file imports and what it takes from each; `at_load` leaves out those inside functions."""
    tree = ast.parse(path.read_text("utf-8"))
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)
        deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        if not (at_load and deferred):
            pending += ast.iter_child_nodes(node)


def roots(path: Path) -> set[str]:
    return {module.split(".")[0] for module, _ in imports(path) if not module.startswith(".")}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_plugins_know_neither_each_other_nor_the_mailroom(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    others = PLUGINS - {own}
    assert not roots(path) & (others | {"mailroom", "plugins", "tests", "pelicanconf", "publishconf"})


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_of_a_plugin_are_imported_relatively(path: Path) -> None:
    """So a plugin that is copied to another site, under whatever name, finds its own parts."""
    own = path.relative_to(ROOT / "plugins").parts[0]
    assert own not in roots(path)


def test_receivers_are_connected_in_one_place() -> None:
    """Only `plugin.py` joins a plugin to Pelican; everything else is code that is called."""
    connecting = {name(path) for path in MODULES if ".connect(" in path.read_text("utf-8") and takes_signals(path)}
    assert connecting <= {f"plugins/{plugin}/plugin.py" for plugin in PLUGINS} | {
        f"plugins/{plugin}/__init__.py" for plugin in PLUGINS
    }


def takes_signals(path: Path) -> bool:
    return any((module, what) == ("pelican.plugins", "signals") for module, what in imports(path)) or any(
        module in ("pelican.signals", "pelican.plugins.signals", "blinker") for module, _ in imports(path)
    )


def test_what_is_about_languages_and_texts_loads_no_pelican() -> None:
    plain = ("catalogues", "errors", "formats", "headers", "inventory", "languages", "placement")
    program = f"import sys; from multilingual import {', '.join(plain)}; print('pelican' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_plugins_write_nothing_through_a_writer_of_their_own(path: Path) -> None:
    """No plugin of ours returns a Writer: the first that does would shut the others out."""
    tree = ast.parse(path.read_text("utf-8"))
    bases = {ast.unparse(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    assert not {base for base in bases if base.split(".")[-1] == "Writer"}


def test_front_door_needs_only_the_standard_library() -> None:
    assert roots(ROOT / "blog") <= sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/**/commands.py")), ids=name)
def test_commands_answer_before_pelican_is_loaded(path: Path) -> None:
    if ".venv" in path.parts or "node_modules" in path.parts:
        return
    loaded = {module.split(".")[0] for module, _ in imports(path, at_load=True)}
    assert not loaded & {"pelican", "babel", "jinja2", "markdown", "requests"}
