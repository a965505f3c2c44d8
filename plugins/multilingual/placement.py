"""Where a source file stands, and what that says about it.

`articles/fa/leaving-russia.md`: the folder names the language, the file's name is the
`translation_key` that ties it to `articles/en/leaving-russia.md`. A file that stands in no
language folder keeps Pelican's own way (`Lang:`, same slug).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import basename, splitext

from .errors import Problem, suggestion
from .languages import Language, Languages

KEY = re.compile(r"[a-z0-9-]{1,80}\Z")
KEY_RULE = "Rename the file: small letters a-z, digits and hyphens, at most 80."
_SLUG_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Placement:
    """The language a file's folder names (None: no folder does) and its key."""

    language: Language | None
    key: str


class Layout:
    """Reads placements off paths, and remembers folders that name no language."""

    def __init__(self, languages: Languages, roots: Mapping[str, Iterable[str]], content: str) -> None:
        self._languages = languages
        self._content = content
        self._roots = {
            kind: sorted((root.strip("/") for root in paths), key=len, reverse=True) for kind, paths in roots.items()
        }
        self._with_languages: set[tuple[str, str]] = set()
        self._others: dict[tuple[str, str], dict[str, str]] = {}

    def place(self, kind: str, path: str) -> Placement:
        """Place a file; `path` is relative to the content folder, with forward slashes."""
        key = splitext(basename(path))[0]  # pathlib would take longer than all the rest
        for root in self._roots.get(kind, ()):
            if root and not path.startswith(root + "/"):
                continue
            folder, _, rest = path[len(root) + 1 if root else 0 :].partition("/")
            if not rest:
                break
            language = self._languages.find(folder)
            if language is None:
                self._others.setdefault((kind, root), {}).setdefault(folder, path)
                break
            self._with_languages.add((kind, root))
            return Placement(language, key)
        return Placement(None, key)

    def problems(self) -> list[Problem]:
        """Folders that name no language although their siblings do."""
        return [
            Problem(
                f"{self._content}/{root}/{folder}".replace("//", "/"),
                0,
                f"the folder {folder!r} names no language of this site, while others beside it do",
                suggestion(folder, self._languages) + " Rename it, or add the language to MULTILINGUAL_LANGUAGES.",
            )
            for (kind, root), folders in self._others.items()
            if (kind, root) in self._with_languages
            for folder in folders
        ]

    def is_misplaced(self, kind: str, path: str) -> bool:
        """Whether a file stands in such a folder, so that it belongs to no edition."""
        for root in self._roots.get(kind, ()):
            if not root or path.startswith(root + "/"):
                folder, _, rest = path[len(root) + 1 if root else 0 :].partition("/")
                found = folder in self._others.get((kind, root), {})
                return bool(rest) and found and (kind, root) in self._with_languages
        return False


def slug_fault(slug: str, reserved: frozenset[str]) -> str:
    """What is wrong with a slug, or "" when nothing is.

    Letters and digits of any script, with their combining marks: without these Hindi,
    Thai and Burmese words fall apart.
    """
    if not slug or slug.strip("-") == "":
        return f"the slug {slug!r} is empty"
    if any(unicodedata.category(c)[0] not in "LMN" and c not in "-_" for c in slug):
        return f"the slug {slug!r} has other characters than letters, digits and hyphens"
    if len(slug.encode()) > _SLUG_LIMIT:
        return f"the slug {slug[:20]!r}… is longer than {_SLUG_LIMIT} bytes"
    if slug.casefold() in reserved:
        return f"the slug {slug!r} is reserved"
    return ""
