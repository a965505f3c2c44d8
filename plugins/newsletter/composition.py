"""Which articles become letters, and what the letters say.

An article is Pelican's object, as a multilingual site or a plain one has it: what only the former knows (translator,
corrections, source article) is left out where it is missing. The same content gives the same campaigns, byte for byte,
on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from html import unescape
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from . import look
from .campaigns import UNSUBSCRIBE, Campaign, Kind, make_key, make_post_id
from .markup import Element, Letter, absolute, hide_token, parse, parse_fragment, write, write_dressed
from .plain import balanced, directed, isolated, one_line, plain, shorten, standing_alone, write_plain
from .settings import Configuration

#: Octets of a document's HTML, at most: Gmail cuts off what is behind about 102 KB, and with it how to unsubscribe.
HTML_LIMIT = 90_000
#: What a service with a frame and styles of its own, such as the mailroom, may add to it: in all, to an element that
#: says its direction, and by element.
FRAME, TURNED = 5_000, 20
STYLES = {
    **dict.fromkeys(("h2", "h3", "h4"), 220),
    **dict.fromkeys(("caption", "code", "dd", "dl", "dt", "pre", "table", "td", "th"), 80),
}
#: Characters of an excerpt's HTML, and of its first block's where that is longer.
EXCERPT, FIRST_BLOCK = 4_000, 20_000
SUBJECT, PREHEADER = 200, 150
#: What letters say; in the article's language if the site has a catalogue with it, else in English.
MESSAGES = (
    "By %(names)s",
    "Corrected",
    "Correction: %(title)s",
    "New articles: %(first)s – %(last)s",
    "Published on %(date)s",
    "Read the whole article",
    "Read this on the website",
    "Retraction: %(title)s",
    "Sources",
    "The translator’s name is withheld",
    "Translated by %(name)s",
    "Translated from %(language)s",
    "Translated on %(date)s",
    "Unsubscribe",
    "We sent you this article. It has been corrected since.",
    "We sent you this article. It has been retracted since: do not rely on it.",
    "You receive the letters of %(publication)s because you subscribed to them.",
)
_COMMAS = {"ar": "، ", "fa": "، ", "ur": "، ", "ja": "、", "zh": "、"}
# Neither can be in a text: stand for what is put in when all the rest has been escaped.
_TOKEN, _PUBLICATION = "\x00", "\x01"


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


class Composer:
    """Makes the campaigns of a site whose pages stand at `siteurl`; `today` decides which weeks have ended."""

    def __init__(self, configuration: Configuration, siteurl: str, voice: Voice, today: date) -> None:
        self._configuration = configuration
        self._siteurl = siteurl.rstrip("/")
        self._voice = voice
        self._today = today

    def compose(self, articles: Iterable[Any]) -> Iterator[Campaign]:
        """All campaigns of these articles, published and hidden ones. Drafts are not among them."""
        mailed = [one for one in articles if self._kind(one) and _day(one) >= self._configuration.first_day]
        if self._configuration.digest:
            yield from self._digests(one for one in mailed if self._kind(one) == "post")
        for article in mailed:
            if not _retraction(article) and (self._kind(article) == "notice" or not self._configuration.digest):
                yield self._letter(article)
            yield from self._corrections(article)

    def _kind(self, article: Any) -> Kind | None:
        """What an article is mailed as, None when it is not."""
        try:
            wish = wish_of(article)
        except ValueError:  # it has been reported; until it is mended nobody is written to
            return None
        if wish == "no" or getattr(article, "withdrawal", None):
            return None
        return "post" if article.status == "published" else "notice" if wish and article.status == "hidden" else None

    def _letter(self, article: Any) -> Campaign:
        """An article as a letter: whole, or its beginning when programs would cut off the end."""
        said = _Said(article, self._voice, self._siteurl)
        letter = Letter(said.url, said.number)
        text = letter.convert(parse(article.get_content(self._siteurl)))
        notes = [Element("h2", {}, [said.say("Sources")]), *letter.notes] if letter.notes else []
        identity, *others = _names(article)
        kind = self._kind(article) or "post"
        make = partial(
            self._assemble, said, kind, identity, others=others, post=identity, day=_day(article), subject=said.title,
            summary=said.summary, preheader=said.summary or _beginning(text), pages=said.pages,
        )  # fmt: skip
        campaign = make([*_intro(said), *text, *notes])
        if _weight(campaign) > HTML_LIMIT:
            link = Element("p", {}, [Element("a", {"href": said.url}, [said.say("Read the whole article")])])
            campaign = make([*_intro(said), *_excerpt(text), link])
        return campaign

    def _corrections(self, article: Any) -> Iterator[Campaign]:
        """What went wrong with a letter, day by day: what has changed, not the whole article again."""
        retraction = _retraction(article)
        notes = [*_corrections(article), *([retraction] if retraction else ())]
        said = _Said(article, self._voice, self._siteurl)
        for day in sorted({note.date for note in notes if note.date >= self._configuration.first_day}):
            retracted = bool(retraction and retraction.date == day)
            what = (
                "We sent you this article. It has been retracted since: do not rely on it."
                if retracted
                else "We sent you this article. It has been corrected since."
            )
            changes = [note for note in notes if note.date == day]
            kind, identity, *others = self._first_letter(article)
            yield self._assemble(
                said,
                "correction",
                f"{identity} {day}",
                [Element("p", {}, [said.say(what)]), *_dated(changes, said)],
                others=[f"{other} {day}" for other in others],
                post=identity,
                corrects=make_key(self._configuration.site_id, kind, identity, said.lang),
                day=day,
                subject=said.say("Retraction: %(title)s" if retracted else "Correction: %(title)s", title=said.title),
                preheader=" ".join(note.text for note in changes) or said.say(what),
                pages=said.pages,
            )

    def _first_letter(self, article: Any) -> tuple[Any, ...]:
        """The kind, the identity and the former identities of the letter that an article was sent in."""
        kind = self._kind(article)
        if kind == "post" and self._configuration.digest:
            return ("digest", _week(_day(article)))
        return (kind, *_names(article))

    def _digests(self, posts: Iterable[Any]) -> Iterator[Campaign]:
        """A letter for each week that has ended and each language, with what was new."""
        weeks: dict[tuple[str, str], list[Any]] = {}
        for article in posts:
            if not _retraction(article) and _week(_day(article)) < _week(self._today):
                weeks.setdefault((_week(_day(article)), str(article.lang)), []).append(article)
        for (week, lang), articles in sorted(weeks.items()):
            articles.sort(key=lambda one: (_day(one), str(one.url)))
            all_said = [_Said(article, self._voice, self._siteurl) for article in articles]
            monday = date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)
            sunday = monday + timedelta(6)
            first, last = (self._voice.day(day, lang) for day in (monday, sunday))
            title = self._voice.say(lang, "New articles: %(first)s – %(last)s", first=first, last=last)
            yield self._assemble(
                all_said[0].of_site(title),
                "digest",
                week,
                [one for said in all_said for one in _entry(said)],
                post=week,
                day=sunday,
                subject=title,
                preheader=" · ".join(said.title for said in all_said),
                pages=tuple(page for said in all_said for page in said.pages),
            )

    def _assemble(
        self,
        said: _Said,
        kind: Kind,
        identity: str,
        content: Sequence[Element | str],
        *,
        others: Iterable[str] = (),
        post: str,
        corrects: str = "",
        day: date,
        subject: str,
        summary: str = "",
        preheader: str,
        pages: tuple[tuple[str, str], ...],
    ) -> Campaign:
        configuration, lang = self._configuration, said.lang
        named = partial(make_key, configuration.site_id, kind, lang=lang)
        fragment = write(content)
        tree = parse_fragment(fragment)
        style = look.look_of(lang)
        notes = {one.text for block in content if isinstance(block, Element) for one in block.walk() if _is_note(one)}
        subject = standing_alone(shorten(subject, SUBJECT - 2), style.direction)
        preheader = shorten(one_line(preheader), PREHEADER)
        context = {
            "subject": subject, "preheader": preheader, "heading": said.title, "summary": summary, "url": said.url,
            "publication": said.publication, "read_here": said.say("Read this on the website"),
            "unsubscribe": said.say("Unsubscribe"), "unsubscribe_at": _TOKEN,
        }  # fmt: skip
        why = said.say(
            "You receive the letters of %(publication)s because you subscribed to them.", publication=_PUBLICATION
        )
        html = _render(
            "campaign.html",
            **context,
            content=Markup(look.dress(tree.children, style)),  # noqa: S704 (it comes out of the allow-list)
            why=Markup(escape(why).replace(_PUBLICATION, f"<bdi>{escape(said.publication)}</bdi>")),  # noqa: S704
            look=style,
        )
        said_in_lines = ("heading", "summary", "publication", "read_here", "unsubscribe")
        text = _render(
            "campaign.txt",
            **context | {name: directed(context[name], style.direction) for name in said_in_lines},
            content=write_plain(tree, style.direction, len(notes) + 1, said.number),
            why=directed(why.replace(_PUBLICATION, isolated(said.publication, style.direction)), style.direction),
        )
        return Campaign(
            key=named(identity),
            kind=kind,
            lang=lang,
            direction=style.direction,
            post=make_post_id(configuration.site_id, post),
            corrects=corrects,
            day=day,
            sender=configuration.sender_in(lang),
            reply_to=configuration.reply_to_in(lang),
            subject=subject,
            preheader=preheader,
            title=said.title,
            summary=summary,
            url=said.url,
            html=hide_token(html).replace(_TOKEN, UNSUBSCRIBE),
            fragment=hide_token(fragment),
            text=text.replace(UNSUBSCRIBE, f"{UNSUBSCRIBE[0]}\u2060{UNSUBSCRIBE[1:]}").replace(_TOKEN, UNSUBSCRIBE),
            pages=pages,
            former=tuple(named(other) for other in others),
        )


class _Said:
    """What an article says of itself, as plain text in its language."""

    def __init__(self, article: Any, voice: Voice, siteurl: str) -> None:
        self.article = article
        self.lang = str(article.lang)
        self._voice = voice
        self.publication = _line(article.settings["SITENAME"])
        self.title = shorten(_line(article.title), SUBJECT)
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

    def of_site(self, title: str) -> _Said:
        """The same of the site in this language."""
        said = object.__new__(_Said)
        said.__dict__.update(self.__dict__, title=title, summary="", url=self._home)
        return said


def _intro(said: _Said) -> Iterator[Element | str]:
    """What a reader must know first: who says it, since when, and what was put right."""
    article, direction = said.article, look.look_of(said.lang).direction
    names = [isolated(_line(str(author.name)), direction) for author in getattr(article, "authors", None) or ()]
    lines = [said.say("By %(names)s", names=_comma(said.lang).join(names))] if names else []
    source = _source_of(article)
    if source is not None:
        translator = str(getattr(article, "translator", None) or "")
        if translator == "withheld":
            lines.append(said.say("The translator’s name is withheld"))
        elif translator:
            lines.append(said.say("Translated by %(name)s", name=isolated(_line(translator), direction)))
        lines.append(said.say("Translated from %(language)s", language=_language_name(source, article)))
    lines.append(said.say("Published on %(date)s", date=said.day(_as_day(article.date))))
    if _translated(article):
        lines.append(said.say("Translated on %(date)s", date=said.day(_day(article))))
    broken = [part for line in lines for part in (Element("br"), line)][1:]
    yield Element("p", {}, [Element("small", {}, broken)])
    if corrections := _corrections(article):
        yield Element("p", {}, [Element("strong", {}, [said.say("Corrected")])])
        yield from _dated(corrections, said)


def _dated(notes: Iterable[Any], said: _Said) -> Iterator[Element]:
    items = [" – ".join(filter(None, (said.day(note.date), _line(note.text)))) for note in notes]
    yield Element("ul", {}, [Element("li", {}, [item]) for item in items])


def _entry(said: _Said) -> Iterator[Element]:
    yield Element("h2", {}, [Element("a", {"href": said.url}, [said.title])])
    if said.summary:
        yield Element("p", {}, [said.summary])


def _weight(campaign: Campaign) -> int:
    """How many octets the letter's HTML may have when it leaves, whatever service it leaves from."""
    styles = sum(STYLES.get(tag, 0) for tag in re.findall(r"<(\w+)", campaign.fragment))
    turned = TURNED * campaign.fragment.count(' dir="')
    return len(campaign.html.encode()) + FRAME + styles + turned


def _excerpt(text: Sequence[Element | str]) -> Iterator[Element | str]:
    """The first blocks of a text, each whole; without the numbers of notes, which stand on the page."""
    length = 0
    for block in text:
        bare = block if isinstance(block, str) else _without_notes(block)
        size = len(write_dressed(bare))
        if length + size > (EXCERPT if length else FIRST_BLOCK):
            return
        length += size
        yield bare


def _without_notes(block: Element) -> Element:
    kept = (child for child in block.children if not _is_note(child))
    children = [child if isinstance(child, str) else _without_notes(child) for child in kept]
    return Element(block.tag, block.attributes, children)


def _beginning(text: Iterable[Element | str]) -> str:
    """The first paragraph, for who looks at the list of letters."""
    return next((plain(one) for one in map(_unnoted, text) if one.text.strip()), "")


def _unnoted(block: Element | str) -> Element:
    return _without_notes(block if isinstance(block, Element) else Element("p", {}, [block]))


def _is_note(node: Element | str) -> bool:
    return isinstance(node, Element) and "note" in node.classes


def _names(article: Any) -> list[str]:
    """What an article is and was called, its oldest name first: by that it is known to services, whatever it is now."""
    stated: list[str] = []
    for one in filter(None, (_source_of(article), article)):
        former = getattr(one, "former_keys", None) or ()
        parts = former.replace(";", ",").split(",") if isinstance(former, str) else former
        stated += [str(part).strip() for part in parts]
    return list(dict.fromkeys(filter(None, (*stated, str(getattr(article, "translation_key", None) or article.slug)))))


def _source_of(article: Any) -> Any:
    """The article that one was translated from, None for a source article."""
    source = getattr(article, "source", None)
    return source if source is not article and hasattr(source, "lang") else None


def _retraction(article: Any) -> Any:
    return getattr(article, "retraction", None)


def _corrections(article: Any) -> list[Any]:
    return list(getattr(article, "corrections", None) or ())


def _translated(article: Any) -> date | None:
    stated = getattr(article, "translated", None)
    return stated if isinstance(stated, date) else None


def _day(article: Any) -> date:
    """The day that is compared with NEWSLETTER_SINCE."""
    return _as_day(_translated(article) or article.date)


def _as_day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


def _week(day: date) -> str:
    """A week as ISO 8601 names it, such as 2026-W47."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def _language_name(source: Any, article: Any) -> str:
    """The name of a language in the article's, by CLDR; its own name where CLDR has none."""
    names = article.language.locale.languages
    tag = str(source.lang)
    return str(names.get(tag.replace("-", "_")) or names.get(source.language.locale.language) or source.language.name)


def _comma(lang: str) -> str:
    return _COMMAS.get(lang.partition("-")[0], ", ")


def _line(text: Any) -> str:
    """A title or a name as plain text, on one line, that turns nothing behind it."""
    said = str(text)
    return balanced(plain(parse(said)) if "<" in said and ">" in said else one_line(unescape(said)))


def _render(name: str, **context: Any) -> str:
    return _environment().get_template(name).render(context, dark=look.DARK, **_COLOURS).strip("\n") + "\n"


_COLOURS = {"paper": look.PAPER, "ink": look.INK, "quiet": look.QUIET, "rule": look.RULE, "accent": look.ACCENT}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
