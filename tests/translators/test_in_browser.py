"""Pages of the desk as browsers and the Nu HTML checker see them, left to right and right to left."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from multilingual.commands import read_content
from playwright.sync_api import Browser
from translators.comparison import compare, write_page
from translators.dashboard import write_dashboard
from translators.settings import open_repository, read_configuration
from translators.states import Survey

from tests.frontdoor.support import skip_if_left_out
from tests.multilingual.sites import Site
from tests.theme.colours import lowest_contrasts
from tests.theme.conftest import Server, serve
from tests.theme.support import java_path, node_tool
from tests.theme.visits import Visit, walk
from tests.translators.test_site import make_site

#: To the checker a file has no origin, so that none is "self".
OF_POLICY = "Resource violates Content Security Policy (meta tag)"
PAGES = (
    "fa/تغییر-changed/",
    "fa/تغییر-changed/changes/",
    "zh-Hans/changed/changes/",
    "fa/تغییر-wrong/",
    "fa/about/",
    "fa/corrections/",
    "en/help-translate/",
    "dashboard/index.html",
    "dashboard/fa.html",
    "persian/index.html",
    "persian/fa.html",
    "dashboard/diff.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, and beside its pages, where a test's server finds them, dashboards in two languages."""
    site = make_site(tmp_path_factory.mktemp("in-browser"))
    site.build_whole()
    inventory = read_content(site.folder)
    configuration = read_configuration(inventory.settings)
    survey = Survey(inventory, configuration)
    for name, lang in (("dashboard", "en"), ("persian", "fa")):
        folder = site.folder / "var" / name
        language = next(one for one in inventory.languages if one.tag == lang)
        write_dashboard(survey, folder, language, date(2026, 11, 25), open_repository(configuration))
        folder.rename(site.output / name)
    one = survey.find("changed", "fa")
    assert one
    languages = {language.tag: language for language in inventory.languages}
    page = write_page(compare(survey, one), "changed", "changed", languages["en"], languages["fa"], ["corrected x"])
    (site.output / "dashboard" / "diff.html").write_text(page, "utf-8")
    return site


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    yield from serve(site.output)


@pytest.fixture(scope="module")
def visits(browser: Browser, server: Server) -> list[Visit]:
    return list(walk(browser, [(page, server.url(page)) for page in PAGES]))


def test_axe_finds_nothing_wrong(visits: list[Visit]) -> None:
    skip_if_left_out("node")
    found = [f"{visit.what}: {one}" for visit in visits for one in visit.violations]
    assert not found, "\n".join(found)


def test_nothing_is_too_wide_and_all_text_is_plain_to_see(visits: list[Visit]) -> None:
    for visit in visits:
        assert not any(visit.too_wide.values()), (visit.what, visit.too_wide)
        assert visit.told == [], visit.what
        for texts in visit.texts.values():
            assert lowest_contrasts({(one["colour"], one["background"]): visit.what for one in texts}) == []


def test_what_is_foreign_has_its_own_direction(visits: list[Visit]) -> None:
    for visit in visits:
        assert visit.state["direction"] == ("rtl" if visit.what.startswith(("fa/", "persian/")) else "ltr"), visit.what
        for lang, direction, element in visit.state["parts"]:
            assert direction == ("rtl" if lang == "fa" else "ltr"), (visit.what, element)


def test_every_page_is_valid(site: Site) -> None:
    checker = node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    files = [str(site.output / page / ("" if page.endswith(".html") else "index.html")) for page in PAGES]
    run = subprocess.run(
        [java_path(), "-Xss2m", "-jar", str(checker), "--format", "json", "--stdout", *files],
        env=os.environ | {"LC_ALL": "C.UTF-8"},  # or Java finds no file with a Persian name
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    found = [
        f"{Path(message.get('url', '')).parts[-3:]}:{message.get('lastLine', 0)}: {message['message']}"
        for message in json.loads(run.stdout)["messages"]
        if not message["message"].startswith(OF_POLICY)
    ]
    assert not found, "\n".join(found)
