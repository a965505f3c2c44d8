"""The provider for listmonk, against a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.newsletter.contract import Contract
from tests.newsletter.real_listmonk import HERE, RealListmonk

if HERE:

    @pytest.fixture(scope="module")
    def running() -> Iterator[RealListmonk]:
        with RealListmonk() as service:
            yield service
            service.reset()

    class TestRealListmonk(Contract):
        provider = "listmonk"
