"""The editor of a code host: links that open it on a new file, or on one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from .states import Translation

#: Where each kind of host has its pages: for a new file, for one that is there.
_PAGES = {
    "github": ("new/{branch}", "edit/{branch}/{path}"),
    "gitlab": ("-/new/{branch}", "-/edit/{branch}/{path}"),
    "gitea": ("_new/{branch}/{folder}", "_edit/{branch}/{path}"),
}
HOSTS = tuple(_PAGES)
_KNOWN = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "gitea", "gitea.com": "gitea"}
#: Servers answer longer addresses with an error.
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Repository:
    """A site's repository: its address, the kind of host, the branch that is worked on."""

    address: str
    host: str
    branch: str

    def new_file(self, path: str, text: str) -> str:
        """Where a new file is begun, its path filled in, and `text` where the host takes it.

        GitLab takes no text (gitlab-org/gitlab#337038). A text that is too long for an address is left out.
        """
        place = PurePosixPath(path)
        fields: dict[str, str]
        if self.host == "gitea":  # takes the folder in the path
            fields = {"filename": place.name, "value": text}
        elif self.host == "gitlab":
            fields = {"file_name": path}
        else:
            fields = {"filename": path, "value": text}
        page = self._page(0, path)
        whole = f"{page}?{urlencode(fields, quote_via=quote)}"
        if len(whole) > LONGEST:
            fields.pop("value", None)
            whole = f"{page}?{urlencode(fields, quote_via=quote)}"
        return whole

    def edit_file(self, path: str) -> str:
        """Where a file is edited."""
        return self._page(1, path)

    def _page(self, which: int, path: str) -> str:
        parts: Mapping[str, str] = {
            "branch": quote(self.branch),
            "path": quote(path),
            "folder": quote(PurePosixPath(path).parent.as_posix()),
        }
        return f"{self.address}/{_PAGES[self.host][which].format(**parts)}"

    def address_for(self, one: Translation) -> str:
        """Where a translation is begun, or gone on with."""
        if one.text is not None:
            return self.edit_file(one.text.name)
        return self.new_file(path_of(one), begin(one))


def guess_host(address: str) -> str:
    """The kind of host that an address names, "" where that cannot be told."""
    return _KNOWN.get(urlsplit(address).hostname or "", "")


def path_of(one: Translation) -> str:
    """Where a translation stands in the repository, or will stand."""
    if one.text is not None:
        return one.text.name
    source = PurePosixPath(one.source.name)
    return source.parent.with_name(one.lang).joinpath(f"{one.key}.md").as_posix()


def begin(one: Translation) -> str:
    """The beginning of a translation's file: what its translator fills in, and what it was made from.

    `Status: draft` is not in it: what is proposed at a code host is published when an editor takes it.
    """
    template = next(iter(one.source.fields.get("template", ())), "")
    lines = ["Title: ", "Summary: ", f"Translated_from: {one.source.lang}", "Translator: withheld"]
    lines += [f"Template: {template}"] if template else []
    return "\n".join(lines) + "\n\n"
