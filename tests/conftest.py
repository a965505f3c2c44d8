"""What holds for all tests."""

import os

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is; what must be quick has a test that says so.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to the other of `./blog test`'s two runs what is its: the tests that must be alone, or all others."""
    run = os.environ.get("BLOG_TEST_RUN")
    if run:
        chosen: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            is_alone = item.get_closest_marker("alone") is not None
            (chosen if is_alone == (run == "alone") else others).append(item)
        config.hook.pytest_deselected(items=others)
        items[:] = chosen
