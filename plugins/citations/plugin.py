"""Receivers of Pelican's signals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from pelican import Pelican
from pelican.contents import Article, Content
from pelican.generators import Generator
from pelican.plugins import signals

from .biblatex import write_biblatex
from .linked_data import LinkedData
from .reference import describe, is_citable
from .revision import compute_revision
from .ris import write_ris
from .settings import Configuration, read_configuration
from .sources import read_sources

logger = logging.getLogger(__name__)

_ENDINGS = (".bib", ".ris")


class _State:
    """The settings of the Pelican object that was made last, if it uses the plugin; where its messages come from."""

    configuration: Configuration | None = None
    environment: Any = None


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.generator_init.connect(equip)
    signals.content_object_init.connect(set_revision)
    signals.all_generators_finalized.connect(check)
    signals.content_written.connect(write_references)


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    _State.configuration = None
    # Pelican has put the names of the loaded plugins there.
    if __package__ in pelican.settings["PLUGINS"]:
        _State.configuration = read_configuration(pelican.settings)


def equip(generator: Generator) -> None:
    """Give themes `linked_data`, and have `tojson` write other scripts than Latin as they are."""
    if _State.configuration is None:
        return
    _State.environment = generator.env
    generator.env.globals["linked_data"] = LinkedData(_State.configuration)
    # Six characters for each letter of a Persian title are none the fewer for being compressed.
    kwargs = generator.env.policies["json.dumps_kwargs"]
    generator.env.policies["json.dumps_kwargs"] = {**kwargs, "ensure_ascii": False}


def set_revision(content: Content) -> None:
    """Name the wording of an article as it was read, before anything is done to its text."""
    if _State.configuration is not None and isinstance(content, Article):
        content.revision = compute_revision(str(content.lang), str(content.title), content._content or "")


def check(generators: list[Generator]) -> None:
    """Look at all articles once everything is read, and nothing is written yet."""
    if _State.configuration is None:
        return
    context = generators[0].context
    articles = [one for one in context["generated_content"].values() if isinstance(one, Article)]
    for article in articles:
        if getattr(article, "withdrawal", None):
            article.revision = ""  # of a text that is gone, not even its fingerprint stays
    _check_collisions(context, articles)
    if _State.configuration.access_dates:
        look = partial(_check_sources, context, articles)
        if "CHECKS" in context:  # a warning is for whoever asks: a build need not read every source for it
            context["CHECKS"].append(look)
        else:
            look()


def _check_sources(context: dict[str, Any], articles: Iterable[Article], *_: Any, **__: Any) -> None:
    for article in articles:
        for source in read_sources(article._content or "") if not getattr(article, "withdrawal", None) else ():
            if source.lacks_access_date:
                what = f"source {source.number} names a web address and no day on which it was read"
                remedy = f"Write the day behind {source.addresses[-1]}."
                _report(context, article, what, remedy, warning=True)


def _check_collisions(context: dict[str, Any], articles: list[Article]) -> None:
    # Not `static.save_as`: to ask for it would fix it, before `{attach}` can change it.
    statics = {str(one.get_url_setting("save_as")).casefold(): one for one in context["static_content"].values()}
    for article in articles if statics else ():
        for name in files_of(article) if is_citable(article) else ():
            if static := statics.get(name.casefold()):
                what = f"the file /{name} is written beside the article"
                _report(context, static, what, "Give yours another name or folder.", warning=False)


def _report(context: dict[str, Any], content: Content, what: str, remedy: str, *, warning: bool) -> None:
    """Report a finding through multilingual where it is in use, else in the log."""
    if report := context.get("report_problem"):
        report(content, what, remedy, warning=warning)
    else:
        level = logging.WARNING if warning else logging.ERROR
        logger.log(level, "%s: %s. %s", content.relative_source_path, what, remedy)


def write_references(path: str, context: dict[str, Any]) -> None:
    """Write the files for reference managers beside an article's page, just written."""
    article = context.get("article")
    if _State.configuration is None or not isinstance(article, Article) or not is_citable(article):
        return
    if context["output_file"] != article.save_as:  # another page that shows the article
        return
    reference = describe(article, _State.configuration.organisations)
    texts = (write_biblatex(reference, _messages_of(article)), write_ris(reference, _messages_of(article)))
    for name, text in zip(files_of(article), texts, strict=True):
        Path(path).with_name(PurePosixPath(name).name).write_bytes(text.encode("utf-8"))


def _messages_of(article: Article) -> Callable[[str], str]:
    """The theme's messages in the article's language; where there are none, English."""
    message_in = _State.environment.globals.get("message_in")
    return partial(message_in, article.lang) if message_in else str


def files_of(article: Article) -> Iterator[str]:
    """Where an article's files are: `cite.bib` in the folder of an `index.html`, else `name.bib` for `name.html`."""
    page = PurePosixPath(article.save_as)
    stem = "cite" if page.stem == "index" else page.stem
    return (page.with_name(stem + ending).as_posix() for ending in _ENDINGS)
