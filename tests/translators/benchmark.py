"""How long `./blog translations` takes of a thousand texts in ten languages, six translations in ten being there.

`.venv/bin/python -m tests.translators.benchmark` prints seconds of a processor: what else the machine does, and how
fast its disk is, is not counted.
"""

# ruff: noqa: T201 - it is run by hand, and this is what it is for

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.frontdoor.support import ROOT

sys.path.insert(0, str(ROOT / "plugins"))

from tests.translators.sites import Site

LANGS = ("en", "ar", "fa", "zh-Hans", "de", "es", "fr", "hi", "ru", "uk")
PROGRAM = """
import argparse, sys
from pathlib import Path
from multilingual.commands import read_content
from translators.commands import add_commands

parser = argparse.ArgumentParser()
add_commands(parser.add_subparsers(), Path.cwd())
args = parser.parse_args(["translations", *sys.argv[1:]])
args.read_content = [read_content]
sys.exit(args.run(args))
"""


def write_publication(site: Site) -> None:
    """Write the texts."""
    table = ", ".join(f"{lang!r}: {{}}" for lang in LANGS)
    with (site.root / "pelicanconf.py").open("a", encoding="utf-8") as settings:
        settings.write(f"\nMULTILINGUAL_LANGUAGES = {{{table}}}\n")
    body = "\n\n".join(f"Paragraph {n}. " + "What happened, where, when, and who has seen it. " * 7 for n in range(15))
    for number in range(1000):
        key = f"text-{number}"
        site.write("en", key, body=body)
        for place, lang in enumerate(LANGS[1:]):
            if (number + place) % 10 < 6:
                site.translate(lang, key=key, body=body)


def call(root: Path, *arguments: str) -> tuple[str, float]:
    """Call the command as a whole process; what it prints, and its seconds."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins"), "PYTHONUTF8": "1"}
    before = os.times()
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    after = os.times()
    return done.stdout, sum(after[2:4]) - sum(before[2:4])


def main() -> None:
    """Measure recording once, listing five times."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        site = Site(Path(folder))
        write_publication(site)
        print(f"translations --record   {call(site.root, '--record')[1]:6.2f} s")
        for arguments in ([], ["--lang", "fa"], ["--json"]):
            best = min(call(site.root, *arguments)[1] for _ in range(5))
            print(f"{' '.join(['translations', *arguments]):23} {best:6.2f} s")


if __name__ == "__main__":
    main()
