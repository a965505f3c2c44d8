"""What the table needs to know of a site, from Pelican's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .policy import Policy
from .settings import Configuration
from .styles import find_styles


def make_policy(settings: Mapping[str, Any], configuration: Configuration) -> Policy:
    """The policy of the site that these settings describe."""
    return Policy(
        str(settings.get("SITEURL") or ""), configuration.form_actions, find_styles(settings), configuration.hsts_days
    )


def lasting_folders(settings: Mapping[str, Any]) -> list[str]:
    """Folders whose files change rarely: the theme's and the site's static ones, such as its pictures."""
    folders = [settings["THEME_STATIC_DIR"], *settings["STATIC_PATHS"]]
    return list(dict.fromkeys(str(folder).strip("/") for folder in folders if str(folder).strip("/.")))
