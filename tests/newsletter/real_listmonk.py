"""A real listmonk, of which two public double opt-in lists are named, for en and fa.

Letters are really started: nobody but yourself may be on these lists. Campaigns that the tests made are deleted.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.newsletter.contract import SITE
from tests.newsletter.real import credentials
from tests.newsletter.services import Letter, Proxy

HERE = credentials("listmonk", "API", "TOKEN", "LISTS")


class RealListmonk(Proxy):
    """A listmonk somewhere, with its own clock."""

    path = "/api/"

    def __init__(self) -> None:
        super().__init__()
        self.target, self.token = HERE["API"], HERE["TOKEN"]
        self.lists = dict(zip(("en", "fa"), HERE["LISTS"].split(","), strict=True))

    def reset(self) -> None:
        for record in self._found(f"newsletter-{SITE}"):
            self._ask("DELETE", f"campaigns/{record['id']}")

    def campaigns(self, key: str) -> Collection[Any]:
        return [each for each in self._found(f"newsletter-{SITE}") if key in (*each["tags"], each["archive_slug"])]

    def starts(self, key: str) -> int:
        return sum(each["status"] != "draft" for each in self.campaigns(key))

    def change(self, key: str) -> None:
        (record,) = self.campaigns(key)
        self._ask("PUT", f"campaigns/{record['id']}", self._writable(record) | {"body": "<p>Edited.</p>"})

    def copy(self, key: str) -> None:
        (record,) = self.campaigns(key)
        self._ask("POST", "campaigns", self._writable(record) | {"archive_slug": None, "send_at": None})

    def deliver(self, key: str) -> None:
        for record in self.campaigns(key):
            if record["status"] == "scheduled":
                soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat(timespec="seconds")
                self._ask("PUT", f"campaigns/{record['id']}", self._writable(record) | {"send_at": soon})
        end = time.monotonic() + 60
        while any(each["status"] in ("scheduled", "running") for each in self.campaigns(key)):
            assert time.monotonic() < end, "it does not finish"
            time.sleep(1)

    def letter(self, key: str) -> Letter:
        """By its preview, which renders everything as it would be sent, for a reader who does not exist."""
        (record,) = self.campaigns(key)
        body, text, subject = (
            self._preview(record, record[part]) if "{{" in record[part] else record[part]
            for part in ("body", "altbody", "subject")
        )
        found = re.search(r"https?://\S+/subscription/[\w-]+/[\w-]+", text)
        self.unsubscribe = found[0] if found else ""
        return Letter(html.unescape(subject) if "{{" in record["subject"] else subject, body, text)

    def _preview(self, record: dict[str, Any], template: str) -> str:
        form = {"content_type": "visual", "body": template}
        address = f"{self.target}campaigns/{record['id']}/preview"
        answer = requests.post(address, form, headers=self._headers, timeout=60)
        assert answer.status_code == 200, answer.text
        answer.encoding = "utf-8"
        return answer.text

    def _writable(self, record: dict[str, Any]) -> dict[str, Any]:
        return record | {name: [each["id"] for each in record[name]] for name in ("lists", "media")}

    def _found(self, tag: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", f"campaigns?per_page=all&tag={tag}")["results"]
        return found

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self.target + path, json=body, headers=self._headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}
