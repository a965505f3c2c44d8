"""`_headers`: what Netlify and Cloudflare Pages read to answer with our headers.

One block per pattern of paths, header lines indented (docs.netlify.com/manage/routing/headers,
developers.cloudflare.com/pages/configuration/headers). Both join a header that two blocks state, so each is stated
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from .policy import FILES_FRESH


def write_headers(headers: Mapping[str, str], lasting: Iterable[str]) -> str:
    """The file's text; `lasting` are folders whose files may be kept for a day."""
    blocks = {"/*": headers}
    for folder in lasting:
        blocks[f"/{quote(folder)}/*"] = {"Cache-Control": f"public, max-age={FILES_FRESH}"}
    lines = []
    for pattern, stated in blocks.items():
        lines += [pattern, *(f"  {name}: {value}" for name, value in stated.items()), ""]
    return "\n".join(lines)
