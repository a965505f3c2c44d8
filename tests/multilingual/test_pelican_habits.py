"""Pelican's own habits: what one is used to type writes the same files, and goes on doing so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.frontdoor.support import copy_project, lend_environment, run_blog, wait_until
from tests.multilingual.bare import undress
from tests.multilingual.foreign import tree
from tests.multilingual.sites import TERMS, WITH_TERMS, Site


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the publication, with a draft."""
    parts = ("blog", "requirements.txt", "content", "theme", "plugins", "pelicanconf.py", "publishconf.py")
    folder = copy_project(tmp_path_factory.mktemp("project"), *parts)
    lend_environment(folder)
    draft = "Title: Not yet\nStatus: draft\n\nA draft.\n"
    (folder / "content/articles/en/not-yet.md").write_text(draft, "utf-8")
    return folder


def pelican(folder: Path, *arguments: str) -> dict[str, bytes]:
    """Run Pelican in a folder as people do; return what it wrote."""
    command = [sys.executable, "-m", "pelican", *arguments]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    assert "ERROR" not in built.stdout + built.stderr, built.stdout
    return tree(folder / arguments[arguments.index("-o") + 1])


def test_pelican_writes_what_blog_build_writes(project: Path) -> None:
    built = run_blog(project, "build", "--output", str(project / "by-blog"))
    assert built.returncode == 0, built.stderr
    ours = tree(project / "by-blog")
    assert "en/drafts/not-yet/index.html" in ours
    assert pelican(project, "-o", "by-pelican") == ours


def test_publishing_settings_write_what_a_production_build_writes(project: Path) -> None:
    built = run_blog(project, "build", "--production", "--output", str(project / "published-by-blog"))
    assert built.returncode == 0, built.stderr
    ours = tree(project / "published-by-blog")
    assert "en/index.html" in ours
    assert not [name for name in ours if "not-yet" in name]
    assert pelican(project, "-s", "publishconf.py", "-o", "published-by-pelican") == ours


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[None]:
    """`pelican -r -l`, ended with all its children."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pelican", "-r", "-l", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_pelican_that_watches_writes_the_same_after_every_edit(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    expected = pelican(site.folder, "-o", "expected")
    port = free_port()
    with watching(site.folder, "-b", "127.0.0.1", "-p", str(port), "-o", "watched"):
        watched = site.folder / "watched"
        wait_until(lambda: watched.is_dir() and tree(watched) == expected, "not the same files", 30)

        def front_page() -> bytes:
            try:
                with urlopen(f"http://127.0.0.1:{port}/en/", timeout=5) as answer:
                    return bytes(answer.read())
            except OSError:
                return b""

        assert wait_until(front_page, "nothing is served", 10) == expected["en/index.html"]
        site.article("en", "one", "Another text.", Title="Another title", Topics="war")
        site.article("fa", "new", "متن")
        expected = pelican(site.folder, "-o", "expected")
        assert "fa/new/index.html" in expected
        # Pelican begins to watch anew after each run, and sees nothing of what was saved meanwhile.
        Path(site.folder, "content", "articles", "fa", "new.md").touch()
        wait_until(lambda: tree(watched) == expected, "not the same files after an edit", 30)


def make_site(folder: Path) -> Site:
    site = undress(Site(folder, **WITH_TERMS))
    site.write("terms.yaml", TERMS)
    site.article("en", "one", "See [two]({filename}two.md).", Topics="war", Summary="[two]({filename}two.md)")
    site.article("en", "two", Author="desk")
    site.translation("fa", "one", "en")
    site.page("en", "about")
    return site


AGAIN = """
import gc, sys, weakref
from pathlib import Path
from pelican import Pelican
from pelican.contents import Content
from pelican.plugins import signals
from pelican.settings import read_settings

made = []
def remember(content):
    made.append(weakref.ref(content))
signals.content_object_init.connect(remember)

pelican = Pelican(read_settings("pelicanconf.py", override={"OUTPUT_PATH": "again"}))
pelican.run()
first = list(made)
article = Path("content/articles/en/one.md")
article.write_text(article.read_text().replace("one in en", "Renamed").replace("war", "asylum"))
Path("content/articles/fa/one.md").unlink()
Path("content/terms.yaml").write_text(Path("content/terms.yaml").read_text().replace("Asylum", "Refuge"))
for path in list(Path("again").rglob("*.*")):
    path.unlink() if path.is_file() else None
pelican.run()
pelican.run()
gc.collect()
print("LEFT", sum(one() is not None for one in first), "OF", len(first))
print("MEMOIZED", sum(len(Content.__dict__[name].cache) for name in ("get_content", "get_summary")))
"""


def test_second_run_of_one_pelican_begins_anew(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    ran = site.run_python("-c", AGAIN)
    assert ran.returncode == 0, ran.stderr
    assert tree(site.folder / "again") == pelican(site.folder, "-o", "fresh")
    assert "Refuge" in (site.folder / "again/en/topics/asylum/index.html").read_text("utf-8")
    assert "LEFT 0 OF 4" in ran.stdout
    assert "MEMOIZED 0" in ran.stdout


def test_cache_of_what_was_read_changes_nothing(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.settings(CACHE_CONTENT=True, LOAD_CONTENT_CACHE=True)
    cold = pelican(site.folder, "-o", "cold")
    assert pelican(site.folder, "-o", "warm") == cold
    site.article("en", "one", "Edited.", Topics="war")
    edited = pelican(site.folder, "-o", "edited")
    site.settings(CACHE_CONTENT=False, LOAD_CONTENT_CACHE=False)
    assert edited == pelican(site.folder, "-o", "afresh")


def test_cache_that_would_go_past_the_plugin_is_refused(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.settings(CACHE_CONTENT=True, CONTENT_CACHING_LAYER="generator")
    ran = site.run_pelican()
    assert ran.returncode != 0
    assert "CONTENT_CACHING_LAYER" in ran.stdout + ran.stderr
    assert not site.output.exists()


def test_problems_are_logged_as_errors(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.article("en", "two", Slug="one")
    ran = site.run_pelican(COLUMNS="400")
    assert "claimed twice" in ran.stdout + ran.stderr
    assert "ERROR" in ran.stdout + ran.stderr
    assert site.run_pelican("--fatal", "errors").returncode != 0


ORDER = """
from pelican.plugins import signals

def tell(generator):
    print("{0} sees", sum(hasattr(article, "is_source") for article in generator.articles), flush=True)

def register():
    signals.article_generator_pretaxonomy.connect(tell)
"""


def test_receivers_run_in_the_order_of_plugins(tmp_path: Path) -> None:
    """A plugin listed after ours finds the groups formed; one listed before it does not."""
    site = make_site(tmp_path)
    for name in ("earlier", "later"):
        (site.folder / f"{name}.py").write_text(ORDER.replace("{0}", name), "utf-8")
    site.settings(PLUGINS=["earlier", "multilingual", "later"], PLUGIN_PATHS=[*site.configuration["PLUGIN_PATHS"], "."])
    site.article("fa", "alone")
    told = [line for line in site.run_pelican().stdout.splitlines() if " sees " in line]
    assert told == ["earlier sees 0", "later sees 3"]
