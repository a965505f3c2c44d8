"""The editor's dashboard: every text in every language by its state, and what there is to do in each language.

Static pages that need no script, in a folder of their own: they name texts that nobody may see yet, so they are kept
out of the site's output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from .content import Inventory, Language
from .errors import ConfigurationError
from .messages import TEMPLATES
from .repository import Repository
from .states import STATES, Group, State, Survey, Translation, age, in_order


@dataclass(frozen=True, slots=True)
class Row:
    """A translation to be made or mended: how old its state is in days, what comes next, and where."""

    group: Group
    one: Translation
    days: int | None
    commands: tuple[str, ...]
    address: str

    @property
    def changes(self) -> Counter[str]:
        """How many blocks of the source were changed, added, removed, moved."""
        return Counter(change.op for change in self.one.changes)


def write_dashboard(
    survey: Survey, folder: Path, language: Language, today: date, repository: Repository | None
) -> Path:
    """Write the dashboard in an editor's language; its first page. Raises ConfigurationError for the site's folders."""
    _refuse_published(survey.inventory, folder)
    environment = _open_templates(survey.inventory, language)
    urgent = in_order(survey.groups)
    later = {id(group) for group in urgent}
    shared = {
        "ui": language,
        "languages": {one.tag: one for one in survey.inventory.languages},
        "states": STATES,
        "today": today,
        "counts": {one.tag: _count(survey, one.tag) for one in survey.inventory.languages},
        "words": {
            one.tag: sum(found.words for found in _translations(survey, one.tag)) for one in survey.inventory.languages
        },
    }
    groups = [*urgent, *(group for group in survey.groups if id(group) not in later)]
    folder.mkdir(parents=True, exist_ok=True)
    _write(environment, folder / "index.html", "matrix", shared | {"groups": groups, "problems": survey.problems})
    for one in survey.inventory.languages:
        rows = list(_rows(survey, one.tag, today, repository))
        _write(environment, folder / f"{one.tag}.html", "to_do", shared | {"rows": rows, "target": one})
    return folder / "index.html"


def _rows(survey: Survey, lang: str, today: date, repository: Repository | None) -> Iterator[Row]:
    for group in in_order(survey.groups, lang):
        one = group.translations[lang]
        address = repository.address_for(one) if repository else ""
        yield Row(group, one, age(one, today), tuple(_commands(one)), address)


def _commands(one: Translation) -> Iterator[str]:
    about = f"{one.key} {one.lang}"
    if one.state == "missing":
        yield from (f"./blog translate {about}", f"./blog kit {about}")
    elif one.state == "claimed":
        yield f"./blog translate {about} --release"
    elif one.state == "outdated":
        yield from (f"./blog diff {about}", f"./blog kit {about}", f"./blog accept {about}")
    elif one.state == "unrecorded":
        yield f"./blog accept {about}"


def _translations(survey: Survey, lang: str) -> Sequence[Translation]:
    return [one for group in survey.groups if (one := group.translations.get(lang))]


def _count(survey: Survey, lang: str) -> Counter[State]:
    return Counter(one.state for one in _translations(survey, lang))


def _refuse_published(inventory: Inventory, folder: Path) -> None:
    for name in ("OUTPUT_PATH", "PATH", "THEME"):
        taken = Path(inventory.settings[name]).resolve()
        if folder.resolve().is_relative_to(taken) or taken.is_relative_to(folder.resolve()):
            remedy = f"what is in {name} may be published, and this must not; choose a folder of its own"
            raise ConfigurationError("TRANSLATORS_DASHBOARD", str(folder), remedy)


def _open_templates(inventory: Inventory, language: Language) -> Any:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "translators" / "dashboard"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(inventory.messages(language.tag), newstyle=True)  # type: ignore[attr-defined]
    return environment


def _write(environment: Any, path: Path, template: str, variables: dict[str, Any]) -> None:
    path.write_text(environment.get_template(f"{template}.html").render(variables), "utf-8", newline="\n")
