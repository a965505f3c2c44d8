"""Small real sites, made in a test's own folder and built by Pelican with the plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree, html
from multilingual.build import BuildResult, build_site
from multilingual.check import check_site

ROOT = Path(__file__).resolve().parents[2]
THEME = str(ROOT / "theme")

#: Settings as our own site has them, without its topics, authors and pictures.
SETTINGS: dict[str, Any] = {
    "SITENAME": "The Site",
    "SITEURL": "https://site.example",
    "FEED_AUTHORITY": "site.example",
    "TIMEZONE": "UTC",
    "LOCALE": "C",
    "DEFAULT_LANG": "en",
    "PATH": "content",
    "OUTPUT_PATH": "output",
    "THEME": THEME,
    "ARTICLE_PATHS": ["articles"],
    "PAGE_PATHS": ["pages"],
    "STATIC_PATHS": ["images"],
    "RELATIVE_URLS": True,
    "PLUGIN_PATHS": [str(ROOT / "plugins")],
    "PLUGINS": ["multilingual"],
    "MULTILINGUAL_LANGUAGES": {"en": {}, "fa": {}, "zh-Hans": {}},
    "INDEX_URL": "",
    "INDEX_SAVE_AS": "index.html",
    "ARTICLE_URL": "{slug}/",
    "ARTICLE_SAVE_AS": "{slug}/index.html",
    "DRAFT_URL": "drafts/{slug}/",
    "DRAFT_SAVE_AS": "drafts/{slug}/index.html",
    "PAGE_URL": "{slug}/",
    "PAGE_SAVE_AS": "{slug}/index.html",
    "DRAFT_PAGE_URL": "drafts/{slug}/",
    "DRAFT_PAGE_SAVE_AS": "drafts/{slug}/index.html",
    "ARCHIVES_URL": "archive/",
    "ARCHIVES_SAVE_AS": "archive/index.html",
    "DIRECT_TEMPLATES": ["index", "archives"],
    "TAG_SAVE_AS": "",
    "CATEGORY_SAVE_AS": "",
    "AUTHOR_SAVE_AS": "",
    "USE_FOLDER_AS_CATEGORY": False,
    "FILENAME_METADATA": "",
    "PAGINATED_TEMPLATES": {"index": None},
    "PAGINATION_PATTERNS": (
        (1, "{url}", "{save_as}"),
        (2, "{url}page/{number}/", "{base_name}/page/{number}/index.html"),
    ),
    "FEED_ATOM": "feed.atom",
    "FEED_ALL_ATOM": None,
    "TRANSLATION_FEED_ATOM": None,
    "CATEGORY_FEED_ATOM": None,
    "AUTHOR_FEED_ATOM": None,
    "AUTHOR_FEED_RSS": None,
    "WITH_FUTURE_DATES": False,
    "JINJA_ENVIRONMENT": {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "extensions": []},
}
#: Add these for a site with topics and authors: `site.settings(**WITH_TERMS)`, and a `terms.yaml` (TERMS).
WITH_TERMS: dict[str, Any] = {
    "MULTILINGUAL_TERMS": "terms.yaml",
    "MULTILINGUAL_TAXONOMIES": {
        "topics": {
            "url": "topics/{slug}/", "template": "topic", "feed": "topics/{slug}/feed.atom", "paginate": 2,
            "index": "topics/", "index_template": "topics",
        },
        "authors": {
            "url": "authors/{slug}/", "template": "author", "index": "authors/", "index_template": "authors",
        },
    },
}  # fmt: skip
TERMS = """\
topics:
  asylum: {name: {en: Asylum, fa: پناهندگی, zh-Hans: 庇护}, slug: {fa: پناهندگی}}
  war: {name: {en: War, fa: جنگ, zh-Hans: 战争}}
authors:
  desk: {name: {en: The desk, fa: هیئت تحریریه, zh-Hans: 编辑部}}
  amina: {name: {en: Amina}}
"""


class Site:
    """A site in a folder of its own: write files, set settings, build, look at the output."""

    def __init__(self, folder: Path, **overrides: Any) -> None:
        self.folder = folder / "site"
        self.content = self.folder / "content"
        self.output = self.folder / "output"
        self.configuration: dict[str, Any] = dict(SETTINGS)
        self.content.mkdir(parents=True)
        self.settings(**overrides)

    # What goes in

    def settings(self, **overrides: Any) -> None:
        """Change settings; `...` takes one away."""
        self.configuration |= overrides
        self.configuration = {name: value for name, value in self.configuration.items() if value is not ...}
        text = "".join(f"{name} = {value!r}\n" for name, value in self.configuration.items())
        (self.folder / "pelicanconf.py").write_text(text, "utf-8")
        # Python takes a settings file's bytecode for current when only a second has passed.
        shutil.rmtree(self.folder / "__pycache__", ignore_errors=True)

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file; `path` is relative to the content folder."""
        target = self.content / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return target

    def article(self, lang: str, key: str, text: str = "Text.", **fields: str) -> Path:
        """Write an article with a title and a date, unless they are stated (`Date=""` leaves one out)."""
        return self._piece("articles", lang, key, text, {"Title": f"{key} in {lang}", "Date": "2026-01-02"} | fields)

    def page(self, lang: str, key: str, text: str = "Text.", **fields: str) -> Path:
        """Write a page."""
        return self._piece("pages", lang, key, text, {"Title": f"{key} in {lang}"} | fields)

    def translation(self, lang: str, key: str, source: str, text: str = "Text.", **fields: str) -> Path:
        """Write a translated article, which takes its date from its source."""
        return self.article(lang, key, text, **{"Date": "", "Translated_from": source} | fields)

    def _piece(self, folder: str, lang: str, key: str, text: str, fields: Mapping[str, str]) -> Path:
        header = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
        return self.write(f"{folder}/{lang}/{key}.md", f"{header}\n{text}\n")

    # What comes out

    @property
    def settings_file(self) -> Path:
        return self.folder / "pelicanconf.py"

    def build(self, **options: Any) -> BuildResult:
        """Build as `./blog build` does, in this process."""
        return build_site(self.settings_file, **self._with_compiled_templates(options))

    def build_whole(self, **options: Any) -> BuildResult:
        """Build a site that must have no problem."""
        result = self.build(**options)
        assert not result.errors, "\n".join(map(str, result.errors))
        return result

    def check(self, **options: Any) -> BuildResult:
        """Check as `./blog check` does."""
        return check_site(self.settings_file, **self._with_compiled_templates(options))

    def _with_compiled_templates(self, options: dict[str, Any]) -> dict[str, Any]:
        """To compile the theme's templates takes longer than all the rest: all sites of a run share them."""
        return {"template_cache": self.folder.parents[1] / "compiled-templates"} | options

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the plugin's (`build`, `check`, `new` …) as a process of its own."""
        program = (
            "import argparse, sys\n"
            "from pathlib import Path\n"
            "from multilingual.commands import add_commands\n"
            "parser = argparse.ArgumentParser(prog='blog')\n"
            "add_commands(parser.add_subparsers(), Path.cwd())\n"
            "args = parser.parse_args()\n"
            "try:\n"
            "    sys.exit(args.run(args))\n"
            "except Exception as error:\n"
            "    if not hasattr(error, 'remedy'):\n"
            "        raise\n"
            "    sys.exit(f'blog: {error}')\n"
        )
        return self.run_python("-c", program, *arguments, **environment)

    def run_pelican(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Pelican itself, the plugin among its settings or not."""
        return self.run_python("-m", "pelican", *arguments, **environment)

    def run_python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "plugins"), "PYTHONUTF8": "1"} | environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def pages(self) -> list[str]:
        """The addresses of all HTML pages, relative to the site's root: `fa/one/`, `404.html`."""
        found = (path.relative_to(self.output).as_posix() for path in self.output.rglob("*.html"))
        return sorted(path.removesuffix("index.html") for path in found)

    def has(self, url: str) -> bool:
        """Whether an address has a file."""
        return self._file(url).is_file()

    def text(self, url: str) -> str:
        """A page or file as it was written."""
        return self._file(url).read_text("utf-8")

    def html(self, url: str) -> html.HtmlElement:
        """A page, parsed: `site.html("fa/one/")`."""
        return html.document_fromstring(self.text(url).encode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))

    def xml(self, url: str) -> etree._Element:
        """A feed or the sitemap, parsed."""
        return etree.fromstring(self._file(url).read_bytes())

    def snapshot(self) -> dict[str, tuple[bytes, int]]:
        """Every file of the output: its bytes and when it was changed."""
        files = (path for path in self.output.rglob("*") if path.is_file())
        return {
            path.relative_to(self.output).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in files
        }

    def _file(self, url: str) -> Path:
        path = self.output / url
        return path / "index.html" if url.endswith("/") or not url or path.is_dir() else path


def texts(result: BuildResult) -> list[str]:
    """The problems of a build as an editor reads them."""
    return [str(problem) for problem in result.problems]
