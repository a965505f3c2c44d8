"""Receivers of Pelican's signals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader
from pelican import Pelican
from pelican.contents import Article, Content, Page
from pelican.generators import Generator, PelicanTemplateNotFound
from pelican.plugins import signals

from .content import Text
from .corrections import authority_of, feed_id, list_corrections, pass_on
from .glossary import open_glossary
from .kit.composition import MESSAGES
from .messages import TEMPLATES, find_messages
from .outdated import find_changes
from .parity import Finding, find_leftovers, review
from .settings import Configuration, open_repository, read_configuration
from .states import Survey, Translation
from .tasks import Task, list_tasks


class _State:
    """The settings of the Pelican object that was made last, if it uses the plugin."""

    configuration: Configuration | None = None


def connect() -> None:
    """Connect every receiver. Pelican holds them weakly, so they are module functions."""
    signals.initialized.connect(prepare)
    signals.all_generators_finalized.connect(look)


def prepare(pelican: Pelican) -> None:
    """Read the settings. Raises ConfigurationError, which ends the build."""
    _State.configuration = None
    # Pelican has put the names of the loaded plugins there.
    if __package__ in pelican.settings["PLUGINS"]:
        _State.configuration = read_configuration(pelican.settings)


def look(generators: list[Generator]) -> None:
    """Tell every translation how it stands to its source, and plan the pages that say so."""
    context = generators[0].context
    if _State.configuration is None or "take_inventory" not in context:  # without multilingual, nothing is translated
        return
    context["MESSAGES"].update((*find_messages(TEMPLATES), *MESSAGES))
    site = _Site(context, _State.configuration)
    site.judge()
    for error in site.survey.unreadable:
        context["report_problem"](error.where, error.what, f"{error.remedy}.", warning=True)
    for text in site.survey.inventory.texts:
        _report(context, find_leftovers(text))
    context["CHECKS"].append(partial(advise, context, _State.configuration, site.survey))
    context["translators_tasks"] = site.list_tasks
    generator = generators[0]
    if isinstance(generator.env.loader, ChoiceLoader):
        generator.env.loader.loaders = [*generator.env.loader.loaders, FileSystemLoader(TEMPLATES)]
    if _has_template(generator, "corrections"):
        context["PLANNERS"].append(partial(plan_corrections, context))
    if _has_template(generator, "changes"):
        context["PLANNERS"].append(partial(plan_changes, context))


def advise(context: dict[str, Any], configuration: Configuration, survey: Survey, *_: Any, **__: Any) -> None:
    """Look at every translation beside its source, for `check`."""
    _report(context, review(survey, open_glossary(survey, configuration)))


def _report(context: dict[str, Any], findings: Iterable[Finding]) -> None:
    for one in findings:
        context["report_problem"](one.file, one.what, one.remedy, line=one.line, warning=not one.is_mistake)


def _has_template(generator: Generator, name: str) -> bool:
    """Whether the theme has a template: one that knows nothing of the desk gets no pages from it."""
    try:
        generator.get_template(name)
    except PelicanTemplateNotFound:
        return False
    return True


class _Site:
    """The texts as files, and as Pelican's objects."""

    def __init__(self, context: dict[str, Any], configuration: Configuration) -> None:
        self.survey = Survey(context["take_inventory"](), configuration)
        self._repository = open_repository(configuration)
        self._contents = {
            (_kind(content), content.translation_key, str(content.lang)): content
            for content in context["generated_content"].values()
            if isinstance(content, Article | Page) and getattr(content, "in_language_folder", False)
        }

    def judge(self) -> None:
        """Set on each text `translation_state` ("" for a source) and `outdated`, and pass corrections on."""
        for content in self._contents.values():
            content.translation_state, content.outdated = "", None
        for group in self.survey.groups:
            for one in group.translations.values():
                content, source = self._find(one.text), self._find(one.article)
                if content is not None and source is not None:
                    self._judge(content, source, one)

    def _judge(self, content: Content, source: Content, one: Translation) -> None:
        content.translation_state = one.state
        content.outdated = find_changes(
            self.survey, one, content._content or "", str(content.url), str(content.save_as)
        )
        pass_on(content, source, one.notes)

    def _find(self, text: Text | None) -> Any:
        return self._contents.get((text.kind, text.key, text.lang)) if text else None

    def _find_published(self, text: Text) -> Any:
        content = self._find(text)
        return content if content is not None and content.status == "published" else None

    def list_tasks(self, lang: str) -> list[Task]:
        """What readers of a language could be asked to translate."""
        return list(list_tasks(self.survey, lang, self._find_published, self._repository))


def plan_changes(context: dict[str, Any], edition: Any) -> Iterator[Mapping[str, Any]]:
    """A page for each outdated translation that shows what has changed in its source."""
    for piece in (*edition.articles, *edition.hidden_articles, *edition.pages, *edition.hidden_pages):
        further = context["PAGES_BY_IDENTITY"].setdefault(("changes", piece.translation_key), {})
        further[edition.lang] = piece.url  # who changes the language there comes to the text itself
        if outdated := getattr(piece, "outdated", None):
            yield {
                "identity": ("changes", piece.translation_key),
                "save_as": outdated.save_as,
                "url": outdated.url,
                "template": "changes",
                "variables": {"piece": piece},
                "listed": False,
                "noindex": True,
                "origin": piece.source_path,
            }


def plan_corrections(context: dict[str, Any], edition: Any) -> Iterator[Mapping[str, Any]]:
    """An edition's list of corrections, and its feed."""
    authority = authority_of(context)
    entries = list_corrections(edition.articles, authority)
    prefix = edition.language.prefix
    page = {"identity": ("corrections", ""), "save_as": f"{prefix}corrections/index.html"}
    yield page | {"url": f"{prefix}corrections/", "template": "corrections", "variables": {"entries": entries}}
    if context.get("PUBLIC_URL") and edition.articles:
        feed = f"{prefix}corrections.atom"
        # A feed tells when it was changed. With nothing corrected yet, that is when anything came out.
        days = [entry.day for entry in entries] or [article.listed.date() for article in edition.articles]
        variables = {"entries": entries, "feed_id": feed_id(authority, feed), "updated": max(days)}
        yield {
            "identity": ("corrections feed", ""),
            "save_as": feed,
            "url": feed,
            "template": "translators/corrections_feed",
            "variables": variables,
            "listed": False,
            "noindex": True,
        }


def _kind(content: Content) -> str:
    return "article" if isinstance(content, Article) else "page"
