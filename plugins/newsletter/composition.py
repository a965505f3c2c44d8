"""Which articles become letters, and what the letters say.

The same content gives the same campaigns, byte for byte, on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from . import look
from .articles import (
    LONGEST_TITLE,
    Said,
    Voice,
    as_day,
    comma_in,
    corrections_of,
    day_of,
    language_name,
    line_of,
    names_of,
    retraction_of,
    source_of,
    translated_of,
    wish_of,
)
from .campaigns import UNSUBSCRIBE, Campaign, Kind, make_key, make_post_id
from .markup import Element, Letter, hide_token, parse, parse_fragment, write, write_dressed
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
#: Characters that a list of letters shows behind the subject, at most.
PREHEADER = 150
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
# Neither can be in a text: stand for what is put in when all the rest has been escaped.
_TOKEN, _PUBLICATION = "\x00", "\x01"


class Composer:
    """Makes the campaigns of a site whose pages stand at `siteurl`; `today` decides which weeks have ended."""

    def __init__(self, configuration: Configuration, siteurl: str, voice: Voice, today: date) -> None:
        self._configuration = configuration
        self._siteurl = siteurl.rstrip("/")
        self._voice = voice
        self._today = today

    def compose(self, articles: Iterable[Any]) -> Iterator[Campaign]:
        """All campaigns of these articles, published and hidden ones. Drafts are not among them."""
        mailed = [one for one in articles if self._kind(one) and day_of(one) >= self._configuration.first_day]
        if self._configuration.digest:
            yield from self._digests(one for one in mailed if self._kind(one) == "post")
        for article in mailed:
            if not retraction_of(article) and (self._kind(article) == "notice" or not self._configuration.digest):
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
        said = Said(article, self._voice, self._siteurl)
        letter = Letter(said.url, said.number)
        text = letter.convert(parse(article.get_content(self._siteurl)))
        notes = [Element("h2", {}, [said.say("Sources")]), *letter.notes] if letter.notes else []
        identity, *others = names_of(article)
        kind = self._kind(article) or "post"
        make = partial(
            self._assemble, said, kind, identity, others=others, post=identity, day=day_of(article), subject=said.title,
            summary=said.summary, preheader=said.summary or _beginning(text), pages=said.pages,
        )  # fmt: skip
        campaign = make([*_intro(said), *text, *notes])
        if _weight(campaign) > HTML_LIMIT:
            link = Element("p", {}, [Element("a", {"href": said.url}, [said.say("Read the whole article")])])
            campaign = make([*_intro(said), *_excerpt(text), link])
        return campaign

    def _corrections(self, article: Any) -> Iterator[Campaign]:
        """What went wrong with a letter, day by day: what has changed, not the whole article again.

        What was put right before the letter's day is in it already, as in a translation made later. What is retracted
        needs no other correction.
        """
        retraction = retraction_of(article)
        notes = [*corrections_of(article), *([retraction] if retraction else ())]
        said = Said(article, self._voice, self._siteurl)
        wanted = [retraction] if retraction else notes
        for day in sorted({note.date for note in wanted if note.date >= day_of(article)}):
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
            return ("digest", _week(day_of(article)))
        return (kind, *names_of(article))

    def _digests(self, posts: Iterable[Any]) -> Iterator[Campaign]:
        """A letter for each week that has ended and each language, with what was new."""
        weeks: dict[tuple[str, str], list[Any]] = {}
        for article in posts:
            if not retraction_of(article) and _week(day_of(article)) < _week(self._today):
                weeks.setdefault((_week(day_of(article)), str(article.lang)), []).append(article)
        for (week, lang), articles in sorted(weeks.items()):
            articles.sort(key=lambda one: (day_of(one), str(one.url)))
            all_said = [Said(article, self._voice, self._siteurl) for article in articles]
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
        said: Said,
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
        subject = standing_alone(shorten(subject, LONGEST_TITLE - 2), style.direction)
        preheader = shorten(balanced(one_line(preheader)), PREHEADER)
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
            why=Markup("<bdi>{}</bdi>").format(said.publication).join(map(escape, why.split(_PUBLICATION))),
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


def _intro(said: Said) -> Iterator[Element | str]:
    """What a reader must know first: who says it, since when, and what was put right."""
    article, direction = said.article, look.look_of(said.lang).direction
    names = [isolated(line_of(str(author.name)), direction) for author in getattr(article, "authors", None) or ()]
    lines = [said.say("By %(names)s", names=comma_in(said.lang).join(names))] if names else []
    source = source_of(article)
    if source is not None:
        translator = str(getattr(article, "translator", None) or "")
        if translator == "withheld":
            lines.append(said.say("The translator’s name is withheld"))
        elif translator:
            lines.append(said.say("Translated by %(name)s", name=isolated(line_of(translator), direction)))
        lines.append(said.say("Translated from %(language)s", language=language_name(source, article)))
    lines.append(said.say("Published on %(date)s", date=said.day(as_day(article.date))))
    if translated_of(article):
        lines.append(said.say("Translated on %(date)s", date=said.day(day_of(article))))
    broken = [part for line in lines for part in (Element("br"), line)][1:]
    yield Element("p", {}, [Element("small", {}, broken)])
    if corrections := corrections_of(article):
        yield Element("p", {}, [Element("strong", {}, [said.say("Corrected")])])
        yield from _dated(corrections, said)
    if getattr(article, "image", None):  # what is said of the picture that the page shows first
        alt, caption = (line_of(getattr(article, name, None) or "") for name in ("image_alt", "image_caption"))
        if alt and alt not in caption:
            yield Element("p", {}, [f"[{alt}]"])
        if caption:
            yield Element("p", {}, [Element("small", {}, [caption])])


def _dated(notes: Iterable[Any], said: Said) -> Iterator[Element]:
    items = [" – ".join(filter(None, (said.day(note.date), line_of(note.text)))) for note in notes]
    yield Element("ul", {}, [Element("li", {}, [item]) for item in items])


def _entry(said: Said) -> Iterator[Element]:
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
        size = len(write_dressed(bare).strip())
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


def _week(day: date) -> str:
    """A week as ISO 8601 names it, such as 2026-W47."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


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
