"""The plugin's settings, read once into a frozen record.

The fields of `Configuration` are the documentation: their names (upper case, prefixed
`TRANSLATORS_`), defaults and meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .repository import HOSTS, Repository, guess_host

PREFIX = "TRANSLATORS_"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings of the plugin."""

    #: Fields of the header that are translated beside `Title:` and `Summary:`.
    fields: tuple[str, ...] = ("image_alt", "image_caption", "image_credit", "tab_title")
    #: How what recurs is written in each language, relative to PATH; "" for none.
    glossary: str = "glossary.yaml"
    #: Folders of gettext catalogues that a language needs, relative to the project's folder.
    catalogues: tuple[str, ...] = ("theme/messages",)
    #: YAML files with a text for each language, relative to PATH.
    tables: tuple[str, ...] = ("terms.yaml",)
    #: Whose name stands in Git for what `--commit` commits, as in "The desk <desk@example.org>"; "" for nobody's.
    committer: str = ""
    #: The repository's address at a code host, such as "https://github.com/owner/name"; "" for no links to its editor.
    repository: str = ""
    #: What kind of host that is where its address does not tell: "github", "gitlab" or "gitea" (Forgejo too).
    repository_host: str = ""
    #: The branch that translations are proposed for.
    repository_branch: str = "main"
    #: Where the dashboard is written, relative to the project's folder.
    dashboard: str = "var/translations"


def read_configuration(settings: Mapping[str, Any]) -> Configuration:
    """Read the `TRANSLATORS_*` settings. Raises ConfigurationError for a wrong name or value."""
    known = {PREFIX + field.name.upper(): field.name for field in fields(Configuration)}
    stated = {name: value for name, value in settings.items() if name.startswith(PREFIX)}
    for name, value in stated.items():
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0) or sorted(known)
            raise ConfigurationError(name, value, f"unknown setting. Did you mean {near[0]!r}?")
    values = {known[name]: value for name, value in stated.items()}
    for name, example in (("fields", "image_alt"), ("catalogues", "theme/messages"), ("tables", "terms.yaml")):
        stated_list = values.get(name, ())
        if not isinstance(stated_list, (list, tuple)) or not all(isinstance(one, str) for one in stated_list):
            raise ConfigurationError(PREFIX + name.upper(), stated_list, f"use a list of {name}, such as [{example!r}]")
        if name in values:
            values[name] = tuple(one.lower() if name == "fields" else one for one in stated_list)
    if not isinstance(values.get("glossary", ""), str):
        raise ConfigurationError(PREFIX + "GLOSSARY", values["glossary"], 'use a path, or "" for none')
    for name in ("committer", "repository", "repository_host", "repository_branch", "dashboard"):
        if not isinstance(values.get(name, ""), str):
            raise ConfigurationError(PREFIX + name.upper(), values[name], "use text")
    configuration = Configuration(**values)
    _check_repository(configuration)
    return configuration


def _check_repository(configuration: Configuration) -> None:
    address, host = configuration.repository, configuration.repository_host
    parts = urlsplit(address)
    if address and (parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment):
        remedy = 'use the address of its first page, such as "https://github.com/owner/name"'
        raise ConfigurationError(PREFIX + "REPOSITORY", address, remedy)
    if host not in ("", *HOSTS) or (address and not host and not guess_host(address)):
        raise ConfigurationError(PREFIX + "REPOSITORY_HOST", host, f"use one of {', '.join(HOSTS)}")
    for name in ("repository_branch", "dashboard"):
        if not getattr(configuration, name):
            raise ConfigurationError(PREFIX + name.upper(), "", "state one, or leave the setting out")


def open_repository(configuration: Configuration) -> Repository | None:
    """The repository that the settings name, None where they name none."""
    address = configuration.repository.rstrip("/").removesuffix(".git")
    if not address:
        return None
    return Repository(address, configuration.repository_host or guess_host(address), configuration.repository_branch)
