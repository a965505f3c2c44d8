"""Receivers of Pelican's signals: each hands over to plain code, with what the run so far has brought."""

from __future__ import annotations

import logging
import os
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pelican import Pelican
from pelican.generators import ArticlesGenerator, Generator, PagesGenerator
from pelican.plugins import signals

from .check import Expectation, inspect
from .compression import compress_files
from .exits import languages_without_exit, read_exits
from .header_file import write_headers
from .policy import Policy
from .privacy import Privacy, read_privacy
from .settings import Configuration, read_configuration
from .site import lasting_folders, make_policy
from .well_known import ROBOTS_TXT, SECURITY_TXT, SecurityContact, expiry, robots_txt

logger = logging.getLogger(__name__)


class _Run:
    """What is known of the current run. Renewed by `prepare` and `begin`."""

    is_used = False
    configuration = Configuration()
    privacy: Privacy | None = None
    policy = Policy()
    context: dict[str, Any] | None = None
    newest: date | None = None
    #: Addresses of pages by key and language, on a site without multilingual.
    pages: dict[str, dict[str, str]] = {}  # noqa: RUF012 (replaced by each run)


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.generator_init.connect(begin)
    signals.all_generators_finalized.connect(survey)
    signals.finalized.connect(complete_output)


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    settings, _Run.context = pelican.settings, None
    # Receivers outlive the site that asked for them; Pelican has put the names of the loaded plugins there.
    _Run.is_used = __package__ in settings["PLUGINS"]
    if not _Run.is_used:
        return
    _Run.configuration = read_configuration(settings)
    _Run.privacy = read_privacy(settings)
    read_exits(settings)
    # Receivers are called in the order they were connected. The copies are made of what all the others have finished.
    signals.finalized.disconnect(complete_output)
    signals.finalized.connect(complete_output)


def begin(generator: Generator) -> None:
    """Give the templates of a run their policy and claims."""
    context = generator.context
    if not _Run.is_used or context is _Run.context:
        return
    _Run.context, _Run.newest, _Run.pages = context, None, {}
    _Run.policy = make_policy(generator.settings, _Run.configuration)
    context["content_policy"] = Markup(_Run.policy.meta())  # noqa: S704 (read_configuration lets no < & " through)
    context["content_policy_inline"] = Markup(_Run.policy.meta(inline_styles=True))  # noqa: S704
    if _Run.privacy is not None:
        context["privacy"] = _Run.privacy
    context.setdefault("CHECKS", []).append(partial(check, context))


def survey(generators: list[Generator]) -> None:
    """Note the newest text and, for sites without multilingual, where pages are; refuse two claims to one file."""
    if _Run.context is None:
        return
    days = []
    for generator in generators:
        contents: list[Any] = []
        if isinstance(generator, ArticlesGenerator):
            contents = [*generator.articles, *generator.translations]
        elif isinstance(generator, PagesGenerator):
            contents = [*generator.pages, *generator.translations]
            for page in contents:
                _Run.pages.setdefault(page.slug, {})[page.lang] = page.url
        days += [
            getattr(content, name).date()
            for content in contents
            for name in ("date", "modified", "listed")
            if getattr(content, name, None) is not None
        ]
    _Run.newest = max(days, default=None)
    epoch = os.environ.get("SOURCE_DATE_EPOCH")  # reproducible-builds.org/specs/source-date-epoch
    if epoch:
        _Run.newest = datetime.fromtimestamp(int(epoch), UTC).date()
    context = _Run.context
    ours = {name for name, wanted in _files().items() if wanted}
    for static in context.get("staticfiles", ()):
        if static.get_url_setting("save_as") in ours:
            what = f"the build writes {static.get_url_setting('save_as')} itself"
            _report(context, static.source_path, what, "Rename this file, or switch the POLICY_ setting off.")


def _files() -> dict[str, bool]:
    configuration = _Run.configuration
    return {
        SECURITY_TXT: bool(_contacts(_Run.context or {})),
        ROBOTS_TXT: configuration.robots,
        **dict.fromkeys(configuration.header_files, True),
    }


def complete_output(pelican: Pelican) -> None:
    """Write what stands beside the pages; last of all the compressed copies."""
    context, configuration, output = _Run.context, _Run.configuration, Path(pelican.output_path)
    if context is None:
        return
    security = _security_contact(context)
    if security is not None:
        _write(output / SECURITY_TXT, security.text())
    if configuration.robots:
        site_url = pelican.settings["SITEURL"]
        sitemap = pelican.settings.get("MULTILINGUAL_SITEMAP") or "sitemap.xml"
        has_sitemap = site_url and (output / sitemap).is_file()
        _write(output / ROBOTS_TXT, robots_txt([f"{site_url}/{sitemap}"] if has_sitemap else []))
    for name in configuration.header_files:
        _write(output / name, write_headers(_Run.policy.headers(), lasting_folders(pelican.settings)))
    if configuration.precompress:
        statics = context.get("staticfiles", ())
        compress_files(output, {Path(output, static.save_as) for static in statics})


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


def _security_contact(context: dict[str, Any]) -> SecurityContact | None:
    contacts, site_url = _contacts(context), _public_url(context)
    expires = expiry(_Run.configuration.security_expires, _Run.newest)
    if not contacts or not site_url or expires is None:
        return None
    if not _Run.configuration.security_contact:
        contacts += _address_of(context, _Run.configuration.contact_page)
    return SecurityContact(
        contacts,
        expires,
        tuple(_languages(context)),
        f"{site_url}/{SECURITY_TXT}",
        next(iter(_address_of(context, _Run.configuration.safety_page)), ""),
    )


def _contacts(context: dict[str, Any]) -> tuple[str, ...]:
    email = context.get("CONTACT_EMAIL")
    return _Run.configuration.security_contact or ((f"mailto:{email}",) if email else ())


def _address_of(context: dict[str, Any], key: str) -> tuple[str, ...]:
    """The absolute address of a page in the default language, else in the first that has it."""
    pages = _pages(context, key)
    langs = (str(context["DEFAULT_LANG"]), *_languages(context))
    return next(((f"{_public_url(context)}/{pages[lang]}",) for lang in langs if lang in pages), ())


def _pages(context: dict[str, Any], key: str) -> dict[str, str]:
    known: dict[str, str] | None = context.get("PAGES_BY_IDENTITY", {}).get(("page", key))
    return known if known is not None else _Run.pages.get(key, {})


def _languages(context: dict[str, Any]) -> list[str]:
    editions = [edition.lang for edition in context.get("editions", ())]
    return editions or [str(context["DEFAULT_LANG"])]


def _public_url(context: dict[str, Any]) -> str:
    return str(context.get("PUBLIC_URL") or context.get("SITEURL") or "").rstrip("/")


# ./blog check


def check(context: dict[str, Any], output: Path, *, production: bool) -> None:
    """Compare a finished build with the table and the claims."""
    pages = _pages(context, _Run.configuration.privacy_page)
    expected = Expectation(
        _Run.policy,
        _Run.privacy,
        {lang: pages.get(lang, "") for lang in _languages(context)},
        expiry(_Run.configuration.security_expires, _Run.newest),
        not _contacts(context),
        tuple(languages_without_exit(context)),
    )
    for finding in inspect(output, expected, production=production):
        _report(context, finding.where, finding.what, finding.remedy, warning=finding.warning)


def _report(context: dict[str, Any], where: str, what: str, remedy: str, *, warning: bool = False) -> None:
    report_problem = context.get("report_problem")
    if report_problem is not None:
        report_problem(where, what, remedy, warning=warning)
    else:
        logger.log(logging.WARNING if warning else logging.ERROR, "%s: %s. %s", where, what, remedy)
