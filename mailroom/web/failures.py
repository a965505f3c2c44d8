"""What is logged of requests that fail by our fault, by the pages and by the API alike; how they answer is theirs."""

from __future__ import annotations

import logging

import falcon

from mailroom.errors import StoreError, describe

#: When to come back after a failure of ours, in seconds.
RETRY = 60


def note_failure(log: logging.Logger, resp: falcon.Response, error: StoreError) -> None:
    """The database does not take it now: the message says why, to whoever runs this."""
    log.error("%s", error)
    resp.set_header("Retry-After", str(RETRY))


def note_unexpected(log: logging.Logger, req: falcon.Request, error: Exception) -> None:
    """A mistake in the program. Neither what was sent nor the error's text, which may repeat it, is logged."""
    log.error("%s %s: %s", req.method, req.uri_template, describe(error))
