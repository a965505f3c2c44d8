"""Many workers killed at random in a long campaign: `python -m tests.mailroom.soak [--kills 50] [--readers 2000]`."""

# ruff: noqa: T201 - it is run by hand, and this is what it is for

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.mailroom.sink import Rule, Sink
from tests.mailroom.trial import Trial


def main() -> None:
    """Kill, and say what came of it; an AssertionError says what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--readers", type=int, default=2000)
    options = parser.parse_args()
    # Slow enough for the campaign to last as long as the killing does.
    pace = Rule("end", delay=4 * 0.25 * options.kills / options.readers)
    with tempfile.TemporaryDirectory() as name, Sink(Path(name), pace) as sink:
        trial = Trial(Path(name), sink, options.readers)
        with trial.cradle:
            trial.kill_at_random(options.kills)
            trial.finish()
        letters = len(sink.accepted())
    doubled = letters - options.readers
    print(
        f"{options.kills} workers killed in a campaign to {options.readers}: nobody lost, nobody doubled;"
        f" {len(trial.unknown)} letters were unknown, {doubled} of them were sent again to who had them already"
    )


if __name__ == "__main__":
    main()
