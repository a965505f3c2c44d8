"""A letter as bytes: multipart/alternative, text first, both parts complete (RFC 2046, 5.1.4).

What is the same for everybody is composed and encoded once, in a `Template`; `personalise` fills in the addressee, the
Message-ID, the time and the links, which takes some hundredths of a millisecond. The same input gives the same bytes.

A letter carries no picture, loads nothing and counts nothing. In discreet letters sender, subject and what a telephone
shows as preview say nothing about the content.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from mailroom.errors import InvalidLetter
from mailroom.languages import Languages
from mailroom.letters.encoding import Encoded, encode, gap
from mailroom.letters.headers import date_field, field, sender_field, text_field, wire_address, wire_domain
from mailroom.letters.look import DARK, LIGHT, Look, dress, look_of
from mailroom.letters.markup import body_of, clean
from mailroom.settings import Settings

#: Gmail shows no more of a letter's HTML than about 102 KB, and so not the link to unsubscribe, which is at its end.
HTML_LIMIT = 90_000

_TEMPLATES = Path(__file__).parent / "templates"
# Neither quoted-printable nor base64 ever has "=_" in it.
_BOUNDARY = "=_mailroom"
_LINK = re.compile(r"[!#-;=?-~]+\Z")  # ASCII without white space, quotes and angle brackets
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ISOLATE, _POP = "\u2068", "\u2069"
_STRONG = {"rtl": re.compile(r"[A-Za-z\u00c0-\u058f]"), "ltr": re.compile(r"[\u0590-\u08ff\ufb1d-\ufefc]")}


@dataclass(frozen=True, slots=True)
class CampaignContent:
    """What a campaign says. `html` is a document or a fragment of one, `kind` post, correction or notice."""

    key: str
    kind: str
    lang: str
    subject: str
    preheader: str
    title: str
    summary: str
    url: str
    html: str
    text: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class DigestPost:
    """A post of the week, in its own language."""

    lang: str
    title: str
    summary: str
    url: str


@dataclass(frozen=True, slots=True, repr=False)
class Links:
    """One addressee's links; those that a letter has no place for stay empty. Not printed: they are authority.

    `action` is what a letter was asked for: to confirm, or to the preferences. `leave` is a mail address that
    unsubscribes, empty when nobody reads its mail.
    """

    unsubscribe: str = ""
    settings: str = ""
    leave: str = ""
    action: str = ""


_LINKS = tuple(each.name for each in fields(Links))


class Template:
    """A letter to everybody who is sent the same."""

    def __init__(self, fixed: bytes, text: str, html: str, *, listed: bool) -> None:
        """`fixed` are the header fields that all have in common; `listed` letters say how to leave the list."""
        self.html_octets = len(html.encode())
        self._fixed = fixed
        self._listed = listed
        self._needed = [name for name in _LINKS if gap(name) in html + text or (listed and name == "unsubscribe")]
        self._text: Encoded = encode(text)
        self._html: Encoded = encode(html)
        self._before_text = f"\r\n--{_BOUNDARY}\r\n{_part('plain', self._text)}".encode()
        self._before_html = f"\r\n--{_BOUNDARY}\r\n{_part('html', self._html)}".encode()

    @property
    def is_clipped(self) -> bool:
        """Whether Gmail would hide the end of the letter, and the link to unsubscribe with it."""
        return self.html_octets > HTML_LIMIT

    def personalise(self, *, to: str, message_id: str, instant: float, links: Links) -> bytes:
        """The letter to one person, with CRLF line ends, ready to be signed and sent.

        It is ASCII unless the addressee's local part is not, which needs SMTPUTF8. Raises InvalidLetter, naming the
        field or the link, for one that is missing or would break the letter.
        """
        plain, escaped = self._values(links)
        head = [
            self._fixed,
            field("To", wire_address(to, "To")),
            date_field(instant),
            field("Message-ID", message_id if message_id.startswith("<") else f"<{message_id}>"),
        ]
        if self._listed:
            leave = f",\r\n <mailto:{wire_address(links.leave, 'List-Unsubscribe')}>" if links.leave else ""
            head.append(f"List-Unsubscribe: <{links.unsubscribe}>{leave}\r\n".encode())
        return b"".join(
            (
                *head,
                self._before_text,
                *self._text.fill(plain),
                self._before_html,
                *self._html.fill(escaped),
                _END,
            )
        )

    def _values(self, links: Links) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The links as text and as HTML."""
        plain, escaped = {}, {}
        for name in self._needed:
            value = getattr(links, name)
            if not _LINK.match(value):
                raise InvalidLetter(f"The link {name!r} is missing or is no address", "Give it whole, in ASCII")
            plain[name] = value.encode("ascii")
            escaped[name] = html.escape(value).encode("ascii")
        return plain, escaped


_END = f"\r\n--{_BOUNDARY}--\r\n".encode()


def _part(subtype: str, content: Encoded) -> str:
    kind = f"Content-Type: text/{subtype}; charset=utf-8"
    return f"{kind}\r\nContent-Transfer-Encoding: {content.transfer}\r\n\r\n"


class Composer:
    """Makes templates of letters, each once; its methods may be called from several threads."""

    def __init__(self, settings: Settings, languages: Languages) -> None:
        self._settings = settings
        self._languages = languages
        self._sender = settings.sender or "letters@localhost"
        self._sites = tuple(dict.fromkeys(filter(None, (_site(settings), *settings.mirrors))))
        self._environment = cache(self._make_environment)
        self._made = lru_cache(64)(self._make)  # the threads that deliver ask for the same few again and again

    def campaign(self, campaign: CampaignContent, lang: str, *, discreet: bool) -> Template:
        """A post, a correction or a notice, for readers of `lang`, which is the footer's language."""
        return self._made("campaign", campaign, self._languages.find(lang).tag, discreet)

    def digest(self, posts: Sequence[DigestPost], lang: str, discreet: bool) -> Template:
        """The posts of a week, each in its language."""
        return self._made("digest", tuple(posts), self._languages.find(lang).tag, discreet)

    def confirmation(self, lang: str) -> Template:
        """Asks whether the address's owner wishes letters. Always discreet, and the same whatever we know of them."""
        return self._made("confirmation", None, self._languages.find(lang).tag, True)

    def settings(self, lang: str, discreet: bool) -> Template:
        """The fresh link to the preferences that somebody asked for."""
        return self._made("settings", None, self._languages.find(lang).tag, discreet)

    def _make(self, kind: str, content: Any, lang: str, discreet: bool) -> Template:
        makers: dict[str, Callable[[Any, str, bool], Template]] = {
            "campaign": self._make_campaign,
            "digest": self._make_digest,
            "confirmation": self._make_confirmation,
            "settings": self._make_settings,
        }
        return makers[kind](content, lang, discreet)

    def _make_campaign(self, campaign: CampaignContent, lang: str, discreet: bool) -> Template:
        fragment = dress(clean(body_of(campaign.html)), campaign.lang)
        title, text = _plain(campaign.title), _plain(campaign.text).strip("\n")
        gettext = self._gettext(campaign.lang)
        context = {
            "reader": look_of(lang),
            "heading": title,
            "summary": _plain(campaign.summary),
            "correction": gettext("Correction") if campaign.kind == "correction" else "",
            "url": _address(campaign.url),
        }
        context |= self._cover(lang, _plain(campaign.subject), _plain(campaign.preheader), discreet=discreet)
        # What begins with a title of its own needs none from us.
        written = {"content": Markup(fragment), "titled": "<h1" in fragment}  # noqa: S704 (it has just been cleaned)
        plain = {"content": text, "titled": text.lstrip("#* \n").startswith(title)}
        return Template(
            self._headers(campaign.lang, context, reply_to=campaign.reply_to, listed=True),
            self._render("campaign.txt", campaign.lang, context | plain),
            self._render("campaign.html", campaign.lang, context | written),
            listed=True,
        )

    def _make_digest(self, posts: Sequence[DigestPost], lang: str, discreet: bool) -> Template:
        gettext = self._gettext(lang)
        heading = gettext("New articles this week")
        shown = [
            {
                "look": look_of(post.lang),
                "title": _plain(post.title),
                "summary": _plain(post.summary),
                "url": _address(post.url),
            }
            for post in posts
        ]
        context = {"reader": look_of(lang), "heading": heading, "posts": shown}
        context |= self._cover(lang, heading, " · ".join(str(post["title"]) for post in shown), discreet=discreet)
        return self._template("digest", lang, context, listed=True)

    def _make_confirmation(self, _: None, lang: str, discreet: bool) -> Template:
        gettext = self._gettext(lang)
        heading, validity = gettext("Please confirm your address"), gettext("The link is valid for 72 hours.")
        return self._make_answer("confirmation", lang, heading, heading, validity, discreet)

    def _make_settings(self, _: None, lang: str, discreet: bool) -> Template:
        gettext = self._gettext(lang)
        subject, validity = gettext("The link you asked for"), gettext("The link is valid for one hour.")
        return self._make_answer("settings", lang, subject, gettext("Your settings"), validity, discreet)

    def _make_answer(self, kind: str, lang: str, subject: str, heading: str, validity: str, discreet: bool) -> Template:
        """A letter that somebody has just asked for: of no list, and not to be answered by programs (RFC 3834)."""
        context = {"subject": subject, "heading": heading, "validity": validity, "preheader": validity}
        return self._template(kind, lang, context | {"discreet": discreet}, listed=False)

    def _template(self, kind: str, lang: str, context: Mapping[str, Any], *, listed: bool) -> Template:
        text, html = (self._render(f"{kind}.{each}", lang, context) for each in ("txt", "html"))
        return Template(self._headers(lang, context, reply_to="", listed=listed), text, html, listed=listed)

    def _cover(self, lang: str, subject: str, preheader: str, *, discreet: bool) -> dict[str, Any]:
        """What is seen of a letter that is not opened. Of a discreet one that must fill the preview with nothing."""
        if discreet:
            gettext = self._gettext(lang)
            subject = gettext("New letter")
            preheader = gettext(
                "Thank you for reading. How often letters come, and in which languages, you can change at any time, "
                "and you can stop them. The links for that are at the end."
            )
        return {"subject": subject, "preheader": preheader, "discreet": discreet}

    def _headers(self, lang: str, context: Mapping[str, Any], *, reply_to: str, listed: bool) -> bytes:
        """The fields that do not depend on the addressee."""
        settings = self._settings
        reader = context.get("reader")  # whose language a discreet subject is in too
        name = self._discreet_name(reader.lang if reader else lang) if context["discreet"] else settings.name_in(lang)
        head = [sender_field(name, self._sender), text_field("Subject", context["subject"])]
        if reply_to := reply_to or settings.reply_to:
            head.append(field("Reply-To", wire_address(reply_to, "Reply-To")))
        if listed:
            domain = wire_domain(settings.list_domain or self._sender.rpartition("@")[2], "List-Id")
            head.append(field("List-Id", f"<{lang.lower()}.letters.{domain}>"))
            head.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Post: NO\r\n")
        else:
            head.append(b"Auto-Submitted: auto-generated\r\n")
        head.append(field("Content-Language", lang))
        head.append(b"MIME-Version: 1.0\r\n")
        head.append(f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n'.encode())
        return b"".join(head)

    def _discreet_name(self, lang: str) -> str:
        gettext = self._gettext(lang)
        return self._settings.discreet_name or gettext("Letters")

    def _render(self, name: str, lang: str, context: Mapping[str, Any]) -> str:
        """A part of a letter, its links still gaps."""
        isolate = _isolate_html if name.endswith(".html") else _isolate_text
        given = {
            "look": look_of(lang),
            "light": LIGHT,
            "dark": DARK,
            "links": {link: gap(link) for link in _LINKS},
            "publication": isolate(self._settings.name_in(lang), look_of(lang)),
            "sites": self._sites,
        }
        if reader := context.get("reader"):  # the footer's language, not always the content's
            gettext = self._gettext(reader.lang)
            why = gettext("You receive the letters of %(publication)s because you subscribed to them.")
            named = isolate(self._settings.name_in(reader.lang), reader)
            given |= {
                "why": (Markup.escape(why) if name.endswith(".html") else why) % {"publication": named},
                "unsubscribe": gettext("Unsubscribe"),
                "change": gettext("Change your settings"),
                "read_at": gettext("The website can be read at these addresses:"),
            }
        environment = self._environment(self._languages.find(lang).tag)
        return environment.get_template(name).render(given | dict(context)).strip("\n") + "\n"

    def _gettext(self, lang: str) -> Callable[[str], str]:
        return self._languages.texts(self._languages.find(lang).tag).gettext

    def _make_environment(self, lang: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_translations(self._languages.texts(lang), newstyle=True)  # type: ignore[attr-defined]
        return environment


def _site(settings: Settings) -> str:
    """The address of the site: MAILROOM_SITE, else the root of MAILROOM_URL."""
    if settings.site or not settings.url:
        return settings.site
    parts = urlsplit(settings.url)
    return f"{parts.scheme}://{parts.netloc}/"


def _address(url: str) -> str:
    if not (url.startswith(("https://", "http://")) and _LINK.match(url)):
        raise InvalidLetter("The address of a post is none", "Give it whole, in ASCII, with https:")
    return url


def _plain(text: str) -> str:
    """Text without control characters, so that nothing in it can be taken for a gap."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _isolate_text(name: str, look: Look) -> str:
    """A name that runs against the text around it, kept from turning its neighbours (UAX 9, isolates)."""
    return f"{_ISOLATE}{name}{_POP}" if _STRONG[look.direction].search(name) else name


def _isolate_html(name: str, look: Look) -> str:
    return Markup("<bdi>{}</bdi>").format(name) if _STRONG[look.direction].search(name) else name
