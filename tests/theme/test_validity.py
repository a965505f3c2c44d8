"""Every page of the site is valid HTML, says the Nu HTML checker."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.theme.support import REDIRECT, BuiltSite, every_page_type, java_path, node_tool

BROKEN = """\
<!DOCTYPE html>
<html lang="en"><head><title>Broken</title></head>
<body><p><div role="nothing">Not closed, and an attribute twice.</p><a href="/" href="/">x</a></body></html>
"""
#: To the checker a file has no origin, so that none is "self", it takes no hash for a style block, and data
#: for a script; what the policy allows is for a browser to say, and another test asks one.
OF_POLICY = (
    "Resource violates Content Security Policy (meta tag)",
    "Inline style violates Content Security Policy (meta tag)",
    "Inline script violates Content Security Policy (meta tag)",
)
STYLE = "a { colour: red; inline-size: 3 apples; }\n"
Message = dict[str, Any]


@pytest.fixture(scope="module")
def judged(site: BuiltSite, bare_site: BuiltSite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Message]]:
    """What the checker says, by file: one run over both sites and over two files that are wrong on purpose."""
    java, checker = java_path(), node_tool("BLOG_TEST_VNU", "vnu-jar/build/dist/vnu.jar")
    control = tmp_path_factory.mktemp("control")
    (control / "broken.html").write_text(BROKEN, "utf-8")
    (control / "broken.css").write_text(STYLE, "utf-8")
    folders = [site.output, bare_site.output, control]
    command = [java, "-Xss2m", "-jar", str(checker), "--skip-non-html", "--also-check-css", "--also-check-svg"]
    run = subprocess.run(
        [*command, "--format", "json", "--stdout", *map(str, folders)],
        env=os.environ | {"LC_ALL": "C.UTF-8"},  # or Java finds no file with a Persian name
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    by_file: dict[str, list[Message]] = {}
    for message in json.loads(run.stdout)["messages"]:
        by_file.setdefault(unquote(message["url"].removeprefix("file:")), []).append(message)
    assert any(file.endswith("broken.html") for file in by_file), run.stderr
    return by_file


def test_every_state_is_present(site: BuiltSite) -> None:
    missing = [what for what, url in every_page_type() if url not in site.pages]
    assert not missing
    assert REDIRECT.format(lang="en") in site.pages


def test_the_checker_catches_a_broken_page_and_a_broken_style(judged: dict[str, list[Message]]) -> None:
    found = {Path(file).name: [m["message"] for m in messages] for file, messages in judged.items()}
    assert any("Duplicate attribute" in text for text in found["broken.html"])
    assert any("colour" in text for text in found["broken.css"])


def test_every_page_is_valid(site: BuiltSite, bare_site: BuiltSite, judged: dict[str, list[Message]]) -> None:
    found = [
        f"{Path(file).relative_to(one.output)}:{message.get('lastLine', 0)}: {message['type']}"
        f" {message.get('subType', '')}: {message['message']}"
        for one in (site, bare_site)
        for file, messages in judged.items()
        if Path(file).is_relative_to(one.output)
        for message in messages
        if not message["message"].startswith(OF_POLICY)
    ]
    assert not found, "\n".join(found[:40])
