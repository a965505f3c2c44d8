"""Real mailing services, for whoever has an account to try a provider on: see CONTRIBUTING, "Adding a provider".

    HERE = credentials("listmonk", "API", "TOKEN", "LISTS")

    if HERE:
        class TestRealListmonk(Contract): ...

so that without credentials there is no such test, and no request.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def credentials(provider: str, *names: str) -> Mapping[str, str]:
    """What `NEWSLETTER_LIVE_<PROVIDER>_<NAME>` say in the environment; nothing unless they all say something."""
    found = {name: os.environ.get(f"NEWSLETTER_LIVE_{provider.upper()}_{name}", "") for name in names}
    return found if all(found.values()) else {}
