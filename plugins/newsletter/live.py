"""Is the page there, as it was built? No letter leaves before the pages that it leads to can be read.

A page that was built says what it was built from: `<meta name="content-digest" content="…">`. First it is asked for
with its digest as the query, which no cache can have kept, until what comes back says the same digest. Then it is asked
for plainly, as its readers will, twice. That is what one place sees: whoever has a network of caches in front of the
site purges it in the deploy command.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from .errors import PageNotLive

#: The name of the page's meta element, which the theme writes.
META = "content-digest"
#: Seconds between two looks while pages are missing; the last holds for all that follow.
PAUSES = (2.0, 4.0, 8.0, 15.0)
#: Seconds between the two plain looks, and how many there are.
APART, LOOKS = 10.0, 2
#: How long an answer is waited for, in seconds, and its octets, at most.
TIMEOUT = 30.0
LARGEST = 2 * 1024 * 1024


@dataclass(slots=True)
class _Page:
    url: str
    digest: str
    #: How often in a row the plain address has been right.
    seen: int = 0
    problem: str = ""

    @property
    def fresh(self) -> str:
        """The address that no cache has kept."""
        return f"{self.url}{'&' if urlsplit(self.url).query else '?'}{self.digest}"


def await_pages(
    pages: Iterable[tuple[str, str]],
    wait: float,
    *,
    timeout: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Return when each page, an absolute address and a digest, can be read as it was built.

    Raises PageNotLive, naming all that cannot after `wait` seconds and why. With 0 each is looked at once, and once
    more if it was there.
    """
    known = [_Page(url, digest) for url, digest in dict.fromkeys(pages)]
    pauses = iter(PAUSES)
    end = clock() + wait
    pending = known
    with _make_session() as session:
        while pending:
            for page in pending:
                _look(session, page, timeout)
            # When the time is up, those are looked at again that were there a moment ago.
            pending = [page for page in known if page.seen < LOOKS and (page.seen or clock() < end)]
            if pending:
                growing = next(pauses, PAUSES[-1])
                sleep(APART if any(page.seen for page in pending) else min(growing, max(end - clock(), 0)))
    lines = [f"\n  {page.url} {page.problem}" for page in known if page.problem]
    if lines:
        those = "its page cannot" if len(lines) == 1 else f"{len(lines)} pages cannot"
        remedy = f"Publish what was composed, and run this again:{''.join(lines)}"
        raise PageNotLive(f"No letter leaves before its page, and {those} be read as built", remedy)


def _look(session: requests.Session, page: _Page, timeout: float) -> None:
    if page.seen == 0:
        page.problem = _read(session, page.fresh, page.digest, timeout)
        if page.problem:
            return
    page.problem = _read(session, page.url, page.digest, timeout)
    if page.problem:
        page.seen = 0
        page.problem += f" (with ?{page.digest} it is there: a cache has kept what was; purge it in PUBLISH_COMMAND)"
    else:
        page.seen += 1


def _make_session() -> requests.Session:
    """Without cookies, and without what a .netrc holds."""
    session = requests.Session()
    session.auth = lambda request: request
    session.headers.update({"Accept": "text/html", "User-Agent": "pelican-newsletter"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _read(session: requests.Session, url: str, digest: str, timeout: float) -> str:
    """What is wrong with what this address answers, "" if nothing."""
    try:
        # Never led elsewhere: the reader's program would be led there too, and SITEURL is not what it should be.
        with session.get(url, timeout=timeout, allow_redirects=False, stream=True) as response:
            content = response.raw.read(LARGEST + 1, decode_content=True)
    except requests.exceptions.SSLError:
        return "has no certificate that browsers trust: mend the server's TLS"
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        return f"does not answer within {timeout:g} s"
    except (requests.ConnectionError, requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
        return "cannot be reached: is SITEURL right, and does the server run?"
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        return "breaks off before its end"
    except ValueError:  # headers that are no text
        return "answers what no browser understands"
    return _judge(response, content, digest)


def _judge(response: requests.Response, content: bytes, digest: str) -> str:
    status, kind = response.status_code, response.headers.get("Content-Type", "")
    if response.is_redirect or 300 <= status < 400:
        target = _printable(urljoin(response.url, response.headers.get("Location", "")))
        return f"answers {status} and leads to {target}: set SITEURL to where pages are"
    if status == 404:
        return "answers 404: it is not there"
    if status != 200:
        return f"answers {status}"
    if kind and not kind.lower().startswith(("text/html", "application/xhtml+xml")):
        return f"answers with {_printable(kind)}: that is no page"
    if len(content) > LARGEST:
        return f"is larger than {LARGEST // 2**20} MiB: that is no page of ours"
    finder = _DigestFinder()
    finder.feed(content.decode("utf-8", "replace"))
    if finder.digest is None:
        return f'has no <meta name="{META}">: it is another page, or one whose theme does not write it'
    if finder.digest != digest:
        return f"is another version: its {META} is {_printable(finder.digest) or 'empty'}, awaited is {digest}"
    return ""


class _DigestFinder(HTMLParser):
    """Finds the first digest in the head: what stands below it is the article's own words."""

    def __init__(self) -> None:
        super().__init__()
        self.digest: str | None = None
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._in_body = self._in_body or tag == "body"
        if tag == "meta" and not self._in_body and self.digest is None and values.get("name") == META:
            self.digest = values.get("content") or ""


def _printable(text: str) -> str:
    """What a stranger's server says, as it may stand on a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)[:200]
