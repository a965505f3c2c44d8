"""Which articles become letters, and under which keys; what the letters say stands in `templates/`.

The same content gives the same campaigns, byte for byte, on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from markupsafe import Markup

from . import look
from .articles import LONGEST_TITLE, Said, Voice
from .campaigns import UNSUBSCRIBE, Campaign, Kind, make_key, make_post_id
from .markup import Element, Letter, clean, hide_token, parse, parse_fragment, to_html
from .plain import balanced, one_line, plain, shorten, standing_alone, write_plain
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
# Cannot be in a text: stands where UNSUBSCRIBE is put, once all that looks like it has been told apart.
_PLACE = "\x00"


class Composer:
    """Makes the campaigns of a site whose pages stand at `siteurl`; `today` decides which weeks have ended."""

    def __init__(self, configuration: Configuration, siteurl: str, voice: Voice, today: date) -> None:
        self._configuration = configuration
        self._siteurl = siteurl.rstrip("/")
        self._voice = voice
        self._today = today

    def compose(self, articles: Iterable[Any]) -> Iterator[Campaign]:
        """All campaigns of these articles, published and hidden ones. Drafts are not among them."""
        heard = [Said(article, self._voice, self._siteurl) for article in articles]
        mailed = [said for said in heard if said.kind and said.day >= self._configuration.first_day]
        if self._configuration.digest:
            yield from self._digests(said for said in mailed if said.kind == "post" and not said.retraction)
        for said in mailed:
            if not said.retraction and (said.kind == "notice" or not self._configuration.digest):
                yield self._letter(said)
            yield from self._corrections(said)

    def _letter(self, said: Said) -> Campaign:
        """An article as a letter: whole, or its beginning when programs would cut off the end."""
        letter = Letter(said.url, said.number)
        text = letter.convert(parse(said.html))
        fill = partial(_fill, "post.html", said, beginning=_beginning(text))
        make = partial(self._assemble, said, said.kind or "post", said.names, day=said.day, summary=said.summary)
        campaign = make(fill(body=_whole(text), notes=_whole(letter.notes), whole=True))
        if _weight(campaign) > HTML_LIMIT:
            campaign = make(fill(body=_whole(_excerpt(text)), notes="", whole=False))
        return campaign

    def _corrections(self, said: Said) -> Iterator[Campaign]:
        """What went wrong with a letter, day by day: what has changed, not the whole article again.

        What was put right before the letter's day is in it already, as in a translation made later. What is retracted
        needs no other correction.
        """
        first: tuple[Kind, list[str]] = (said.kind or "post", said.names)
        if said.kind == "post" and self._configuration.digest:
            first = ("digest", [_week(said.day)])
        kind, names = first
        retractions = [said.retraction] if said.retraction else []
        for day in sorted({note.date for note in retractions or said.corrections if note.date >= said.day}):
            changes = [note for note in (*said.corrections, *retractions) if note.date == day]
            yield self._assemble(
                said,
                "correction",
                [f"{name} {day}" for name in names],
                _fill("correction.html", said, changes=changes),
                day=day,
                post=names[0],
                corrects=make_key(self._configuration.site_id, kind, names[0], said.lang),
            )

    def _digests(self, posts: Iterable[Said]) -> Iterator[Campaign]:
        """A letter for each week that has ended and each language, with what was new."""
        weeks: dict[tuple[str, str], list[Said]] = {}
        for said in sorted(posts, key=lambda one: (one.day, one.url)):
            if _week(said.day) < _week(self._today):
                weeks.setdefault((_week(said.day), said.lang), []).append(said)
        for (week, _), new in sorted(weeks.items()):
            monday = date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)
            sunday = monday + timedelta(6)
            content = _fill("digest.html", new[0], posts=new, first=monday, last=sunday)
            site = new[0].of_site(content.subject, tuple(page for said in new for page in said.pages))
            yield self._assemble(site, "digest", [week], content, day=sunday)

    def _assemble(
        self,
        said: Said,
        kind: Kind,
        names: Sequence[str],
        content: Any,
        *,
        day: date,
        summary: str = "",
        post: str = "",
        corrects: str = "",
    ) -> Campaign:
        """A campaign of what a template was filled with; `names` are those it has had, the oldest first."""
        configuration = self._configuration
        key, *former = (make_key(configuration.site_id, kind, name, said.lang) for name in names)
        fragment = clean(str(content))
        tree = parse_fragment(fragment)
        style = look.look_of(said.lang)
        subject = standing_alone(shorten(content.subject, LONGEST_TITLE - 2), said.direction)
        preheader = shorten(balanced(one_line(content.preheader)), PREHEADER)
        fill = partial(
            look.render, said=said, say=said.say, look=style, subject=subject, preheader=preheader, summary=summary,
            unsubscribe_at=_PLACE,
        )  # fmt: skip
        html = fill("campaign.html", content=Markup(look.dress(tree.children, style)))  # noqa: S704 (allow-listed)
        noted = {one.text for one in tree.walk() if one.tag == "sup" and one.text.startswith("[")}
        text = fill("campaign.txt", content=write_plain(tree, said.direction, len(noted) + 1, said.number))
        return Campaign(
            key=key,
            kind=kind,
            lang=said.lang,
            direction=said.direction,
            post=make_post_id(configuration.site_id, post or names[0]),
            corrects=corrects,
            day=day,
            sender=configuration.sender_in(said.lang),
            reply_to=configuration.reply_to_in(said.lang),
            subject=subject,
            preheader=preheader,
            title=said.title,
            summary=summary,
            url=said.url,
            html=hide_token(html).replace(_PLACE, UNSUBSCRIBE),
            fragment=hide_token(fragment),
            text=text.replace(UNSUBSCRIBE, f"{UNSUBSCRIBE[0]}\u2060{UNSUBSCRIBE[1:]}").replace(_PLACE, UNSUBSCRIBE),
            pages=said.pages,
            former=tuple(former),
        )


def _fill(template: str, said: Said, **more: Any) -> Any:
    """What a letter says between head and foot, as HTML, with its `subject` and `preheader`."""
    return look.template(template).make_module({"said": said, "say": said.say, **more})


def _whole(text: Iterable[Element | str]) -> Markup:
    return Markup(to_html(text))  # noqa: S704 (it is cleaned with all the rest)


def _weight(campaign: Campaign) -> int:
    """How many octets the letter's HTML may have when it leaves, whatever service it leaves from."""
    styles = sum(STYLES.get(tag, 0) for tag in re.findall(r"<(\w+)", campaign.fragment))
    turned = TURNED * campaign.fragment.count(' dir="')
    return len(campaign.html.encode()) + FRAME + styles + turned


def _excerpt(text: Sequence[Element | str]) -> Iterator[Element | str]:
    """The first blocks of a text, each whole; without the numbers of notes, which stand on the page."""
    length = 0
    for block in _without_notes(text):
        size = len(to_html([block]).strip())
        if length + size > (EXCERPT if length else FIRST_BLOCK):
            return
        length += size
        yield block


def _beginning(text: Sequence[Element | str]) -> str:
    """The first paragraph, for who looks at the list of letters."""
    return next(filter(None, (plain(Element("p", {}, [block])) for block in _without_notes(text))), "")


def _without_notes(text: Iterable[Element | str]) -> Iterator[Element | str]:
    for one in text:
        if isinstance(one, str):
            yield one
        elif "note" not in one.classes:
            yield Element(one.tag, one.attributes, [*_without_notes(one.children)])


def _week(day: date) -> str:
    """A week as ISO 8601 names it, such as 2026-W47."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"
