"""Receivers of Pelican's signals."""

from __future__ import annotations

import logging
import os
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from pelican import Pelican
from pelican.contents import Article, Content
from pelican.generators import ArticlesGenerator, Generator
from pelican.plugins import signals
from pelican.writers import Writer

from .articles import Voice, wish_of
from .campaigns import read_campaigns, write_campaigns
from .composition import Composer
from .forms import SignupForm, find_contradiction
from .look import find_messages
from .providers import make_form
from .settings import Configuration, read_configuration

logger = logging.getLogger(__name__)

_LISTS = ("articles", "translations", "hidden_articles", "hidden_translations")


class _State:
    """The settings of the Pelican object that was made last, if it uses the plugin, and where its project is."""

    configuration: Configuration | None = None
    form: SignupForm | None = None
    siteurl: str = ""
    root: Path = Path()


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.generator_init.connect(begin)
    signals.content_object_init.connect(set_digest)
    signals.all_generators_finalized.connect(check)
    signals.article_writer_finalized.connect(compose)


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    _State.configuration = None
    settings = pelican.settings
    # Pelican has put the names of the loaded plugins there.
    if __package__ in settings["PLUGINS"]:
        _State.configuration = read_configuration(settings)
        _State.form = make_form(_State.configuration)
        _State.siteurl = str(settings["SITEURL"])
        content = Path(settings["PATH"])
        _State.root = Path.cwd() if content.is_relative_to(Path.cwd()) else content.parent


def begin(generator: Generator) -> None:
    """Give templates the sign-up form, and have `./blog check` hold the privacy page to who gets what is filled in."""
    configuration, context = _State.configuration, generator.context
    if configuration is not None and "newsletter_form" not in context:
        context["newsletter_form"] = _State.form
        context.setdefault("CHECKS", []).append(partial(check_claim, context, configuration))


def check_claim(context: dict[str, Any], configuration: Configuration, output: Path, *, production: bool) -> None:
    """Report what the privacy page would say wrongly, on a site that states PRIVACY_MAILING_SERVICE."""
    name = "PRIVACY_MAILING_SERVICE"
    found = find_contradiction(configuration, context[name] or None) if name in context else None
    if found:
        _report(context, name, *found, warning=not production)


def set_digest(content: Content) -> None:
    """Name what an article's page is made from, by which a deployed page is known to be the one that was built.

    Over the file as its author wrote it: what plugins make of it may depend on the site's address.
    """
    if _State.configuration is not None and isinstance(content, Article):
        path = Path(content.source_path or "")
        written = path.read_bytes() if path.is_file() else str(content._content).encode()
        lines = b"\n".join([str(content.lang).encode(), *written.removeprefix(b"\xef\xbb\xbf").splitlines()])
        content.content_digest = sha256(lines).hexdigest()[:32]


def check(generators: list[Generator]) -> None:
    """Look at what articles state of the newsletter, once everything is read and nothing is written yet."""
    context = generators[0].context
    if _State.configuration is None or not _State.configuration.composes:
        return
    if "MESSAGES" in context:  # multilingual looks whether every language has them
        context["MESSAGES"].update(find_messages())
    for article in context["generated_content"].values():
        if isinstance(article, Article):
            try:
                wish_of(article)
            except ValueError as error:
                what = f"Newsletter: {error} is neither yes nor no"
                _report(context, article, what, "Write yes or no.", field="newsletter")


def compose(generator: ArticlesGenerator, writer: Writer) -> None:
    """Compose what the articles make, whose links Pelican has resolved by now, and whose pages it has written."""
    configuration = _State.configuration
    if configuration is None or not configuration.composes:
        return
    if not _State.siteurl.startswith(("https://", "http://")):
        logger.warning("SITEURL = %r: no campaigns are composed, since letters need whole addresses", _State.siteurl)
        return
    folder = _State.root / configuration.campaigns
    articles, kept = [one for name in _LISTS for one in getattr(generator, name)], {}
    edited = generator.context.get("EDITED_TEXTS")
    # A writer waits for the page. Other texts' letters are as they were; one of a week tells of several.
    if edited and folder.is_dir() and not configuration.digest:
        articles, kept = [one for one in articles if str(one.source_path) in edited], read_campaigns(folder)
    composer = Composer(configuration, _State.siteurl, _voice_of(generator.env), _today())
    write_campaigns(folder, (kept | {one.key: one for one in composer.compose(articles)}).values())


def _voice_of(environment: Any) -> Voice:
    """The site's languages where multilingual speaks them, else English."""
    say = environment.globals.get("message_in")
    if say is None:
        return Voice()
    return Voice(say, environment.filters["localdate"], environment.filters["localnumber"])


def _today() -> date:
    """The day in UTC; that of SOURCE_DATE_EPOCH where it is set (reproducible-builds.org)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return (datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)).date()


def _report(
    context: dict[str, Any], where: Content | str, what: str, remedy: str, *, warning: bool = False, **more: str
) -> None:
    """Report a finding through multilingual where it is in use, else in the log."""
    if report := context.get("report_problem"):
        report(where, what, remedy, warning=warning, **more)
    else:
        place = where if isinstance(where, str) else where.relative_source_path
        logger.log(logging.WARNING if warning else logging.ERROR, "%s: %s. %s", place, what, remedy)
