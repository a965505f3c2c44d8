"""How long a build takes as languages are added: this site's plugin, plain Pelican and, where installed, i18n_subsites.

A corpus from a seed (N articles, 60 % of them translated into each further language, about 750 words each) is built by
a fresh process per measurement. What matters is the last column: the time per page must not grow with the languages.
Run it through `./blog benchmark`. It measures; it asserts nothing.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LANGS = ("en", "ru", "es", "ar", "fa", "fr", "zh-Hans", "de", "hi", "pt")
COVERAGE = 0.6
#: A few letters of each language's script: markup and length matter here, not meaning.
LETTERS = {
    "ru": "абвгдежзиклмнопрстуфхцчшыэюя", "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "fa": "ابپتجچخدرزسشغفقکگلمنوهی", "zh-Hans": "的一是在不了有和人这中大为上个国我以要他",
    "hi": "कखगघचछजझटठडढतथदधनपफबभमयरलवशसह",
}  # fmt: skip

COMMON = """
SITENAME, SITEURL, TIMEZONE, DEFAULT_LANG = "Benchmark", "https://site.invalid", "UTC", "en"
LOCALE = "C"
PATH, OUTPUT_PATH, THEME = {content!r}, {output!r}, "simple"
STATIC_PATHS = PAGE_PATHS = THEME_STATIC_PATHS = []
DIRECT_TEMPLATES, DEFAULT_PAGINATION = ["index"], 10
INDEX_URL = ""
ARTICLE_URL, ARTICLE_SAVE_AS = "{{slug}}/", "{{slug}}/index.html"
ARTICLE_LANG_URL, ARTICLE_LANG_SAVE_AS = "x-{{lang}}/{{slug}}/", "x-{{lang}}/{{slug}}/index.html"
PAGINATION_PATTERNS = (
    (1, "{{url}}", "{{save_as}}"),
    (2, "{{base_name}}/page/{{number}}/", "{{base_name}}/page/{{number}}/index.html"),
)
FEED_ATOM = "feed.atom"
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = TRANSLATION_FEED_ATOM = None
FEED_MAX_ITEMS = 20
"""
SITES = {
    "multilingual": """
PLUGIN_PATHS, PLUGINS = [{plugins!r}], ["multilingual"]
MULTILINGUAL_LANGUAGES = {{lang: {{}} for lang in {langs!r}}}
MULTILINGUAL_UNTRANSLATED = "hide"
MULTILINGUAL_CHOOSER = MULTILINGUAL_NEUTRAL = MULTILINGUAL_NOT_FOUND = False
""",
    "plain Pelican": "PLUGINS = []\n",
    "i18n_subsites": """
PLUGINS = ["i18n_subsites"]
I18N_SUBSITES = {{lang: {{"LOCALE": "C.UTF-8"}} for lang in {langs!r} if lang != "en"}}
I18N_UNTRANSLATED_ARTICLES = "remove"
""",
}


@dataclass(frozen=True)
class Measurement:
    """One build: seconds by the clock and of the processor, peak memory in MiB, HTML pages written."""

    wall: float
    cpu: float
    peak: float
    pages: int


def run(root: Path, articles: int, counts: Iterable[int]) -> int:
    """Measure every site at every number of languages and print a table."""
    sites = [name for name in SITES if name != "i18n_subsites" or has_subsites()]
    print(f"{articles} articles, {COVERAGE:.0%} translated; fresh process each, one run")
    print(f"{'site':<14} {'languages':>9} {'pages':>7} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9} {'ms/page':>8}")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for count in counts:
            content = Path(folder, f"content-{count}")
            write_corpus(content, articles, LANGS[:count])
            for name in sites:
                m = measure(Path(folder), content, name, LANGS[:count], root / "plugins")
                per_page = 1000 * m.cpu / max(m.pages, 1)
                print(
                    f"{name:<14} {count:>9} {m.pages:>7} {m.wall:>8.1f} {m.cpu:>8.1f} {m.peak:>9.0f} {per_page:>8.2f}",
                    flush=True,
                )
    return 0


def has_subsites() -> bool:
    """Whether the plugin we compare with is installed (it is no dependency of this project)."""
    return importlib.util.find_spec("pelican.plugins.i18n_subsites") is not None


def measure(folder: Path, content: Path, name: str, langs: tuple[str, ...], plugins: Path) -> Measurement:
    """Build one site in a process of its own."""
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    settings = folder / "conf.py"
    values = {"content": str(content), "output": str(output), "plugins": str(plugins), "langs": langs}
    settings.write_text((COMMON + SITES[name]).format(**values), encoding="utf-8")
    start = time.monotonic()
    command = [sys.executable, "-m", "pelican", "-q", "-s", str(settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode:
        raise RuntimeError(f"the build of {name} with {len(langs)} languages failed with {process.returncode}")
    pages = sum(1 for _ in output.rglob("*.html"))
    return Measurement(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, pages)


def write_corpus(content: Path, articles: int, langs: tuple[str, ...]) -> None:
    """Write the articles, the same for the same numbers."""
    content.mkdir()
    for number in range(articles):
        for lang in langs:
            chance = random.Random(f"{number} {lang}")  # noqa: S311 - a corpus, not a secret
            if lang == "en" or chance.random() < COVERAGE:
                (content / f"piece-{number:05}.{lang}.md").write_text(
                    "\n".join(write_article(chance, number, lang)), encoding="utf-8"
                )


def write_article(chance: random.Random, number: int, lang: str) -> Iterator[str]:
    """One article: headings, paragraphs, a list, a table, links, emphasis, sometimes a footnote."""
    yield f"Title: {words(chance, lang, 5)}"
    yield f"Date: {2016 + number % 10}-{1 + number % 12:02}-{1 + number % 28:02}"
    yield f"Category: region-{number % 7}"
    yield f"Tags: country-{number % 84}, country-{(number * 5 + 1) % 84}, country-{(number * 11 + 2) % 84}"
    yield f"Author: Author {number % 8}"
    yield f"Slug: piece-{number:05}"
    yield f"Lang: {lang}"
    yield f"Summary: {words(chance, lang, 24)}."
    for part in range(5):
        yield f"\n{'##' if part % 2 == 0 else '###'} {words(chance, lang, 5)}\n"
        for _ in range(2):
            link = f"[{words(chance, lang, 3)}](https://site.invalid/{chance.randrange(9999)})"
            yield f"{words(chance, lang, 45)}, **{words(chance, lang, 2)}** *{words(chance, lang, 1)}*, {link}.\n"
        yield "\n".join(f"- {words(chance, lang, 8)}" for _ in range(4)) + "\n"
    yield f"| {words(chance, lang, 1)} | {words(chance, lang, 1)} |\n| --- | ---: |"
    yield from (f"| {words(chance, lang, 2)} | {chance.randrange(900)} |" for _ in range(5))
    if number % 5 == 0:
        yield f"\n{words(chance, lang, 9)}.[^1]\n\n[^1]: {words(chance, lang, 12)}.\n"


def words(chance: random.Random, lang: str, count: int) -> str:
    """Words of a language's letters."""
    letters = LETTERS.get(lang, "abcdefghijklmnopqrstuvwxyz")
    return " ".join("".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(count))
