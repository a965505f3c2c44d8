"""What the mailroom's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mailroom.servers import MailServer, running_mail_server


@pytest.fixture(scope="session")
def mail() -> Iterator[MailServer]:
    """Postfix and Dovecot; one pair for all tests, so each test writes to addresses of its own."""
    with running_mail_server() as server:
        yield server
