"""The preview of proposed texts: the whole site, opened from a disk."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from multilingual.commands import build_into
from playwright.sync_api import Browser
from translators.commands import add_commands
from translators.preview import lead_to_files

from tests.multilingual.sites import Site


def call(site: Site, folder: Path) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), site.folder)
    parser.set_defaults(build_into=[build_into])
    args = parser.parse_args(["translations", "--preview", str(folder)])
    return int(args.run(args))


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = Site(tmp_path_factory.mktemp("preview"))
    (site.folder / "publishconf.py").write_text(
        "from pathlib import Path\n"
        # Imported, it would be the settings of whatever site was built in this process before.
        "exec(Path(__file__).with_name('pelicanconf.py').read_text('utf-8'))\n"
        "MULTILINGUAL_DRAFTS = False\n"
    )
    site.article("en", "one", "[Two]({filename}/articles/en/two.md#p)", Former_slugs="once")
    site.article("en", "two", '<p id="p">Text.</p>')
    site.translation("fa", "one", "en", Slug="یک")
    site.translation("fa", "two", "en", Status="draft")
    folder = tmp_path_factory.mktemp("proposed") / "preview"
    assert call(site, folder) == 0
    return folder


def test_one_can_go_from_page_to_page(preview: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((preview / "index.html").as_uri())
    page.click("main a[hreflang=fa], main li[lang=fa] a")
    assert page.url == (preview / "fa" / "index.html").as_uri()
    page.click("main article a, main .news a")
    assert page.locator("h1").inner_text() == "one in fa"
    page.click(".also a[hreflang=en]")
    page.click(".prose a >> text=Two")
    assert page.url == (preview / "en" / "two" / "index.html").as_uri() + "#p"
    page.goto((preview / "en" / "once" / "index.html").as_uri())
    page.wait_for_url((preview / "en" / "one" / "index.html").as_uri())
    page.goto((preview / "fa" / "404.html").as_uri())
    page.click("main p a")
    assert page.url == (preview / "fa" / "index.html").as_uri()
    page.close()


def test_it_has_what_would_be_published(preview: Path) -> None:
    assert not (preview / "fa" / "two").exists()
    assert not list(preview.rglob("drafts"))


def test_links_that_lead_elsewhere_stay(tmp_path: Path) -> None:
    (tmp_path / "fa" / "a").mkdir(parents=True)
    for link in ("https://example.org/fa/", "//example.org/fa/", "#top", "mailto:a@example.org", "../x.css", "?a=b"):
        html = f'<a href="{link}">'
        assert lead_to_files(html, tmp_path, "fa/a/index.html") == html
    html = '<a class="x" href="../?a=1&amp;b=2#c"><link rel="y" href="/fa/">'
    assert lead_to_files(html, tmp_path, "fa/a/index.html") == (
        '<a class="x" href="../index.html?a=1&amp;b=2#c"><link rel="y" href="../../fa/index.html">'
    )
