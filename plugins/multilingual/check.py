"""What an editor must know before publishing, beyond what stops a build."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from babel.messages.extract import extract_from_dir

from .addresses import is_public
from .build import BuildResult, Progress, run_pelican
from .errors import Problem, in_order
from .readers import name_of
from .site import Site

ADDRESSES = "addresses.txt"
_ADDRESSES_HEAD = (
    "# Every address that was once published; `./blog check --production` adds to it and\n"
    "# refuses to lose one. An address that goes needs a redirect (redirects.txt).\n"
)
_KEYWORDS: dict[str, Any] = {
    "gettext": None, "_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3), "message_in": (2,),
}  # fmt: skip
#: Texts that the plugin itself says, in feeds.
_UNCALLED = re.compile(r"fnref\d*:(.+)")
_OWN_MESSAGES = ("Corrected", "Retracted")
#: How many missing messages of a catalogue are named one by one.
_SINGLE_MESSAGES = 5
# A form posts to a service, which has no file here.
_TAG = re.compile(r"<(?:a|link|img|script|source)\b[^>]*>", re.IGNORECASE)
_TARGET = re.compile(r"\b(?:href|src)=(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_ID = re.compile(r"\b(?:id|name)=(?:\"([^\"]*)\"|'([^']*)')")


def check_site(
    settings_file: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    production: bool = False,
    progress: Progress | None = None,
    template_cache: Path | None = None,
) -> BuildResult:
    """Build into a temporary folder and look at what came out.

    With `production` it is looked at as what will be published; when nothing is wrong, its
    new addresses are added to the list of those that may never be lost. A `template_cache` folder
    keeps compiled templates, as it does for a build.
    """
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        output = Path(folder, "output")
        output.mkdir()
        result = run_pelican(
            settings_file, output, overrides=overrides, progress=progress, template_cache=template_cache
        )
        site = result.site
        if site is None or result.errors:
            return result
        found = [
            *check_messages(site),
            *check_terms(site),
            *check_summaries(site),
            *check_addresses(site),
            *check_output_links(site, output),
            *check_further(site, output, production=production),
        ]
    result.problems = in_order([*result.problems, *found])
    if production and not result.errors:
        record_addresses(site)
    return result


def check_messages(site: Site) -> Iterator[Problem]:
    """Texts of the theme, and of plugins, that a language has no finished translation for.

    Many of a catalogue are said in one line: it has been begun, and other findings must not get lost among them.
    """
    msgids = sorted({*theme_messages(site), *_OWN_MESSAGES, *site.context["MESSAGES"]})
    root = site.preparation.root
    folders = site.configuration.messages or (str(Path(site.preparation.settings["THEME"], "messages")),)
    for tag in site.editions:
        name = name_of(root / folders[0] / f"{tag}.po", root)
        missing = site.catalogues.missing(tag, msgids)
        if len(missing) > _SINGLE_MESSAGES:
            what = f"no text for {len(missing)} of {len(msgids)} messages, such as {missing[0]!r}"
            yield Problem(name, 0, what, "Translate them.", warning=True)
            continue
        for msgid in missing:
            yield Problem(name, 0, f"no text for {msgid!r}", "Translate it.", warning=True)


def theme_messages(site: Site) -> set[str]:
    """The messages that the theme's templates use."""
    templates = Path(site.preparation.settings["THEME"], "templates")
    found = extract_from_dir(
        templates,
        method_map=[("**.html", "jinja2.ext:babel_extract")],
        options_map={"**.html": {"silent": "false"}},
        keywords=_KEYWORDS,
    )
    return {msgid[0] if isinstance(msgid, tuple) else msgid for _, _, msgid, _, _ in found}


def check_terms(site: Site) -> Iterator[Problem]:
    """Topics and authors that have no name, or lack a text that they have elsewhere, in a language of the site."""
    name = name_of(Path(site.preparation.settings["PATH"], site.configuration.terms), site.preparation.root)
    for kind, table in site.terms.tables.items():
        for key, term in table.items():
            for tag in site.editions:
                for field, texts in {"name": term.names, **term.texts}.items():
                    if not texts.get(tag):
                        yield Problem(name, 0, f"{kind}.{key} has no {field} in {tag}", "Add it.", warning=True)


def check_summaries(site: Site) -> Iterator[Problem]:
    """Articles without a summary: lists then show their beginning, cut off."""
    for edition in site.editions.values():
        for article in edition.articles:
            if "summary" not in article.metadata:
                name = name_of(article.source_path, site.preparation.root)
                yield Problem(name, 0, "no summary", "State `Summary:`.", warning=True)


def check_addresses(site: Site) -> Iterator[Problem]:
    """Addresses that were published once and lead nowhere now."""
    path = _addresses_file(site)
    recorded = _read_addresses(path)
    name = name_of(path, site.preparation.root)
    written = {output.url for output in site.plan.outputs}
    for url, line in recorded.items():
        if url not in written:
            yield Problem(
                name,
                line,
                f"/{url} was published and is gone",
                "State `Former_slugs:` or `Former_keys:` in the article, or add a line to "
                "redirects.txt; to take an article down, use `./blog withdraw`.",
            )


def record_addresses(site: Site) -> None:
    """Add what is published for the first time to the addresses that may never be lost."""
    path = _addresses_file(site)
    new = sorted({o.url for o in site.plan.outputs if is_public(o)} - set(_read_addresses(path)))
    if new:
        text = path.read_text("utf-8") if path.exists() else _ADDRESSES_HEAD
        path.write_text(text + "".join(f"/{url}\n" for url in new), "utf-8", newline="\n")


def _addresses_file(site: Site) -> Path:
    return Path(site.preparation.settings["PATH"], ADDRESSES)


def _read_addresses(path: Path) -> dict[str, int]:
    if not path.exists():
        return {}
    lines = enumerate(path.read_text("utf-8-sig").splitlines(), 1)
    return {line.strip().lstrip("/"): n for n, line in lines if line.strip() and line[0] != "#"}


def check_output_links(site: Site, output: Path) -> Iterator[Problem]:
    """Links between the pages that were written, and into their sections."""
    public = urlsplit(site.preparation.public_url)
    base = f"{public.scheme or 'https'}://{public.netloc or 'site.invalid'}"
    ids: dict[Path, set[str]] = {}
    beside = tuple(path.rstrip("/") for path in site.context["SERVED_BESIDE"])
    # A draft may be the first of its country or topic, whose page comes with it.
    sources = {
        output / one.save_as: name_of(one.content.source_path, site.preparation.root)
        for one in site.plan.outputs
        if one.content
    }
    drafts = {output / one.save_as for one in site.plan.outputs if one.content and one.content.status == "draft"}
    for page in sorted(set(output.rglob("*.html")) - drafts):
        here = page.relative_to(output).as_posix().removesuffix("index.html")
        text = page.read_text("utf-8")
        for target in dict.fromkeys(_targets(text)):
            try:
                url = urlsplit(urljoin(f"{base}/{here}", target))
            except ValueError as error:
                yield Problem(f"/{here}", 0, f"{target} is no address: {error}", "Mend it.")
                continue
            if url.scheme not in ("http", "https") or url.netloc != urlsplit(base).netloc:
                continue
            if any(f"{url.path}/".startswith(f"{path}/") for path in beside):
                continue
            file = output / unquote(url.path).lstrip("/")
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file():
                yield Problem(f"/{here}", 0, f"the link to {target} leads to nothing", "Mend it.")
            elif url.fragment and file.suffix == ".html":
                if file not in ids:
                    ids[file] = _ids(file.read_text("utf-8"))
                fragment = unquote(url.fragment)
                if fragment in ids[file]:
                    continue
                if note := _UNCALLED.match(fragment):  # its arrow leads back to where it would be called
                    what = f"nothing calls the note [^{note[1]}]"
                    yield Problem(sources.get(page, f"/{here}"), 0, what, "Call it where it belongs, or take it out.")
                else:
                    what = f"the link to {target} names a place that is not on that page"
                    yield Problem(f"/{here}", 0, what, "Correct the part after #.")


def check_further(site: Site, output: Path, *, production: bool) -> list[Problem]:
    """What other plugins find: each has put a `check(output, production=…)` into `context["CHECKS"]`."""
    before = len(site.problems)
    for check in site.context["CHECKS"]:
        check(output, production=production)
    return site.problems[before:]


def _targets(text: str) -> Iterator[str]:
    for tag in _TAG.finditer(text):
        if 'rel="canonical"' in tag[0]:
            continue
        for found in _TARGET.finditer(tag[0]):
            yield unescape(found[1] if found[1] is not None else found[2])


def _ids(text: str) -> set[str]:
    return {unescape(a or b) for a, b in _ID.findall(text)} | {""}


def count_warnings(problems: Iterable[Problem]) -> int:
    """How many of the problems stop nothing."""
    return sum(problem.warning for problem in problems)
