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

#: Somebody is at work on these, so that they are not what comes next.
_IN_HAND = ("claimed", "draft")


@dataclass(frozen=True, slots=True)
class Row:
    """A translation to be made or mended: how old its state is in days, what comes next, and where.

    `commands` are steps, as the template names them, each with its command.
    """

    group: Group
    one: Translation
    days: int | None
    commands: tuple[tuple[str, str], ...]
    address: str

    @property
    def notes(self) -> list[tuple[str, date]]:
        """Corrections and retractions that it has not been brought into line with: which of the two, and its day."""
        return [(kind, date.fromisoformat(day)) for kind, day in map(str.split, self.one.notes)]


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
    following = {}
    for one in survey.inventory.languages:
        rows = list(_rows(survey, one.tag, today, repository))
        following[one.tag] = next((row.group for row in rows if row.one.state not in _IN_HAND), None)
        _write(environment, folder / f"{one.tag}.html", "to_do", shared | {"rows": rows, "target": one})
    whole = {"groups": groups, "problems": survey.problems, "next": following}
    _write(environment, folder / "index.html", "matrix", shared | whole)
    return folder / "index.html"


def _rows(survey: Survey, lang: str, today: date, repository: Repository | None) -> Iterator[Row]:
    for group in in_order(survey.groups, lang):
        one = group.translations[lang]
        address = repository.address_for(one) if repository and one.state != "claimed" else ""
        yield Row(group, one, age(one, today), tuple(_commands(one)), address)


#: What can be done about a translation in each state, first things first: commands, or options of `translate`.
_STEPS: dict[State, tuple[str, ...]] = {
    "missing": ("translate", "kit"),
    "claimed": ("release",),
    "draft": ("done",),
    "unrecorded": ("accept",),
    "outdated": ("diff", "kit", "accept"),
}
_OPTIONS = {"release": "--release", "done": "--done"}


def _commands(one: Translation) -> Iterator[tuple[str, str]]:
    for step in _STEPS[one.state]:
        option = _OPTIONS.get(step)
        command = f"translate {one.key} {one.lang} {option}" if option else f"{step} {one.key} {one.lang}"
        yield step, f"./blog {command}"


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
    environment.filters.update(inventory.filters(language.tag))
    environment.install_gettext_translations(inventory.messages(language.tag), newstyle=True)  # type: ignore[attr-defined]
    return environment


def _write(environment: Any, path: Path, template: str, variables: dict[str, Any]) -> None:
    path.write_text(environment.get_template(f"{template}.html").render(variables), "utf-8", newline="\n")
