"""Nothing in the environment of who runs the tests decides what they see."""

import pytest


@pytest.fixture(autouse=True)
def without_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The claims of the machine's own operator stay out of the tests' builds."""
    for name in ("PRIVACY_ACCESS_LOG", "PRIVACY_HOST", "PRIVACY_HOST_COUNTRY", "PRIVACY_MAILING_SERVICE"):
        monkeypatch.delenv(name, raising=False)
