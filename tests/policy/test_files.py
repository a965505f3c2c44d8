"""What a build writes beside its pages: headers, compressed copies, security.txt, robots.txt."""

from __future__ import annotations

import gzip
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy.compression import ENDINGS, SMALLEST, compress, compress_files
from policy.header_file import write_headers
from policy.policy import Policy
from policy.styles import find_styles

from tests.multilingual.sites import Site, texts

PUBLISHED: dict[str, Any] = {
    "PLUGINS": ["policy", "multilingual", "pictures"],  # the order does not matter to what is written last
    "POLICY_HEADER_FILES": ("_headers",),
    "POLICY_PRECOMPRESS": True,
    "POLICY_ROBOTS": True,
    "POLICY_HSTS_DAYS": 30,
    "CONTACT_EMAIL": "desk@site.example",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path, **PUBLISHED)
    site.article("en", "one", "A paragraph. " * 200)
    site.translation("fa", "one", "en", "یک بند. " * 200, Translated="2026-02-03")
    site.page("en", "contact")
    site.page("fa", "safety", Slug="ایمن")
    return site


def test_the_header_file_says_what_the_table_says_once(site: Site) -> None:
    site.build_whole()
    blocks = [block.splitlines() for block in site.text("_headers").strip().split("\n\n")]
    rules = {first: dict(line.strip().split(": ", 1) for line in lines) for first, *lines in blocks}
    policy = Policy("https://site.example", (), find_styles(site.configuration), 30)
    assert rules["/*"] == policy.headers()
    assert rules["/theme/*"] == rules["/images/*"] == {"Cache-Control": "public, max-age=86400"}
    stated = [name for rule in rules.values() for name in rule if name != "Cache-Control"]
    assert len(stated) == len(set(stated))
    assert "unsafe-inline" not in site.text("_headers")
    assert max(map(len, site.text("_headers").splitlines())) < 2000  # Cloudflare's limit


def test_the_header_file_names_folders_as_addresses_do() -> None:
    assert "/my%20pictures/*\n" in write_headers({}, ["my pictures"])


def test_pages_carry_the_same_policy_and_the_page_for_unknown_addresses_its_style(site: Site) -> None:
    site.settings(POLICY_FORM_ACTIONS=("https://lists.example/mail/",))
    site.build_whole()
    policy = Policy("https://site.example", ("https://lists.example/mail/",), find_styles(site.configuration))
    path = "//meta[@http-equiv='Content-Security-Policy']/@content"
    for url in site.pages():
        expected = policy.meta(inline_styles=url == "404.html")
        assert site.html(url).xpath(path) == [expected], url
    assert policy.meta() in site.text("en/one/")  # as it is, without entities
    assert len(policy.styles) == 1


def test_the_security_contact_is_complete(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    site.build_whole()
    assert site.text(".well-known/security.txt").splitlines() == [
        "Contact: mailto:desk@site.example",
        "Contact: https://site.example/en/contact/",
        "Expires: 2027-01-29T00:00:00Z",  # 360 days after the newest text
        "Preferred-Languages: en, fa, zh-Hans",
        "Canonical: https://site.example/.well-known/security.txt",
        "Policy: https://site.example/fa/%D8%A7%DB%8C%D9%85%D9%86/",
    ]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())))
    site.build_whole()
    assert "Expires: 2027-05-27T00:00:00Z" in site.text(".well-known/security.txt")
    site.settings(POLICY_SECURITY_EXPIRES="2030-01-02", POLICY_SECURITY_CONTACT=("https://report.example/",))
    site.build_whole()
    lines = site.text(".well-known/security.txt").splitlines()
    assert lines[:2] == ["Contact: https://report.example/", "Expires: 2030-01-02T00:00:00Z"]


def test_robots_are_told_of_the_sitemap_and_of_no_secret(site: Site) -> None:
    site.build_whole()
    assert site.text("robots.txt") == "User-agent: *\nDisallow:\nSitemap: https://site.example/sitemap.xml\n"


def test_two_builds_are_the_same_bytes(site: Site, tmp_path: Path) -> None:
    site.build_whole()
    time.sleep(1.1)  # a time in a compressed file has seconds
    site.build_whole(output=tmp_path / "again")
    files = {path.relative_to(site.output) for path in site.output.rglob("*") if path.is_file()}
    assert files == {p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file()}
    for name in files:
        assert (site.output / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    before = site.snapshot()
    assert site.build_whole().changed == 0
    assert site.snapshot() == before


def is_fresh(output: Path) -> bool:
    """Whether every copy belongs to its file and every text file of a size has one."""
    wanted = {
        path
        for path in output.rglob("*")
        if path.is_file() and path.suffix in ENDINGS and path.stat().st_size >= SMALLEST
    }
    copies = {path.with_suffix("") for path in output.rglob("*.gz")}
    assert copies == wanted
    for path in wanted:
        copy = path.with_name(path.name + ".gz")
        assert gzip.decompress(copy.read_bytes()) == path.read_bytes()
        assert copy.stat().st_mtime_ns == path.stat().st_mtime_ns
    return bool(wanted)


def test_copies_are_never_stale(site: Site) -> None:
    site.build_whole()
    assert is_fresh(site.output)
    site.article("en", "one", "Another paragraph. " * 200)
    (site.content / "articles/fa/one.md").unlink()
    site.build_whole()
    assert not site.has("fa/one/index.html.gz")
    assert is_fresh(site.output)
    site.settings(POLICY_PRECOMPRESS=False)
    site.build_whole()
    assert not list(site.output.rglob("*.gz"))


def test_copies_are_never_stale_when_pelican_itself_builds(site: Site) -> None:
    for text in ("A paragraph. " * 200, "Short."):
        site.article("en", "two", text)
        done = site.run_pelican("-s", "pelicanconf.py")
        assert done.returncode == 0, done.stderr
    (site.output / "gone.html.gz").write_bytes(b"of a page that is no more")
    site.run_pelican("-s", "pelicanconf.py")
    assert is_fresh(site.output)


def test_pictures_are_compressed_after_they_were_cleaned(site: Site) -> None:
    site.write("images/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"><!-- Drawn by X -->' + "<g/>" * 400 + "</svg>")
    site.build_whole()
    assert b"Drawn by X" not in gzip.decompress((site.output / "images/a.svg.gz").read_bytes())


def test_a_compressed_file_of_the_site_itself_stays(site: Site) -> None:
    own = gzip.compress(b"x" * 9999)
    site.write("images/data.txt.gz", own)
    site.write("images/data.txt", "y" * 2000)
    site.build_whole()
    assert (site.output / "images/data.txt.gz").read_bytes() == own


@given(st.binary(max_size=5000))
def test_compression_loses_nothing_and_tells_nothing(data: bytes) -> None:
    packed = compress(data)
    assert gzip.decompress(packed) == data
    assert packed[3:8] == bytes(5)  # no name, no time (RFC 1952, 2.3)


def test_small_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "small.html").write_bytes(b"x" * (SMALLEST - 1))
    (tmp_path / "picture.png").write_bytes(b"x" * 9999)
    (tmp_path / "archive.tar.gz").write_bytes(b"of somebody")
    before = os.listdir(tmp_path)  # noqa: PTH208 (names are what is compared)
    compress_files(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(before)  # noqa: PTH208


def test_a_file_of_the_site_and_one_of_the_build_do_not_overwrite_each_other(site: Site) -> None:
    site.settings(EXTRA_PATH_METADATA={"images/robots.txt": {"path": "robots.txt"}})
    site.write("images/robots.txt", "User-agent: *\n")
    [said] = texts(site.build())
    assert "robots.txt" in said
    assert "the build writes robots.txt itself" in said


# On other sites


def test_a_site_that_configures_nothing_gets_no_file(tmp_path: Path) -> None:
    outputs = []
    for plugins in (["multilingual"], ["multilingual", "policy"]):
        site = Site(tmp_path / str(len(plugins)), PLUGINS=plugins)
        site.article("en", "one")
        site.build_whole()
        outputs.append(set(site.snapshot()))
    assert outputs[0] == outputs[1]


def test_a_site_is_left_alone_that_does_not_ask_for_it(site: Site, tmp_path: Path) -> None:
    site.build_whole()
    other = Site(tmp_path / "other", **PUBLISHED | {"PLUGINS": ["multilingual"], "EXIT_URL": "none"})
    other.article("en", "one")
    other.build_whole()
    assert not [name for name in ("_headers", "robots.txt", ".well-known/security.txt") if other.has(name)]
    assert "POLICY" not in " ".join(map(str, other.check(production=True).problems))


def test_a_site_without_multilingual_has_all_of_it(tmp_path: Path) -> None:
    site = Site(
        tmp_path, **PUBLISHED | {"PLUGINS": ["policy"], "MULTILINGUAL_LANGUAGES": ..., "THEME": "simple"},
        PRIVACY_ACCESS_LOG="none", EXIT_URL="https://weather.example/",
    )  # fmt: skip
    site.write("articles/one.md", "Title: One\nDate: 2026-01-02\nSlug: one\nCategory: x\n\n" + "Text. " * 300)
    site.write("pages/contact.md", "Title: Contact\nSlug: contact\n\nText.\n")
    done = site.run_pelican("-s", "pelicanconf.py", SOURCE_DATE_EPOCH="1780272000")
    assert done.returncode == 0, done.stderr
    assert "Contact: https://site.example/contact/\n" in site.text(".well-known/security.txt")
    assert "Preferred-Languages: en\n" in site.text(".well-known/security.txt")
    assert "Sitemap" not in site.text("robots.txt")
    assert "frame-ancestors" in site.text("_headers")
    assert is_fresh(site.output)


def test_a_setting_that_cannot_be_meant_stops_the_build(site: Site) -> None:
    site.settings(POLICY_FORM_ACTONS=())
    done = site.run("build")
    assert done.returncode == 1
    assert "Did you mean 'POLICY_FORM_ACTIONS'?" in done.stderr
