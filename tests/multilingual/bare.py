"""A theme that shows what a template is given, in markup that no redesign changes, and what a page of it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import html

from tests.multilingual.sites import Site

TEMPLATES = (
    "index", "archives", "period_archives", "article", "page", "topic", "topics", "author", "authors", "tag", "tags",
    "category", "categories", "country", "countries", "chooser", "neutral", "not_found", "withdrawn",
)  # fmt: skip
TEMPLATE = """\
<!DOCTYPE html>
<html lang="{{ edition.lang if edition else DEFAULT_LANG }}" dir="{{ edition.direction if edition else 'ltr' }}">
<head><meta charset="utf-8"><title>{{ SITENAME }}</title><meta name="template" content="THIS">
{% include "multilingual/head.html" %}</head>
{% macro remark(class, notes) %}
{% for note in notes %}<p class="{{ class }}">{{ note.date|localdate }}: {{ note.text }}</p>{% endfor %}
{% endmacro %}
{% macro row(class, one) %}
<li class="{{ class }}" data-url="/{{ one.url }}" lang="{{ one.lang }}" dir="{{ one.language.direction }}">
{{ one.title }}
{%- endmacro %}
<body data-menu="{{ MENU|default('') }}" data-subtitle="{{ SITESUBTITLE|default('') }}">
{% for one in switcher or () %}
<a class="switch" data-lang="{{ one.lang }}" data-dir="{{ one.direction }}" data-name="{{ one.name }}"
data-url="/{{ one.url }}" data-exact="{{ one.exact }}" data-kind="{{ one.kind }}" data-current="{{ one.current }}"></a>
{% endfor %}
{% set piece = article or (page if page and page.content is defined else none) %}
{% if period %}<h1>{{ period|join(" ") }}</h1>{% elif term %}<h1>{{ term.name }}</h1>
{% elif piece %}<h1>{{ piece.title }}</h1>
<div id="date">{{ piece.locale_date }}</div>
<div id="summary">{{ piece.summary|safe }}</div><div id="content">{{ piece.content|safe }}</div>
{{ remark("correction", piece.corrections) }}{{ remark("retraction", [piece.retraction] if piece.retraction else ()) }}
{% endif %}
{{ remark("withdrawal", [withdrawal] if withdrawal else ()) }}
{% if articles_page %}
{% for one in articles_page.object_list %}{{ row("article", one) }}{% endfor %}
{% for one in dates_page.object_list %}{{ row("date", one) }}{% endfor %}
{% if articles_previous_page %}<a rel="prev" data-url="/{{ articles_previous_page.url }}"></a>{% endif %}
{% if articles_next_page %}<a rel="next" data-url="/{{ articles_next_page.url }}"></a>{% endif %}
{% endif %}
{% for one in untranslated or () %}{{ row("untranslated", one) }}{% endfor %}
{% for one in untranslated_pages or () %}{{ row("untranslated-page", one) }}{% endfor %}
{% for one in versions or () %}{{ row("version", one) }}{% endfor %}
{% for language, newest in headlines or () %}
<li class="headline" lang="{{ language.lang }}" data-url="/{{ language.url }}">{{ newest.title }}
{%- endfor %}
{% for one, its in terms or () %}
<li class="term" data-url="/{{ one.url }}" lang="{{ one.name_lang }}">{{ one.name }} {{ its|length }}
{%- endfor %}
{% for one in pages or () %}{{ row("in-menu", one) }}{% endfor %}
{% if term_feed_url %}<a class="feed" data-url="/{{ term_feed_url }}"></a>{% endif %}
</body></html>
"""


@dataclass(frozen=True)
class Switch:
    """One language of a page's switcher."""

    url: str
    exact: bool
    kind: str
    current: bool


@dataclass(frozen=True)
class Page:
    """What a page of the bare theme says. Lists are of addresses, in their order."""

    template: str
    lang: str
    direction: str
    heading: str
    articles: list[str]
    dates: list[str]
    untranslated: list[str]
    versions: list[str]
    terms: list[str]
    pages: list[str]
    switcher: dict[str, Switch]
    alternates: dict[str, str]
    canonical: str | None
    noindex: bool
    previous: str | None
    next: str | None
    document: html.HtmlElement

    def texts(self, css_class: str) -> list[str]:
        """What the elements of a class say."""
        return [element.text_content().strip() for element in self.document.find_class(css_class)]


def undress(site: Site) -> Site:
    """Give a site the bare theme."""
    templates = Path(site.folder, "bare", "templates")
    templates.mkdir(parents=True, exist_ok=True)
    for name in TEMPLATES:
        (templates / f"{name}.html").write_text(TEMPLATE.replace("THIS", name), "utf-8")
    site.settings(THEME=str(templates.parent))
    return site


def look(site: Site, url: str) -> Page:
    """Read a page of a site in the bare theme."""
    document = site.html(url)

    def urls(css_class: str) -> list[str]:
        return [element.get("data-url", "") for element in document.find_class(css_class)]

    def first(path: str) -> str | None:
        found = document.xpath(path)
        return str(found[0]) if isinstance(found, list) and found else None

    return Page(
        template=first("//meta[@name='template']/@content") or "",
        lang=document.get("lang") or "",
        direction=document.get("dir") or "",
        heading=first("//h1/text()") or "",
        articles=urls("article"),
        dates=urls("date"),
        untranslated=urls("untranslated"),
        versions=urls("version"),
        terms=urls("term"),
        pages=urls("in-menu"),
        switcher={
            str(one.get("data-lang")): Switch(
                str(one.get("data-url")),
                one.get("data-exact") == "True",
                str(one.get("data-kind")),
                one.get("data-current") == "True",
            )
            for one in document.find_class("switch")
        },
        alternates={
            str(link.get("hreflang")): str(link.get("href"))
            for link in document.iter("link")
            if link.get("hreflang") and not link.get("type")
        },
        canonical=first("//link[@rel='canonical']/@href"),
        noindex=first("//meta[@name='robots']/@content") == "noindex",
        previous=first("//a[@rel='prev']/@data-url"),
        next=first("//a[@rel='next']/@data-url"),
        document=document,
    )
