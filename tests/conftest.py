"""What holds for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, BrowserType, sync_playwright

from tests.frontdoor.support import browser_path

if TYPE_CHECKING:
    from tests.mailroom.servers import MailServer

# How long an example takes says how busy the machine is; what must be quick has a test that says so. Every run tries
# the same examples, so that a change is blamed for what it broke only; `--hypothesis-profile explore` finds new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    """Start browsers with this, and never with a Playwright of one's own: a process can hold but one."""
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """A real browser; who opens a window in it closes it."""
    browser = chromium.launch(executable_path=browser_path())
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    """Postfix and Dovecot; one pair for all tests, so each test writes to addresses of its own."""
    from tests.mailroom.servers import running_mail_server  # which not every system can import

    with running_mail_server() as server:
        yield server
