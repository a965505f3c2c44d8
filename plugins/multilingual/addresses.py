"""Addresses that were: redirects without a script, and the sitemap of those that are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

from .editions import Edition
from .errors import Problem, suggestion
from .groups import Group
from .members import split_list
from .navigation import Directory
from .outputs import Output
from .placement import KEY, slug_fault
from .readers import LINES
from .terms import save_as_of

NEUTRAL_PREFIX = "k/"


def neutral_url(key: str) -> str:
    """An article's address in no language, for citing and sharing."""
    return f"{NEUTRAL_PREFIX}{key}/"


def is_public(output: Output) -> bool:
    """Whether an address is one that people keep: an article's, a page's, a neutral one."""
    return (
        output.identity[0] in ("article", "page")
        and output.identity[1] != ""
        and (output.listed or output.edition is None or output.template == "withdrawn")
    )


class Redirects:
    """Collects redirects from headers and from the file, and plans their pages."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._planned: list[tuple[str, str, str, Edition | None]] = []

    def read_file(self, path: Path, name: str) -> None:
        """Read `old new` lines; `#` begins a comment. Addresses begin at the site's root."""
        try:
            text = path.read_text("utf-8-sig")
        except FileNotFoundError:
            return
        except UnicodeDecodeError:
            self._report(name, 0, "the file is not UTF-8", "Save it as UTF-8.")
            return
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            words = [unquote(word) for word in words]
            if len(words) != 2 or not all(_is_address(word) for word in words):
                self._report(
                    name,
                    number,
                    f"{line.strip()!r} is not a redirect",
                    "Write `/old/ /new/`: two addresses of this site.",
                )
                continue
            old, new = (word.lstrip("/") for word in words)
            self._planned.append((old, new, f"{name}:{number}", None))

    def read_group(self, group: Group, editions: Mapping[str, Edition], name: str, *, neutral: bool) -> None:
        """Take the former slugs and keys that a piece's files state."""
        former_keys: list[str] = []
        for member in group.public():
            edition = editions[member.lang]
            pattern = str(edition.settings[f"{group.kind.upper()}_URL"])
            lines = getattr(member, LINES, {})
            for slug in split_list(getattr(member, "former_slugs", "")):
                if fault := slug_fault(slug, frozenset()):
                    self._report(name, lines.get("former_slugs", 0), fault, "Correct the former slug.")
                    continue
                old = pattern.format(**{**member.url_format, "slug": slug})
                self._planned.append((old, member.url, name, edition))
            keys = split_list(getattr(member, "former_keys", ""))
            # A piece that was renamed and renamed back has its own key among the former ones.
            former_keys += [key for key in keys if key not in (group.key, *former_keys)]
        for key in former_keys:
            if not KEY.match(key):
                self._report(name, 0, f"{key!r} is no key", "Correct `Former_keys:`.")
                continue
            for member in group.public():
                edition = editions[member.lang]
                pattern = str(edition.settings[f"{group.kind.upper()}_URL"])
                if member.slug == group.key or group.withdrawal:
                    old = pattern.format(**{**member.url_format, "slug": key})
                    self._planned.append((old, member.url, name, edition))
            if neutral and group.kind == "article":
                new = neutral_url(group.key)
                self._planned.append((neutral_url(key), new, name, None))

    def plan(self, written: Iterable[Output]) -> Iterator[Output]:
        """The redirect pages. A target that is not written is a problem, and so is a circle."""
        urls = {output.url for output in written}
        targets = {old: new for old, new, *_ in self._planned}
        for old, new, origin, edition in self._planned:
            file, _, line = origin.partition(":")
            end = _follow(new, targets)
            if end is None:
                self._report(file, int(line or 0), f"the redirect from /{old} goes in a circle", "Lead it to a page.")
            elif new not in urls and new not in targets:
                remedy = suggestion(new, urls) if urls else "Correct the address."
                self._report(file, int(line or 0), f"the redirect to /{new} leads to nothing", remedy)
            else:
                yield Output(
                    ("redirect", old),
                    edition,
                    save_as_of(old),
                    old,
                    "redirect",
                    {"target": end},
                    listed=False,
                    noindex=True,
                    origin=origin,
                )

    def _report(self, file: str, line: int, what: str, remedy: str) -> None:
        self.problems.append(Problem(file, line, what, remedy))


def _follow(url: str, targets: Mapping[str, str]) -> str | None:
    """The end of a chain of redirects, None for a circle."""
    seen: set[str] = set()
    while url in targets:
        if url in seen:
            return None
        seen.add(url)
        url = targets[url]
    return url


def _is_address(word: str) -> bool:
    return word.startswith("/") and ".." not in word.split("/") and ":" not in word


def sitemap(outputs: Iterable[Output], directory: Directory) -> Iterator[str]:
    """The sitemap (sitemaps.org 0.9) with every page's alternates, piece by piece."""
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n')
    for output in outputs:
        yield f"<url><loc>{escape(directory.absolute(output.url))}</loc>"
        changed = getattr(output.content, "modified", None) or getattr(output.content, "listed", None)
        if changed:
            yield f"<lastmod>{changed.date().isoformat()}</lastmod>"
        for alternate in directory.alternates(output):
            yield (
                f'<xhtml:link rel="alternate" hreflang={quoteattr(alternate.hreflang)} '
                f"href={quoteattr(alternate.url)}/>"
            )
        yield "</url>\n"
    yield "</urlset>\n"
