"""Compressed copies beside the files, so that a small server need not compress, and can do it better.

Gzip only: what a stock nginx (`gzip_static`) and Caddy (`precompressed gzip`) deliver without a further module.
"""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Collection
from pathlib import Path

ENDINGS = frozenset({".html", ".css", ".svg", ".xml", ".atom", ".txt", ".bib", ".ris", ".json"})
#: Below this, in bytes, one packet carries the file either way.
SMALLEST = 1024


def compress_files(output: Path, keep: Collection[Path] = ()) -> None:
    """Put a `.gz` beside every text file, and remove copies whose file is gone or has become small.

    `keep` are files of the site itself that happen to be called so. Each copy has its file's time, so that a server
    names one `Last-Modified` for both.
    """
    for copy in sorted(output.rglob("*.gz")):
        if copy not in keep and copy.with_suffix("").suffix in ENDINGS:
            copy.unlink()
    for path in sorted(output.rglob("*")):
        copy = path.with_name(path.name + ".gz")
        if path.suffix not in ENDINGS or not path.is_file() or copy in keep:
            continue
        data = path.read_bytes()
        if len(data) >= SMALLEST:
            copy.write_bytes(compress(data))
            status = path.stat()
            os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def compress(data: bytes) -> bytes:
    """Gzip without name and time (RFC 1952), so that the same bytes give the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(data)
    return packed.getvalue()
