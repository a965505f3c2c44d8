"""Finding the articles that share most with one, without looking at all of them one by one.

The articles of a language are numbered, the newest first. For each term an integer says by
its bits which articles have it, so that what shares two terms is one `&` away, for thousands
of articles at once, and the newest of a set is its lowest bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

#: The keys of an article's terms, one set for each attribute, the weightiest first.
Terms = tuple[frozenset[Hashable], ...]


class Index:
    """The articles of one language by their terms."""

    def __init__(self, articles: Iterable[Any], terms_of: Callable[[Any], Terms]) -> None:
        """Take the articles in the order in which those that share equally much are named."""
        self._articles = list(articles)
        self._numbers = {id(article): number for number, article in enumerate(self._articles)}
        self._terms_of = terms_of
        self._having: dict[tuple[int, Hashable], int] = {}
        for number, article in enumerate(self._articles):
            for which, keys in enumerate(terms_of(article)):
                for key in keys:
                    self._having[which, key] = self._having.get((which, key), 0) | 1 << number

    def related(self, article: Any) -> Iterator[Any]:
        """All articles that share a term, those first that share most of the weightiest."""
        number = self._numbers.get(id(article))
        others = (1 << len(self._articles)) - 1
        if number is not None:
            others &= ~(1 << number)
        levels = [
            self._by_shared([self._having.get((which, key), 0) for key in keys], others)
            for which, keys in enumerate(self._terms_of(article))
        ]
        yield from self._ranked(levels, others, shares=False)

    @staticmethod
    def _by_shared(having: list[int], others: int) -> list[int]:
        """Which articles have none, exactly one, exactly two, … of the terms."""
        exactly = [others]
        for one in having:
            exactly.append(0)
            for count in range(len(exactly) - 1, 0, -1):
                exactly[count] = exactly[count] & ~one | exactly[count - 1] & one
            exactly[0] &= ~one
        return exactly

    def _ranked(self, levels: list[list[int]], among: int, *, shares: bool) -> Iterator[Any]:
        """By the first attribute's number of shared terms, then the second's, then as numbered."""
        if not among:
            return
        if levels:
            for count, found in reversed(list(enumerate(levels[0]))):
                yield from self._ranked(levels[1:], among & found, shares=shares or count > 0)
        elif shares:
            while among:
                lowest = among & -among
                yield self._articles[lowest.bit_length() - 1]
                among ^= lowest


class Related(Sequence[Any]):
    """The related articles of one article, found when somebody first looks."""

    __slots__ = ("_find", "_found", "_limit")

    def __init__(self, find: Callable[[], Iterator[Any]], limit: int) -> None:
        self._find = find
        self._limit = limit
        self._found: list[Any] | None = None

    def _get(self) -> list[Any]:
        if self._found is None:
            self._found = list(islice(self._find(), self._limit))
        return self._found

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        return self._get()[index]

    def __len__(self) -> int:
        return len(self._get())
