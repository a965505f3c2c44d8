"""Links between sources: `{filename}` leads to the reader's language where it exists.

Resolved before Pelican replaces them, because what Pelican has once rendered it never
renders again. A link to another language says so, for the eye and for machines.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Set
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pelican.contents import Content

from .errors import Problem
from .groups import Group, kind_of
from .readers import name_of
from .settings import Configuration

_ANY = re.compile(r"[{|](?:filename|static|attach)[|}]")
_LINK = re.compile(r"[{|](?P<what>filename|static|attach)[|}](?P<value>[^\"'>]*)(?=[\"'])")
_ANCHOR = re.compile(
    r"<a\b(?P<before>[^>]*?)\bhref=(?P<quote>[\"'])[{|]filename[|}](?P<value>.*?)(?P=quote)"
    r"(?P<after>[^>]*)>(?P<text>.*?)</a>",
    re.DOTALL,
)


class Links:
    """Checks and redirects the links of all content against what the build has."""

    def __init__(
        self,
        configuration: Configuration,
        generated: Mapping[str, Content | None],
        static: Mapping[str, Content | None],
        find_group: Callable[[Content], Group | None],
        root: Path,
        broken: Set[str],
    ) -> None:
        """Take the tables of a build; `broken` names the files that have a problem of their own."""
        self.problems: list[Problem] = []
        #: Summaries with links: Pelican would freeze these for one page's depth.
        self.summaries: dict[Content, str] = {}
        self._configuration = configuration
        self._generated = generated
        self._static = static
        self._find_group = find_group
        self._root = root
        self._broken = broken

    def check(self, content: Content) -> None:
        """Report the links of one source that lead nowhere."""
        for text in (content._content, _summary_of(content)):
            if text and _ANY.search(text):
                for found in _LINK.finditer(text):
                    self._check_one(content, found["what"], found["value"])

    def direct(self, content: Content) -> None:
        """Lead the links of one source to its own language."""
        if content._content and _ANY.search(content._content):
            content._content = self._directed(content, content._content)
        summary = _summary_of(content)
        if summary and _ANY.search(summary):
            self.summaries[content] = self._directed(content, summary)

    def _directed(self, content: Content, text: str) -> str:
        return _ANCHOR.sub(lambda found: self._redirect(content, found), text)

    def _redirect(self, content: Content, found: re.Match[str]) -> str:
        target = self._find(content, "filename", found["value"])
        chosen = self._choose(content, target)
        if chosen is None:
            return found[0]
        fragment = urlsplit(unescape(found["value"])).fragment
        value = "/" + chosen.relative_source_path + (f"#{escape(fragment)}" if fragment else "")
        mark, note = "", ""
        if chosen.lang != content.lang:
            language = chosen.language
            mark = f' hreflang="{language.tag}"'
            note = (
                f' <span class="link-language" lang="{language.tag}" dir="{language.direction}">'
                f"({escape(language.name)})</span>"
            )
        quote = found["quote"]
        return (
            f"<a{found['before']}href={quote}{{filename}}{value}{quote}{mark}{found['after']}>{found['text']}</a>{note}"
        )

    def _choose(self, content: Content, target: Content | None) -> Content | None:
        """The member of the target's group that a reader of `content` should see."""
        if target is None or kind_of(target) is None:
            return None
        group = self._find_group(target)
        if group is None or group.withdrawal:
            return target
        own = group.members.get(content.lang)
        if own is not None and self._is_written(own):
            return own
        fallback = self._configuration.fallback.get(content.lang, ())
        offered = group.offer(content.lang, fallback)
        if offered is not None:
            return offered
        return target if self._is_written(target) else None

    def _is_written(self, content: Content) -> bool:
        return content.status != "draft" or self._configuration.drafts

    def _check_one(self, content: Content, what: str, value: str) -> None:
        if what == "attach" and content.in_language_folder:
            self._report(
                content,
                value,
                f"{{attach}}{value} would move the file to one language's folder",
                "Write {static}, so that every language shows the same file.",
            )
            return
        target = self._find(content, what, value)
        if target is None:
            if not self._is_known_to_be_broken(content, value):
                self._report(
                    content,
                    value,
                    f"{{{what}}}{value} leads to nothing",
                    "Correct the path: it is relative to this file, or begins with / for the content folder.",
                )
        elif what == "filename" and kind_of(target) and not target.is_broken:
            if self._choose(content, target) is not None or not self._is_written(content):
                return
            self._report(
                content,
                value,
                f"{{filename}}{value} leads to a draft, which is not published",
                "Remove the link, or publish that article.",
            )

    def _find(self, content: Content, what: str, value: str) -> Content | None:
        tables = [self._static] if what != "filename" else [self._generated, self._static]
        for path in self._paths(content, value):
            for table in tables:
                target = table.get(path)
                if target is not None and (kind_of(target) or is_copied(target)):
                    return target
        return None

    def _is_known_to_be_broken(self, content: Content, value: str) -> bool:
        # Its own problem is told already; a second one for each link to it helps nobody.
        return any(
            (path in self._generated and self._generated[path] is None)
            or name_of(Path(content.settings["PATH"], path), self._root) in self._broken
            for path in self._paths(content, value)
        )

    def _paths(self, content: Content, value: str) -> list[str]:
        """The paths a link can mean, the way Pelican looks for them."""
        paths = []
        for text in dict.fromkeys((value, unescape(value))):
            path = urlsplit(text).path
            for form in dict.fromkeys((path, unquote(path))):
                if form.startswith("/"):
                    paths.append(form[1:])
                else:
                    paths.append(posixpath.normpath(posixpath.join(content.relative_dir, form)))
        return paths

    def _report(self, content: Content, value: str, what: str, remedy: str) -> None:
        line = line_of(Path(content.source_path), value)
        self.problems.append(Problem(name_of(content.source_path, self._root), line, what, remedy))


def is_copied(file: Content) -> bool:
    """Whether a static file exists, and stands in the content folder: Pelican asks neither."""
    # Not `save_as`: to ask for it would fix it, before `{attach}` can change it.
    return Path(file.source_path).is_file() and not file.relative_source_path.startswith("../")


def line_of(path: Path, text: str) -> int:
    """The line of a source on which a text stands, 0 when it is not there literally."""
    try:
        source = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return 0
    position = source.find(unescape(text))
    return source.count("\n", 0, position) + 1 if text and position >= 0 else 0


def _summary_of(content: Content) -> str:
    summary = getattr(content, "_summary", None) or content.metadata.get("summary")
    return summary if isinstance(summary, str) else ""
