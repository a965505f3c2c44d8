"""Requests that nobody would send get an answer, never a failure of ours; for more, `python -m tests.mailroom.fuzz`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailroom.settings import Settings
from tests.mailroom.fuzz import ENDPOINTS, MANY, Fuzzer
from tests.mailroom.offices import Watch, new_office

COUNT = 150


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_request_makes_a_page_fail(
    settings: Settings, watch: Watch, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    with new_office(replace(settings, limit_network=MANY, limit_total=MANY, limit_day=MANY), watch) as office:
        fuzzer = Fuzzer(office, seed=len(endpoint))
        statuses = {fuzzer.ask(endpoint).status for _ in range(COUNT)}
    assert len(statuses) > 1
    assert (200 in statuses) == (endpoint != "nowhere"), "some of them are good requests"
    assert not caplog.records
