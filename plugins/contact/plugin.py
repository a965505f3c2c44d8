"""Receivers of Pelican's signals."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context
from pelican import Pelican
from pelican.generators import Generator
from pelican.plugins import signals

from .check import check_forms, check_intake, check_invented
from .formats import WriteNumber, format_duration, format_size
from .settings import read_contact

logger = logging.getLogger(__name__)


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(refuse_mistakes)
    signals.generator_init.connect(begin)


def refuse_mistakes(pelican: Pelican) -> None:
    """Read the settings before anything is built. Raises ConfigurationError."""
    if _is_used(pelican.settings):
        read_contact(pelican.settings)


def begin(generator: Generator) -> None:
    """Give templates the record and two filters; each run reads again, since files may have changed."""
    if not _is_used(generator.settings):
        return
    generator.env.filters.setdefault("duration", write_duration)
    generator.env.filters.setdefault("filesize", write_size)
    context = generator.context
    if "contact" not in context:
        context["contact"] = read_contact(generator.settings)
        context.setdefault("CHECKS", []).append(partial(check, context))
        if form := context["contact"].intake_url:
            context.setdefault("SERVED_BESIDE", set()).add(form)


def _is_used(settings: dict[str, Any]) -> bool:
    """Receivers outlive the site that asked for them; Pelican has put the names of the loaded plugins there."""
    return __package__ in settings["PLUGINS"]


def check(context: dict[str, Any], output: Path, *, production: bool) -> None:
    """Look at a finished build; `production` is one that readers will see."""
    report = context.get("report_problem") or _log_problem
    site_url = str(context.get("PUBLIC_URL") or context.get("SITEURL") or "")
    check_forms(context["contact"], output, report, site_url)
    if production:
        check_invented(context["contact"], report)
        check_intake(context["contact"], report)


def _log_problem(where: str, what: str, remedy: str) -> None:
    logger.error("%s: %s. %s", where, what, remedy)


@pass_context
def write_duration(context: Context, minutes: int) -> str:
    """Jinja filter: minutes in the page's words and digits."""
    return format_duration(minutes, *_manner(context))


@pass_context
def write_size(context: Context, size: int) -> str:
    """Jinja filter: bytes in the page's words and digits."""
    return format_size(size, *_manner(context))


def _manner(context: Context) -> tuple[Locale, WriteNumber]:
    """How the page writes: its edition's locale, or the site's; `localnumber` where there is one."""
    edition = context.get("edition")
    locale = edition.language.locale if edition else _locale(str(context.get("DEFAULT_LANG", "")))
    return locale, context.environment.filters.get("localnumber") or partial(format_decimal, locale=locale)


def _locale(lang: str) -> Locale:
    try:
        return Locale.parse(lang.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
