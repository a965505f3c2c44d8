"""What the theme's tests share: the real site with an article in every state, and where each page type stands."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, unquote, urljoin

from lxml import html
from multilingual.build import build_site
from multilingual.site import Site
from PIL import Image

from tests.frontdoor.support import ROOT, copy_project, skip_if_left_out

LANGUAGES = ("en", "ru", "uk", "es", "fr", "ar", "fa", "zh-Hans")
RIGHT_TO_LEFT = ("ar", "fa")
SCHEMES = ("light", "dark")
DESKTOP, PHONE = (1280, 900), (390, 844)

#: The page types that every edition has, by what a reader would call them.
PAGE_TYPES = {
    "home": "",
    "older articles": "page/2/",
    "archive": "archive/",
    "country without article": "countries/af/",
    "topics": "topics/",
    "topic": "topics/detention/",
    "topic without article": "topics/corruption/",
    "authors": "authors/",
    "author": "authors/desk/",
    "countries": "countries/",
    "country": "countries/ir/",
    "region": "regions/middle-east/",
    "page": "about/",
    "services": "services/",
    "apply": "apply/",
    "meeting": "meeting/",
    "contact": "contact/",
    "newsletter": "newsletter/",
    "follow": "follow/",
    "privacy": "privacy/",
    "safety": "safety/",
    "standards": "standards/",
    "accessibility": "accessibility/",
    "help translate": "help-translate/",
    "corrections": "corrections/",
    "address that leads nowhere": "404.html",
    "article": "every-element/",
    "corrected article": "corrected/",
    "retracted article": "retracted/",
    "withdrawn article": "withdrawn/",
    "hidden article": "hidden/",
    "draft": "drafts/draft/",
    "embargoed article": "drafts/embargoed/",
}
#: Those that stand outside the editions.
COMMON_PAGES = {
    "chooser": "",
    "neutral address": "k/every-element/",
    "neutral address of a withdrawn article": "k/withdrawn/",
    "not found": "404.html",
}
REDIRECT = "{lang}/every-element-once/"

# Each state by its key: fields that only the source states, and fields that every language states.
_STATES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "every-element": (
        {"Image": "images/test-picture.jpg", "Topics": "detention", "Countries": "IR"},
        {"Former_slugs": "every-element-once"},
    ),
    "corrected": ({"Topics": "detention"}, {"Corrected": "2026-03-04 {words}"}),
    "retracted": ({}, {"Retracted": "2026-03-04 {words}"}),
    "withdrawn": ({"Withdrawn": "2026-03-04 On the author’s wish"}, {}),
    "hidden": ({"Status": "hidden"}, {}),
    "draft": ({"Status": "draft"}, {}),
    "embargoed": ({"Date": "2999-01-02"}, {}),
}
_EVERY_ELEMENT = """\
## {words} **{words}** [{words}](https://example.org/a)

{first}[^a] *{words}*, **{words}**, `code`, <cite>{words}</cite>, H<sub>2</sub>O.[^b]

### {words}

- {words}
- {second}

    1. {words}
    2. {words}

1. {words}
2. [{words}]({{filename}}/articles/{lang}/corrected.md)

> {second}
>
> {first}

{words}
:   {second}

| {words} | {words} | 2022 | 2023 | 2024 | 2025 | 2026 |
|---|---|---|---|---|---|---|
| {words} | {words} | 1 024 | 1 025 | 1 026 | 1 027 | 1 028 |
| [{words}](https://example.org/b) | {words} | 31 | 32 | 33 | 34 | 35 |

    A line of code that is much longer than the column of text and has to scroll in its own box = {{}}

---

<span lang="en" dir="ltr">The Universal Declaration</span>,
<span lang="ar" dir="rtl">الإعلان العالمي</span>,
<span lang="zh-Hans" dir="ltr">《世界人权宣言》</span>: https://example.org/{long}

[^a]: {words}, [{words}](https://example.org/{long}), {words}.
[^b]: {second}
"""


def make_site(folder: Path) -> "BuiltSite":
    """Build a copy of the site to which an article in every state has been added, in every language."""
    copy_project(folder, "content", "theme", "pelicanconf.py")
    (folder / "plugins").symlink_to(ROOT / "plugins", target_is_directory=True)
    settings = folder / "pelicanconf.py"
    settings.write_text(settings.read_text("utf-8") + "DEFAULT_PAGINATION = 3\n", "utf-8")
    picture = folder / "content" / "images" / "test-picture.jpg"
    picture.parent.mkdir(exist_ok=True)
    Image.new("RGB", (1200, 800), "#567").save(picture)
    for lang in LANGUAGES:
        for key in _STATES:
            (folder / "content" / "articles" / lang / f"{key}.md").write_text(_article(lang, key), "utf-8")
        _translate_pages(folder, lang)
    _write_persian(folder, "Topics: corruption\nCountries: AF\n")
    return BuiltSite.build(folder)


def make_bare_site(folder: Path) -> "BuiltSite":
    """Build a copy of the site whose only article is in Persian, so that seven editions have none yet."""
    copy_project(folder, "theme", "pelicanconf.py", "content/terms.yaml", "content/atlas.yaml", "content/redirects.txt")
    (folder / "plugins").symlink_to(ROOT / "plugins", target_is_directory=True)
    (folder / "content" / "articles" / "fa").mkdir(parents=True)
    (folder / "content" / "images").mkdir()
    _write_persian(folder)
    return BuiltSite.build(folder)


def _translate_pages(folder: Path, lang: str) -> None:
    """Give an edition the pages that it has not got yet, so that every page type is seen in every script."""
    _, first, second = _texts(lang)
    for source in sorted((folder / "content" / "pages" / "en").glob("*.md")):
        page = folder / "content" / "pages" / lang / source.name
        if not page.exists():
            header = re.findall(r"^(?:Template|Tab_title):.*\n", source.read_text("utf-8"), flags=re.MULTILINE)
            own = f"Title: {first[:24]}\nSummary: {second[:120]}\nTranslated_from: en\n" + "".join(header)
            page.write_text(f"{own}\n{first}\n\n{second}\n", "utf-8")


def _write_persian(folder: Path, fields: str = "") -> None:
    """Write an article that no other edition has."""
    words, first, second = _texts("fa")
    text = f"Title: {words}\nDate: 2026-01-02\nSummary: {second}\n{fields}\n{first}\n"
    (folder / "content" / "articles" / "fa" / "only-persian.md").write_text(text, "utf-8")


def _article(lang: str, key: str) -> str:
    words, first, second = _texts(lang)
    of_source, of_all = _STATES[key]
    fields = {"Title": f"{words} – {first[:60]}", "Summary": second[:200]}
    if lang == "en":
        fields |= {"Date": "2026-01-02", "Authors": "desk"} | of_source
    else:
        translator = {"ar": "withheld", "fa": "منیژه"}.get(lang, "Ann Example")
        fields |= {"Translated_from": "en", "Translated": "2026-02-03", "Translator": translator}
        if "Status" in of_source:
            fields["Status"] = of_source["Status"]
    if "Image" in of_source:
        fields |= {"Image_alt": words, "Image_caption": second[:80], "Image_credit": words}
    fields |= {name: value.format(words=words) for name, value in of_all.items()}
    header = "".join(f"{name}: {value}\n" for name, value in fields.items())
    if key != "every-element":
        return f"{header}\n{first}\n\n{second}\n"
    long = "a-very-long-address-" * 8
    return f"{header}\n" + _EVERY_ELEMENT.format(lang=lang, words=words, first=first, second=second, long=long)


def _texts(lang: str) -> tuple[str, str, str]:
    """A few words and two paragraphs, from the longest article that this language really has."""
    text = max((path.read_text("utf-8") for path in _sources(lang)), key=len)
    blocks = [re.sub(r"\[\^\w+\]|\]\([^)]*\)|[\[\]|*_`]", "", block).strip() for block in text.split("\n\n")[1:]]
    first, second = (" ".join(block.split()) for block in [b for b in blocks if b[:1].isalpha() and len(b) > 90][:2])
    words = first[:9] if lang.startswith("zh") else " ".join(first.split()[:4])
    return words.rstrip(",،，。.:："), first, second


def _sources(lang: str) -> list[Path]:
    return sorted((ROOT / "content" / "articles" / lang).glob("*.md"))


@dataclass(frozen=True)
class BuiltSite:
    """A built site and its pages."""

    output: Path
    site: Site

    @classmethod
    def build(cls, folder: Path) -> "BuiltSite":
        result = build_site(folder / "pelicanconf.py", folder / "output")
        assert not result.errors, "\n".join(map(str, result.errors))
        assert result.site
        return cls(folder / "output", result.site)

    @cached_property
    def pages(self) -> list[str]:
        """The addresses of all pages, relative to the site's root."""
        files = (path.relative_to(self.output).as_posix() for path in self.output.rglob("*.html"))
        return sorted(file.removesuffix("index.html") for file in files)

    def file(self, url: str) -> Path:
        path = self.output / url
        return path if url.endswith(".html") else path / "index.html"

    def tree(self, url: str) -> html.HtmlElement:
        return html.document_fromstring(self.file(url).read_bytes(), parser=html.HTMLParser(encoding="utf-8"))

    @cached_property
    def articles(self) -> list[str]:
        """The addresses of the articles that the publication really has."""
        found = []
        for edition in self.site.editions.values():
            for article in edition.articles:
                if article.translation_key not in {*_STATES, "only-persian"}:
                    found.append(unquote(article.url))
        return sorted(found)

    def canonical(self, url: str) -> str:
        return urljoin(self.site.preparation.public_url + "/", quote(url))


def pages_of(lang: str) -> dict[str, str]:
    """Each page type's address in an edition."""
    return {kind: f"{lang}/{url}" for kind, url in PAGE_TYPES.items()}


def every_page_type() -> Iterator[tuple[str, str]]:
    """Each page type in each language, and the pages outside the editions: what, and its address."""
    for lang in LANGUAGES:
        for kind, url in pages_of(lang).items():
            yield f"{kind} ({lang})", url
    yield from COMMON_PAGES.items()


def node_tool(variable: str, path: str) -> Path:
    """Return a file of the Node test tools; `./blog test` says where it is."""
    skip_if_left_out("node")
    file = Path(os.environ.get(variable) or ROOT / "tests" / "node_modules" / path)
    assert file.is_file(), f"{file} is missing: run ./blog test, which installs it"
    return file


#: The checker needs a large stack; a run of seconds is over before anything is worth compiling well.
JAVA_OPTIONS = ("-Xss2m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def java_path() -> str:
    skip_if_left_out("java")
    path = shutil.which("java")
    assert path, "no java: run ./blog test, which installs one"
    return path
