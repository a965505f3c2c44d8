"""What an article says of itself: its names, its days, its title, who wrote it, and whether it is to be mailed.

An article is Pelican's object, as a multilingual site or a plain one has it. What only the former knows (translator,
corrections, source article) is left out where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date
from html import unescape
from typing import Any, Literal

from .markup import absolute, parse
from .plain import balanced, one_line, plain, shorten

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
    words = {str(getattr(one, "newsletter", "")).strip().lower() for one in (article, source_of(article))} - {""}
    if unknown := words - {"yes", "no"}:
        raise ValueError(min(unknown))
    return "no" if "no" in words else "yes" if words else ""


def names_of(article: Any) -> list[str]:
    """What an article is and was called, its oldest name first: by that it is known to services, whatever it is now."""
    stated: list[str] = []
    for one in filter(None, (source_of(article), article)):
        former = getattr(one, "former_keys", None) or ()
        parts = former.replace(";", ",").split(",") if isinstance(former, str) else former
        stated += [str(part).strip() for part in parts]
    return list(dict.fromkeys(filter(None, (*stated, str(getattr(article, "translation_key", None) or article.slug)))))


def source_of(article: Any) -> Any:
    """The article that one was translated from, None for a source article."""
    source = getattr(article, "source", None)
    return source if source is not article and hasattr(source, "lang") else None


def translated_of(article: Any) -> date | None:
    """The day on which a translation was made, None where none is stated."""
    stated = getattr(article, "translated", None)
    return stated if isinstance(stated, date) else None


def day_of(article: Any) -> date:
    """The day that is compared with NEWSLETTER_SINCE."""
    return as_day(translated_of(article) or article.date)


def as_day(moment: date) -> date:
    """A moment's day, as it is written."""
    return date(moment.year, moment.month, moment.day)


def retraction_of(article: Any) -> Any:
    """The retraction, with its `date` and `text`; None where there is none."""
    return getattr(article, "retraction", None)


def corrections_of(article: Any) -> list[Any]:
    """The corrections, each with its `date` and `text`."""
    return list(getattr(article, "corrections", None) or ())


class Said:
    """What an article says of itself, as plain text in its language."""

    def __init__(self, article: Any, voice: Voice, siteurl: str) -> None:
        self.article = article
        self.lang = str(article.lang)
        self._voice = voice
        self.publication = line_of(article.settings["SITENAME"])
        self.title = shorten(line_of(article.title), LONGEST_TITLE)
        stated = "summary" in article.metadata
        self.summary = balanced(plain(parse(article.get_summary(siteurl)))) if stated else ""
        self.url = absolute(f"{siteurl}/", str(article.url))
        self._home = absolute(f"{siteurl}/", str(article.settings.get("INDEX_URL", ""))) or f"{siteurl}/"
        digest = getattr(article, "content_digest", "")
        self.pages: tuple[tuple[str, str], ...] = ((self.url, digest),) if digest else ()

    def say(self, message: str, **variables: str) -> str:
        """A text of the letter's own, in the article's language."""
        return self._voice.say(self.lang, message, **variables)

    def day(self, day: date) -> str:
        """A day as its language writes it."""
        return self._voice.day(day, self.lang)

    def number(self, number: int) -> str:
        """A number in its language's digits."""
        return self._voice.number(number, self.lang)

    def of_site(self, title: str) -> Said:
        """The same of the site in this language."""
        said = copy(self)
        said.title, said.summary, said.url = title, "", self._home
        return said


def language_name(source: Any, article: Any) -> str:
    """The name of a language in the article's, by CLDR; its own name where CLDR has none."""
    names = article.language.locale.languages
    tag = str(source.lang)
    return str(names.get(tag.replace("-", "_")) or names.get(source.language.locale.language) or source.language.name)


def comma_in(lang: str) -> str:
    """What stands between names."""
    return _COMMAS.get(lang.partition("-")[0], ", ")


def line_of(text: Any) -> str:
    """A title or a name as plain text, on one line, that turns nothing behind it."""
    said = str(text)
    return balanced(plain(parse(said)) if "<" in said and ">" in said else one_line(unescape(said)))
