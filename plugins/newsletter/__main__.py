"""The commands for a site without our front door: `python -m newsletter pelicanconf.py plan`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .commands import Site, add_subcommands


def main(arguments: list[str]) -> int:
    """Run the command for the site of these settings; what it composes, it composes by running Pelican."""
    parser = argparse.ArgumentParser(prog="python -m newsletter", description="The newsletter of a Pelican site.")
    parser.add_argument("settings", type=Path, help="the settings that the site is published with")
    settings = Path(arguments[0] if arguments else "").resolve()
    add_subcommands(parser, Site(settings.parent, settings, lambda _, output: build(settings, output)), preview=False)
    args = parser.parse_args(arguments)
    return int(args.run(args))


def build(settings: Path, output: Path) -> int:
    """Build the site where nobody looks at it. Pelican goes on after most errors; it says them itself."""
    from pelican import Pelican
    from pelican.settings import read_settings

    Pelican(read_settings(str(settings), override={"OUTPUT_PATH": str(output)})).run()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValueError, OSError) as error:
        sys.exit(f"newsletter: {error}")
