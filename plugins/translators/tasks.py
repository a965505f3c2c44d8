"""What there is to translate, as a volunteer is asked for it on the site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .content import Text
from .repository import Repository
from .states import State, Survey, Translation, in_order

#: Gives the published content object of a text, None for one that readers do not see.
Find = Callable[[Text], Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A translation to make or to bring into line.

    `piece` is what is translated; `changes` is how many changes there were in it since, 0
    for one that was only corrected or retracted; `address` opens the code
    host's editor, "" where there is none.
    """

    piece: Any
    state: State
    words: int
    changes: int
    address: str


def list_tasks(survey: Survey, lang: str, find: Find, repository: Repository | None) -> Iterator[Task]:
    """What a language lacks or has as it was, the most important first.

    Only what readers can see already is asked for: to name a text under embargo would publish it. What somebody has
    claimed or begun is left to them.
    """
    for group in in_order(survey.groups, lang):
        one = group.translations[lang]
        piece = find(one.source) if _is_open(one) else None
        if piece is not None:
            address = repository.address_for(one) if repository else ""
            yield Task(piece, one.state, one.words, len(one.changes), address)


def _is_open(one: Translation) -> bool:
    return one.state in ("missing", "outdated") and one.claim is None
