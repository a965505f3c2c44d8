"""How many sign-ups a second the pages take: `python -m tests.mailroom.signups [COUNT]`.

A sign-up is both forms: the address, and the button. The pages run in a process of their own, limits lifted, each
answer given when the disk has it; so the disk's sync is measured beside it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.mailroom.web_process import web_process

#: Readers at one time.
READERS = 12
_FIELD = re.compile(rb'name="request" value="([^"]+)"')


async def post(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], host: str, path: str, body: bytes) -> bytes:
    """Send a form over an open connection, and return the page."""
    reader, writer = stream
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    length = re.search(rb"(?i)content-length: (\d+)", answer)
    assert length
    return await reader.readexactly(int(length[1]))


async def sign_up(url: str, count: int) -> tuple[list[float], float]:
    """The latency of each request, and the seconds that all sign-ups took."""
    parts = urlsplit(url)
    latencies: list[float] = []
    numbers = iter(range(count))

    async def read() -> None:
        stream = await asyncio.open_connection(parts.hostname, parts.port)
        for number in numbers:
            form = urlencode({"address": f"reader{number}@example.org", "lang": ("en", "fa")[number % 2]}).encode()
            started = time.perf_counter()
            page = await post(stream, parts.netloc, parts.path + "subscribe", form)
            between = time.perf_counter()
            found = _FIELD.search(page)
            assert found
            await post(stream, parts.netloc, parts.path + "subscribe/send", b"request=" + found[1])
            latencies.extend((between - started, time.perf_counter() - between))
        stream[1].close()
        await stream[1].wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(read() for _ in range(READERS)))
    return latencies, time.perf_counter() - started


def sync_latency(folder: Path, times: int = 50) -> float:
    """The median of what the disk takes to sync a page, in seconds."""
    taken = []
    with (folder / "sync").open("wb") as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """Measure, and print one line."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory() as name, web_process(Path(name)) as (_, settings):
        asyncio.run(sign_up(settings.url, 200))  # templates, caches
        latencies, seconds = asyncio.run(sign_up(settings.url, count))
        with sqlite3.connect(settings.database) as connection:
            kept = connection.execute("SELECT count(*) FROM requests").fetchone()[0]
        assert kept == count + 200
        cuts = statistics.quantiles(latencies, n=100)
        print(  # noqa: T201 - a command talks by printing
            f"{count} sign-ups, {READERS} readers at a time: {count / seconds:.0f}/s; a request takes"
            f" {cuts[49] * 1000:.1f} ms (median), {cuts[98] * 1000:.1f} ms (p99), {max(latencies) * 1000:.1f} ms (max);"
            f" a sync of this disk {sync_latency(Path(name)) * 1000:.2f} ms"
        )


if __name__ == "__main__":
    main()
