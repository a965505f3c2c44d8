"""Campaigns: one article in one language, to one mailing list, as it was composed and can be looked at.

A campaign lives in a folder of its own, `<NEWSLETTER_CAMPAIGNS>/<key>/`: `campaign.json` (what it is), `campaign.html`
and `campaign.txt` (what is read). The folder is made anew by every build and holds nothing that another machine would
not make from the same content; what has been submitted is the service's to know.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

from .errors import ConfigurationError, UnknownCampaign

Kind = Literal["post", "digest", "correction", "notice"]

#: What reaches a reader, or decides whom it reaches: the campaign's digest is taken over these.
CONTENT = (
    "kind", "lang", "post", "corrects", "sender", "reply_to", "subject", "preheader", "title", "summary", "url",
    "html", "fragment", "text",
)  # fmt: skip
#: Stands in `html` and in `text` where the address for unsubscribing belongs: the document's foot ends with
#: `<a href="[[unsubscribe]]">…</a>`, the text with a line that ends in it. A provider whose service writes no foot of
#: its own escapes everything that looks like the service's commands, and then puts the service's own in this place.
#: It stands there exactly once in each; what an article says that looks like it is told apart while composing.
UNSUBSCRIBE = "[[unsubscribe]]"
#: What parts the foot from the rest of `text`: the line after which mail programs take everything for a signature.
FOOT = "\n\n-- \n"
#: The parts that are files of their own.
PARTS = {"html": "campaign.html", "text": "campaign.txt"}
_MARKS = "\u200e\u200f"
#: What a folder of campaigns holds: theirs, and what a system leaves in any folder, such as .DS_Store.
_OURS = re.compile(r"[a-z0-9-]+-[0-9a-f]{16}|\..*", re.DOTALL)
_ATTEMPTS = 20


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A letter to everybody on one mailing list.

    `post` is the same for all languages of a post and for what corrects it, so that a service can tell who has had it.
    `html` is a whole document, `fragment` what stands in it between head (title, summary) and foot, for a service with
    a frame of its own; `text` and `fragment_text` are the same as plain text. `sender` and `reply_to` are "" where the
    service's own hold.
    """

    key: str
    kind: Kind
    lang: str
    direction: Literal["ltr", "rtl"]
    post: str
    #: The key of the first letter, of a correction alone.
    corrects: str = ""
    #: The day that is compared with NEWSLETTER_SINCE: of the translation, else of the article.
    day: date
    sender: str = ""
    reply_to: str = ""
    subject: str
    preheader: str
    title: str
    summary: str
    #: The page's absolute address.
    url: str
    html: str = field(repr=False)
    fragment: str = field(repr=False)
    text: str = field(repr=False)
    #: The pages that the letter leads to, each an absolute address and what the page's `content-digest` says when it is
    #: the one this was composed from: one for a post, several for a digest, none where no page is awaited.
    pages: tuple[tuple[str, str], ...] = ()
    #: Keys it had when its file had other names: a service may know it by one of them.
    former: tuple[str, ...] = ()

    @property
    def fragment_text(self) -> str:
        """What stands in `text` between head and foot."""
        body = self.text.partition(FOOT)[0]
        for said in filter(None, (self.title, self.summary)):
            if (rest := body.lstrip(_MARKS)).startswith(said):
                body = rest.removeprefix(said).lstrip("\n")
        return body

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what reaches the reader, 64 hexadecimal digits: what was reviewed is what is started."""
        content = {name: getattr(self, name) for name in CONTENT}
        return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def make_key(site: str, kind: Kind, identity: str, lang: str) -> str:
    """The key of a campaign: of nothing that an editor corrects, so that no correction mails anything again.

    `site` is NEWSLETTER_SITE_ID, `identity` the article's translation key, or the ISO week of a digest.

    >>> make_key("example", "post", "leaving", "zh-Hans")
    'zh-hans-4f7b4631e926d0b0'
    """
    named = "\n".join((site, kind, identity, lang))
    return f"{lang.lower()}-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


def make_post_id(site: str, identity: str) -> str:
    """What all languages of a post have in common, 16 hexadecimal digits."""
    return hashlib.sha256(f"{site}\n{identity}".encode()).hexdigest()[:16]


def write_campaigns(folder: Path, campaigns: Iterable[Campaign]) -> None:
    """Put these in the folder's place, whole: whoever reads it meanwhile sees the old ones or the new ones.

    Several builds may do so at once: the folder is then one of theirs. Raises ConfigurationError for a folder with
    anything else in it, which would be lost.
    """
    with suppress(FileNotFoundError):
        for each in folder.iterdir():
            if not _OURS.fullmatch(each.name):
                remedy = f"name a folder of its own: {each.name} in this one is no campaign, and would be deleted"
                raise ConfigurationError("NEWSLETTER_CAMPAIGNS", str(folder), remedy)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent, ignore_cleanup_errors=True) as aside:
        new = Path(aside, "new")
        _fill(new, campaigns)
        for attempt in count():
            try:
                if folder.exists():
                    folder.rename(Path(aside, f"old-{attempt}"))
                new.rename(folder)
                break
            except OSError:  # another build was quicker between the two
                if attempt == _ATTEMPTS:
                    raise


def _fill(new: Path, campaigns: Iterable[Campaign]) -> None:
    new.mkdir()
    for campaign in campaigns:
        place = new / campaign.key
        place.mkdir()
        for name, file in PARTS.items():
            (place / file).write_text(getattr(campaign, name), "utf-8", newline="\n")
        facts = {name: value for name, value in asdict(campaign).items() if name not in PARTS}
        facts |= {"day": campaign.day.isoformat(), "digest": campaign.digest}
        text = json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True)
        (place / "campaign.json").write_text(text + "\n", "utf-8", newline="\n")


def read_campaigns(folder: Path) -> dict[str, Campaign]:
    """The composed campaigns by key, posts together, newest first. Raises ConfigurationError for a foreign folder."""
    found = [read_campaign(place) for place in folder.glob("*/") if (place / "campaign.json").exists()]
    found.sort(key=lambda one: (-one.day.toordinal(), one.post, one.kind, one.lang))
    return {one.key: one for one in found}


def read_campaign(place: Path) -> Campaign:
    """One campaign from its folder. Raises UnknownCampaign, and ConfigurationError for what was changed by hand."""
    try:
        facts: dict[str, Any] = json.loads((place / "campaign.json").read_text("utf-8"))
        parts: dict[str, Any] = {name: (place / file).read_bytes().decode("utf-8") for name, file in PARTS.items()}
        digest = facts.pop("digest", "")
        campaign = Campaign(**_checked(facts), **parts)
    except FileNotFoundError as error:
        raise UnknownCampaign(f"There is no campaign {place.name}", "`./blog newsletter plan` lists them.") from error
    except (OSError, TypeError, ValueError, KeyError) as error:
        raise ConfigurationError("NEWSLETTER_CAMPAIGNS", str(place), f"{error}: build the site again") from error
    if campaign.digest != digest:
        remedy = "it was changed after it was composed: change the article, and build the site again"
        raise ConfigurationError("NEWSLETTER_CAMPAIGNS", str(place), remedy)
    return campaign


def _checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(facts) - {each.name for each in fields(Campaign)}
    if unknown or facts["kind"] not in get_args(Kind):
        raise ValueError(f"unknown: {', '.join(sorted(unknown)) or facts['kind']}")
    return {
        **facts,
        "day": date.fromisoformat(facts["day"]),
        "pages": tuple((url, digest) for url, digest in facts["pages"]),
        "former": tuple(facts["former"]),
    }
