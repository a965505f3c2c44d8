"""The publication itself, as it is published: every page keeps to the table."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import html
from pelican.settings import read_settings
from policy.settings import read_configuration
from policy.site import make_policy

from tests.frontdoor.support import ROOT
from tests.publication import publish

BASE = "https://thehuman-rights.com/"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory)


def documents(output: Path) -> Iterator[tuple[str, Any]]:
    for file in sorted(output.rglob("*.html")):
        url = file.relative_to(output).as_posix().removesuffix("index.html")
        yield url, html.document_fromstring(file.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))


def test_every_page_carries_the_table(output: Path) -> None:
    settings = read_settings(str(ROOT / "publishconf.py"))
    policy = make_policy(settings, read_configuration(settings))
    for url, page in documents(output):
        expected = policy.meta(inline_styles=bool(page.xpath("//style")))
        assert page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [expected], url
        assert page.xpath("//meta[@name='referrer']/@content") == ["no-referrer"], url
        head = list(page.find("head"))
        position = {str(element.get("http-equiv") or element.tag): place for place, element in enumerate(head)}
        # What stands before a policy in the page is not under it.
        assert position["Content-Security-Policy"] < min(position.get("link", 99), position.get("style", 99)), url


def test_no_page_loads_sends_or_stores_anything_beyond_the_table(output: Path) -> None:
    settings = read_settings(str(ROOT / "publishconf.py"))
    policy = make_policy(settings, read_configuration(settings))
    for url, page in documents(output):
        loaded = page.xpath(
            "//*[self::img or self::source or self::audio or self::video or self::iframe or self::embed or self::track"
            " or self::input or self::script]/@src | //@srcset | //@poster | //object/@data | //svg//use/@href"
            " | //link[not(@rel='canonical' or @rel='alternate')]/@href"
        )
        for address in loaded:
            target = urlsplit(urljoin(BASE + url, address))
            assert target.geturl().startswith(BASE), f"{url}: {address}"
        assert not page.xpath("//script[not(@type='application/ld+json')]"), url
        assert not page.xpath("//meta[contains(translate(@http-equiv, 'COKIE', 'cokie'), 'cookie')]"), url
        assert not page.xpath("//base | //iframe | //object | //embed | //@ping | //link[@rel='preconnect']"), url
        assert not page.xpath("//@*[starts-with(name(), 'on')]"), url
        for action in page.xpath("//form/@action | //@formaction"):
            assert policy.allows_form(urljoin(BASE + url, action)), f"{url}: {action}"


def test_no_link_tells_where_it_was_followed(output: Path) -> None:
    told = {
        f"{url} -> {link.get('href')}"
        for url, page in documents(output)
        for link in page.iter("a", "area")
        if urlsplit(link.get("href", "")).scheme in ("http", "https")
        and not link.get("href").startswith(BASE)
        and "noreferrer" not in (link.get("rel") or "").split()
    }
    assert not told


def test_everything_for_servers_is_there(output: Path) -> None:
    assert "Content-Security-Policy: default-src 'none'" in (output / "_headers").read_text()
    assert "Contact: mailto:" in (output / ".well-known/security.txt").read_text()
    assert (output / "robots.txt").read_text().endswith(f"Sitemap: {BASE}sitemap.xml\n")
    for name in ("index.html", "404.html", "fa/index.html", "theme/css/site.css", "sitemap.xml"):
        assert gzip.decompress((output / f"{name}.gz").read_bytes()) == (output / name).read_bytes()


def test_a_check_for_publishing_asks_the_operator_what_only_he_knows() -> None:
    """On a copy of the settings: `./blog check --production` would record addresses."""
    names = ("PRIVACY_ACCESS_LOG", "PRIVACY_HOST", "PRIVACY_HOST_COUNTRY", "PRIVACY_MAILING_SERVICE")
    program = (
        "from pelican.settings import read_settings; from policy.privacy import read_privacy;"
        "print(read_privacy(read_settings('publishconf.py')).undecided)"
    )

    def undecided(**environment: str) -> str:
        clean = {name: value for name, value in os.environ.items() if name not in names}
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT, env=clean | {"PYTHONPATH": str(ROOT / "plugins")} | environment,
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip

    assert undecided() == str(names[:3])
    assert undecided(PRIVACY_ACCESS_LOG="none", PRIVACY_HOST="A host", PRIVACY_HOST_COUNTRY="IS") == "()"
