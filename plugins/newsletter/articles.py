"""What an article says of itself: its names, its days, its title, who wrote it, and whether it is to be mailed.

An article is Pelican's object, as a multilingual site or a plain one has it. What only the former knows (translator,
corrections, source article) is left out where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

from .campaigns import Kind
from .markup import absolute, direction_of, parse
from .plain import balanced, isolated, line_of, plain, shorten

#: Characters of a title and of a subject, at most.
LONGEST_TITLE = 200
_COMMAS = {"ar": "، ", "fa": "، ", "ur": "، ", "ja": "、", "zh": "、"}


@dataclass(frozen=True, slots=True)
class Voice:
    """How a site speaks its languages: `say(lang, message, **variables)`, a day and a number as a language has them."""

    say: Callable[..., str] = lambda _, message, **variables: message % variables
    day: Callable[[date, str], str] = lambda day, _: day.isoformat()
    number: Callable[[int, str], str] = lambda number, _: str(number)


def wish_of(article: Any) -> Literal["yes", "no", ""]:
    """What `Newsletter:` says, in the article or in its source. Raises ValueError for another word than yes and no."""
    words = {str(getattr(one, "newsletter", "")).strip().lower() for one in (article, _source_of(article))} - {""}
    if unknown := words - {"yes", "no"}:
        raise ValueError(min(unknown))
    return "no" if "no" in words else "yes" if words else ""


def kind_of(article: Any) -> Kind | None:
    """What an article is mailed as, None when it is not."""
    try:
        wish = wish_of(article)
    except ValueError:  # it has been reported; until it is mended nobody is written to
        return None
    if wish == "no" or getattr(article, "withdrawal", None):
        return None
    return "post" if article.status == "published" else "notice" if wish and article.status == "hidden" else None


def _source_of(article: Any) -> Any:
    """The article that one was translated from, None for a source article."""
    source = getattr(article, "source", None)
    return source if source is not article and hasattr(source, "lang") else None


class Said:
    """What an article says of itself, in its language; names and titles as plain text on one line."""

    def __init__(self, article: Any, voice: Voice, siteurl: str) -> None:
        self._article = article
        self._voice = voice
        self._siteurl = siteurl
        self.lang = str(article.lang)
        self.direction = direction_of(self.lang)
        self.kind = kind_of(article)
        self.source = _source_of(article)
        self.published = date(article.date.year, article.date.month, article.date.day)
        stated = getattr(article, "translated", None)
        #: The day on which a translation was made, None where none is stated.
        self.translated = stated if isinstance(stated, date) else None
        #: The day that is compared with NEWSLETTER_SINCE.
        self.day = self.translated or self.published
        #: The retraction, or None, and the corrections, each with its `date` and `text`.
        self.retraction: Any = getattr(article, "retraction", None)
        self.corrections: list[Any] = list(getattr(article, "corrections", None) or ())
        #: Those of the source article that nobody has looked at here: the page may say still what was wrong.
        self.open_corrections: list[Any] = list(getattr(article, "open_corrections", None) or ())
        self.url = absolute(f"{siteurl}/", str(article.url))
        digest = getattr(article, "content_digest", "")
        self.pages: tuple[tuple[str, str], ...] = ((self.url, digest),) if digest else ()

    @cached_property
    def names(self) -> list[str]:
        """What it is and was called, its oldest name first: by that it is known to services, whatever it is now."""
        stated: list[str] = []
        for one in filter(None, (self.source, self._article)):
            former = getattr(one, "former_keys", None) or ()
            parts = former.replace(";", ",").split(",") if isinstance(former, str) else former
            stated += [str(part).strip() for part in parts]
        now = str(getattr(self._article, "translation_key", None) or self._article.slug)
        return list(dict.fromkeys(filter(None, (*stated, now))))

    @cached_property
    def title(self) -> str:
        """The title, which may have been too long for a subject."""
        return shorten(line_of(self._article.title), LONGEST_TITLE)

    @cached_property
    def summary(self) -> str:
        """The summary, "" where none is stated."""
        stated = "summary" in self._article.metadata
        return balanced(plain(parse(self._article.get_summary(self._siteurl)))) if stated else ""

    @property
    def html(self) -> str:
        """The text, whose links Pelican has resolved."""
        return str(self._article.get_content(self._siteurl))

    @property
    def publication(self) -> str:
        """The site's name."""
        return line_of(self._article.settings["SITENAME"])

    @property
    def authors(self) -> str:
        """The authors' names, "" without any."""
        names = [str(author.name) for author in getattr(self._article, "authors", None) or ()]
        return _COMMAS.get(self.lang.partition("-")[0], ", ").join(map(self.isolated, names))

    @property
    def translator(self) -> str:
        """The translator's name, "withheld", or "" where none is stated."""
        return self.isolated(str(getattr(self._article, "translator", None) or ""))

    @property
    def source_language(self) -> str:
        """The name of the language that it was translated from, by CLDR; its own name where CLDR has none."""
        made_from = getattr(self._article, "made_from", None) or self.source
        names, language = self._article.language.locale.languages, made_from.language
        tag = str(made_from.lang).replace("-", "_")
        return str(names.get(tag) or names.get(language.locale.language) or language.name)

    @property
    def picture(self) -> list[str]:
        """What is said of the picture that the page shows first: in its place, and under it."""
        if not getattr(self._article, "image", None):
            return ["", ""]
        alt, caption = (line_of(getattr(self._article, name, None) or "") for name in ("image_alt", "image_caption"))
        return ["" if alt in caption else alt, caption]

    def isolated(self, name: str) -> str:
        """A name within one of its sentences."""
        return isolated(line_of(name), self.direction)

    def say(self, message: str, **variables: str) -> str:
        """A text of the letter's own."""
        return str(self._voice.say(self.lang, message, **variables))

    def on(self, day: date) -> str:
        """A day as its language writes it."""
        return self._voice.day(day, self.lang)

    def number(self, number: int) -> str:
        """A number in its language's digits."""
        return self._voice.number(number, self.lang)

    def of_site(self, title: str, pages: tuple[tuple[str, str], ...]) -> Said:
        """The same of the site in this language, which has published these pages."""
        said = copy(self)
        said.title, said.summary, said.pages = title, "", pages
        home = str(self._article.settings.get("INDEX_URL", ""))
        said.url = absolute(f"{self._siteurl}/", home) or f"{self._siteurl}/"
        return said
