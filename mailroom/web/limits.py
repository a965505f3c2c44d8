"""How many sign-ups are taken: from one network in an hour, from everybody in a minute and in a day.

Links to the settings, which are mailed as well, are counted apart: a flood of sign-ups shuts nobody out of theirs.

Kept in memory only, under a key that ends with the process: nothing of it is written or logged, and nothing says who
was here once an hour has passed. How often one address is written to is the worker's to limit.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailroom.clock import DAY, HOUR, MINUTE
from mailroom.settings import Network

#: The part of an address that one subscriber of a provider usually has to themselves or shares with few.
PREFIXES = {4: 24, 6: 56}


@dataclass(slots=True)
class _Span:
    """So many in so many seconds, from everybody."""

    most: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """In how many seconds one more may be taken."""
        while self.taken and now - self.taken[0] >= self.seconds:
            self.taken.popleft()
        if len(self.taken) < self.most:
            return 0.0
        return (self.taken[0] if self.taken else now) + self.seconds - now


class Limits:
    """Counts sign-ups, or settings links. Its memory is bounded by what it lets through in an hour, or in a day."""

    def __init__(
        self, network: int, total: int, day: int | None = None, *, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """`network` an hour from one network, `total` a minute from everybody, and `day` a day if that is limited."""
        self._most_of_network = network
        self._spans = [_Span(total, MINUTE)] + ([] if day is None else [_Span(day, DAY)])
        self._steady = steady
        self._key = os.urandom(32)
        self._lock = threading.Lock()
        self._hour: deque[tuple[float, bytes]] = deque()
        self._networks: dict[bytes, deque[float]] = {}

    def take(self, address: str) -> float:
        """Count one from this IP address and return 0.0, or return in how many seconds it would be taken."""
        name = hashlib.blake2b(network_of(address), key=self._key, digest_size=16).digest()
        with self._lock:
            now = self._steady()
            self._forget(now)
            if wait := max(span.wait(now) for span in self._spans):
                return wait
            own = self._networks.get(name, deque())
            if len(own) >= self._most_of_network:
                return (own[0] if own else now) + HOUR - now
            own.append(now)
            self._networks[name] = own
            self._hour.append((now, name))
            for span in self._spans:
                span.taken.append(now)
            return 0.0

    def _forget(self, now: float) -> None:
        """Drop what of networks is too old to count."""
        while self._hour and now - self._hour[0][0] >= HOUR:
            _, name = self._hour.popleft()
            own = self._networks[name]
            own.popleft()
            if not own:
                del self._networks[name]


def network_of(address: str) -> bytes:
    """The network that an IP address belongs to; whatever is none belongs to one network of its own."""
    found = _parse(address)
    if found is None:
        return b""
    return bytes([found.version]) + (int(found) >> (found.max_prefixlen - PREFIXES[found.version])).to_bytes(16, "big")


def visitor(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The IP address of whoever asks: the peer's, or what the proxies that we trust say before one that we do not.

    `forwarded` is `X-Forwarded-For`, to which each proxy adds at the end whom it was asked by. What stands left of the
    first address that is no trusted proxy's may be invented.
    """
    address = peer
    for hop in reversed(forwarded.split(",")) if forwarded else ():
        found, named = _parse(address), _parse(hop.strip())
        if found is None or named is None or not any(found in network for network in trusted):
            break
        address = str(named)
    return address


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, also with a port after it or in brackets, as some proxies write it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
