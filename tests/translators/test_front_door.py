"""The desk as a translator meets it: the front door, a real build, and a machine that knows whose it is."""

from __future__ import annotations

import argparse
import io
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from multilingual.commands import read_content
from translators.commands import add_commands

from tests.frontdoor.support import copy_project, lend_environment, run_blog
from tests.multilingual.sites import Site
from tests.translators.sites import SETTINGS

CANARY = "canary"
MARKDOWN: dict[str, Any] = {"extension_configs": {"markdown.extensions.extra": {}, "markdown.extensions.footnotes": {}}}
BODY = "Words of the source with [a link](https://example.org/).[^a]\n\n- An item.\n\n[^a]: A report of 2024.\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone on a machine where Git, the environment and the system know somebody's name."""
    folder = copy_project(
        tmp_path_factory.mktemp("desk"), "blog", "requirements.txt", "plugins/multilingual", "plugins/translators"
    )
    lend_environment(folder)
    settings = f'{SETTINGS}\nMARKDOWN = {MARKDOWN!r}\nTRANSLATORS_COMMITTER = "The desk <desk@example.org>"\n'
    (folder / "pelicanconf.py").write_text(settings, "utf-8")
    article = folder / "content" / "articles" / "en" / "flight.md"
    article.parent.mkdir(parents=True)
    article.write_text(f"Title: Flight\nDate: 2026-11-01\n\n{BODY}", "utf-8")
    (folder / ".gitignore").write_text(".venv\n.venv.lock\n__pycache__/\nvar/\n")
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[user]\n\tname = {CANARY}\n\temail = {CANARY}@example.org\n")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "content", "pelicanconf.py", ".gitignore"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    return folder


def run(project: Path, *arguments: str) -> str:
    names = ("USER", "LOGNAME", "HOSTNAME", "EMAIL", "GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL")
    environment = dict.fromkeys(names, CANARY) | {"HOME": str(project / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_blog(project, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def sign(kit: bytes) -> bytes:
    """A kit that was filled in by somebody whose word processor writes their name wherever it can."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    by = f'w:id="1" w:author="{CANARY}" w:initials="{CANARY}" w:date="2026-11-20T10:11:12Z"'
    comment = f"<w:p><w:r><w:t>{CANARY}</w:t></w:r></w:p>"
    added = {f"docProps/{name}.xml": f"<a><b>{CANARY}</b></a>" for name in ("core", "app", "custom")} | {
        "customXml/item1.xml": f"<a>{CANARY}</a>",
        "word/comments.xml": f"<w:comments {w}><w:comment {by}>{comment}</w:comment></w:comments>",
        "word/people.xml": f"<a>{CANARY}</a>",
        "word/header1.xml": f"<w:hdr {w}>{comment}</w:hdr>",
    }
    marks = f'<w:del {by}><w:r><w:delText>{CANARY}</w:delText></w:r></w:del><w:ins {by}><w:r w:rsidR="00{CANARY}">'
    marks += '<w:t>WRITTEN</w:t></w:r></w:ins><w:r><w:commentReference w:id="1"/></w:r>'
    empty = "</w:pPr></w:p></w:tc></w:tr>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(kit)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == "word/document.xml":
                text = text.replace(empty, empty.replace("</w:p>", f"{marks}</w:p>"), 1)
            if name.endswith("document.xml.rels"):
                header = f'<Relationship Id="rId9" Type="{office}/header" Target="header1.xml"/></Relationships>'
                text = text.replace("</Relationships>", header)
            new.writestr(name, text)
        for name, text in added.items():
            new.writestr(name, text)
    return buffer.getvalue()


def test_nothing_tells_who_was_at_the_machine(project: Path) -> None:
    run(project, "translate", "flight", "fa", "--by", "A Swallow", "--commit")
    run(project, "translate", "flight", "fa", "--release", "--commit")
    run(project, "kit", "flight", "ar")
    run(project, "kit", "flight", "ar", "--format", "html")
    kits = project / "var" / "kits"
    run(project, "kit", "flight", "zh-Hans")
    for lang, more in (("ar", ["--commit"]), ("zh-Hans", [])):
        came = project.parent / f"{CANARY}-{lang}.docx"
        came.write_bytes(sign((kits / f"flight-{lang}.docx").read_bytes()))
        told = run(project, "import", str(came), *more)
        assert f"content/articles/{lang}/flight.md" in told
        left = {line.split(": ", 1)[1] for line in told.splitlines() if line.startswith("left out: ")}
        assert left == {
            "comments", "custom XML", "headers and footers of pages", "the file's properties",
            "tracked changes: the final text was taken (2)",
        }  # fmt: skip
        assert "WRITTEN" in (project / "content" / "articles" / lang / "flight.md").read_text("utf-8")
    log = subprocess.run(
        ["git", "log", "--format=%an %ae %ai %cn %ce %ci %B", "-3"], cwd=project, capture_output=True, check=True
    )
    midnight = f"{datetime.now(UTC).date()} 00:00:00 +0000"
    who = f"The desk desk@example.org {midnight}"
    assert log.stdout.decode().split("\n\n") == [
        f"{who} {who} Take in the translation of flight into ar",
        f"{who} {who} Give flight in fa back",
        f"{who} {who} Begin the translation of flight into fa",
        "",
    ]
    own = {project / "home" / ".gitconfig"}
    kept = [path for path in project.rglob("*") if path.is_file() and ".venv" not in path.parts and path not in own]
    assert [path for path in kept if CANARY.encode() in path.read_bytes()] == []
    everything = ["git", "cat-file", "--batch-all-objects", "--batch"]  # as they are, not packed
    assert CANARY.encode() not in subprocess.run(everything, cwd=project, capture_output=True, check=True).stdout
    translator = (project / "content" / "articles" / "ar" / "flight.md").read_text("utf-8")
    assert "Translator: withheld\n" in translator


def test_a_mistake_is_one_line_with_its_remedy(project: Path) -> None:
    broken = project.parent / "broken.docx"
    broken.write_bytes(b"no archive")
    for arguments, told in (
        (("translate", "fligth", "fa"), "fligth: there is no article or page of this key. Did you mean flight?"),
        (
            ("import", str(broken)),
            "broken.docx: it is no .docx file. Open it in a word processor, save it as .docx, and import that.",
        ),
    ):
        done = run_blog(project, *arguments)
        assert done.returncode == 1
        # Pelican says something about the settings of so small a site.
        assert done.stderr.splitlines()[-1] == f"blog: {told}"


# What is built of a scaffold


@pytest.fixture
def site(tmp_path: Path) -> Site:
    settings: dict[str, Any] = {"PLUGINS": ["multilingual", "prose", "translators"], "MARKDOWN": MARKDOWN}
    made = Site(tmp_path, **settings)
    made.article("en", "flight", BODY, Summary="A summary of it.")
    return made


def translate(site: Site) -> Path:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), site.folder)
    args = parser.parse_args(["translate", "flight", "fa"])
    args.read_content = [read_content]
    assert args.run(args) == 0
    return site.content / "articles" / "fa" / "flight.md"


def test_a_scaffold_can_be_looked_at_and_quotes_nothing_that_is_read(site: Site) -> None:
    translate(site)
    site.build_whole()
    page = html.parse(str(site.output / "fa" / "drafts" / "flight" / "index.html"))
    shown = " ".join(page.getroot().xpath("//main//text()"))
    assert "⟨…⟩" in shown
    assert "Words of the source" not in shown
    assert not (site.output / "fa" / "flight").exists()


def test_a_published_scaffold_is_refused_with_one_line(site: Site) -> None:
    path = translate(site)
    path.write_text(path.read_text("utf-8").replace("Status: draft\n", ""), "utf-8")
    (problem,) = site.build().errors
    assert (problem.file, problem.line) == ("content/articles/fa/flight.md", 1)
    assert "--done" in problem.remedy


def test_check_looks_at_translations_and_a_build_does_not(site: Site) -> None:
    site.translation("fa", "flight", "en", "کلمات.[^a]\n\n- یک مورد.\n\n[^a]: گزارشی از ۲۰۱۴.", Summary="خلاصه.")
    assert "2014" not in " ".join(map(str, site.build_whole().problems))
    found = [problem for problem in site.check().problems if problem.file == "content/articles/fa/flight.md"]
    assert [(problem.line, problem.what) for problem in found] == [
        (5, "1 link fewer than in the source"),
        (9, "with 2014, which the source does not have"),
        (9, "without the number 2024"),
    ]
    assert all(problem.warning for problem in found)
