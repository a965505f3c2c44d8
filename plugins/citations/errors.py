"""What can be wrong with the plugin's settings."""

from __future__ import annotations


class ConfigurationError(ValueError):
    """A setting that cannot be used: it names the setting, the value found there and the remedy."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy
