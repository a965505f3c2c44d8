"""How much is let in: submissions and tries of receipts, of one network in an hour and of everybody in less.

Each request is a process of its own, so what is counted stands in memory that all of them share, and nowhere else.
Which network a counter belongs to is known to a key alone that is forgotten with the hour: no address is kept, nor its
hash. Locks belong to a process and go with it: one that is killed holds up nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mailroom.clock import HOUR, MINUTE, steady_time
from mailroom.errors import MailroomError
from mailroom.web.limits import network_of

#: Submissions in a minute, from everybody.
TOTAL = 60
#: Receipts looked up in a second, by everybody: sixteen digits are not guessed at this pace.
TRIES = 10
#: … and in an hour by one network, for each submission that it may send: what somebody mistypes counts as well.
TRIES_EACH = 6
#: Slow hashes at a time, each of which takes much memory, and for how many seconds one more waits.
PLACES, PATIENCE = 2, 10.0
#: Of these places, those that receipts which are looked up may take: what is sent does not wait for them. Nor do so
#: many of them wait at a time that they take up the whole server.
PLACES_OF_TRIES, PATIENCE_OF_TRIES = 1, 3.0
#: Two networks share a counter once in so many: an hour lets through far fewer, and nobody can choose whose.
COUNTERS = 1 << 16
_KEY = 32
_NUMBER, _INSTANT, _COUNT = struct.Struct("=q"), struct.Struct("=d"), struct.Struct("=H")
_TURN = 0.05


class Busy(MailroomError):
    """Too many at this moment; `wait` says for how many seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__("Too many at this moment")
        self.wait = wait


class Turnstile:
    """Made by the process that forks, used by those it has forked, each of which has one thread."""

    def __init__(
        self, network: int, *, total: int = TOTAL, tries: int = TRIES, steady: Callable[[], float] = steady_time
    ) -> None:
        """`network` is how many submissions one network may send in an hour."""
        self._most_of_network = network
        self._steady = steady
        with tempfile.TemporaryFile() as file:  # without a name, and empty: it is there to be locked
            self._file = os.dup(file.fileno())
        self._submissions = _Span(total, MINUTE)
        self._tries = _Span(tries, 1.0)
        self._networks = _Networks()

    def count_submission(self, address: str) -> None:
        """Count one from this IP address. Raises Busy."""
        with self._locked():
            now = self._steady()
            if wait := self._submissions.wait(now):
                raise Busy(wait)
            if self._networks.add(network_of(address), now) > self._most_of_network:
                raise Busy(HOUR - now % HOUR)
            self._submissions.add(now)

    def forgive(self, address: str) -> None:
        """Have the last one from this IP address not count: nothing came of it.

        Neither for its network, or mistakes would shut somebody out; nor for everybody, or one network's would shut
        out all.
        """
        with self._locked():
            self._networks.add(network_of(address), self._steady(), -1)
            self._submissions.take_back()

    def count_try(self, address: str) -> None:
        """Count one receipt that is looked up from this IP address. Raises Busy."""
        with self._locked():
            now = self._steady()
            if wait := self._tries.wait(now):
                raise Busy(wait)
            if self._networks.add(b"try" + network_of(address), now) > TRIES_EACH * self._most_of_network:
                raise Busy(HOUR - now % HOUR)
            self._tries.add(now)

    @contextmanager
    def place(self, patience: float = PATIENCE, places: int = PLACES) -> Iterator[None]:
        """One of the few places for a slow hash. Raises Busy when none of the first `places` was free in time."""
        deadline = time.monotonic() + patience
        while (place := self._take_place(places)) is None:
            if time.monotonic() >= deadline:
                raise Busy(patience)
            time.sleep(_TURN)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _take_place(self, places: int) -> int | None:
        for place in range(places, 0, -1):  # those first that are not for all
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except BlockingIOError:
                continue
            return place
        return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, 0)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 0)


class _Span:
    """So many in so many seconds: the instants of the last ones, in a ring.

    Whoever is killed within `add` has one instant overwritten, and the next one overwrites it again.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._memory = mmap.mmap(-1, _NUMBER.size + most * _INSTANT.size)
        for number in range(most):
            _INSTANT.pack_into(self._memory, self._place(number), float("-inf"))

    def wait(self, now: float) -> float:
        """In how many seconds one more may come."""
        oldest: float = _INSTANT.unpack_from(self._memory, self._place(self._oldest()))[0]
        return max(0.0, oldest + self._seconds - now)

    def add(self, now: float) -> None:
        oldest = self._oldest()
        _INSTANT.pack_into(self._memory, self._place(oldest), now)
        _NUMBER.pack_into(self._memory, 0, (oldest + 1) % self._most)

    def take_back(self) -> None:
        """Have the last one not count."""
        last = (self._oldest() - 1) % self._most
        _INSTANT.pack_into(self._memory, self._place(last), float("-inf"))
        _NUMBER.pack_into(self._memory, 0, last)

    def _oldest(self) -> int:
        return int(_NUMBER.unpack_from(self._memory, 0)[0])

    def _place(self, number: int) -> int:
        return _NUMBER.size + number * _INSTANT.size


class _Networks:
    """How many came from each network within the hour: counters that a keyed hash picks, and the key of that hour.

    The hour is written last: whoever is killed while it begins leaves that to the next one.
    """

    _START = _NUMBER.size + _KEY

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self._START + COUNTERS * _COUNT.size)
        _NUMBER.pack_into(self._memory, 0, -1)

    def add(self, network: bytes, now: float, number: int = 1) -> int:
        """Count so many, and return how many there are within this hour."""
        hour = int(now // HOUR)
        if _NUMBER.unpack_from(self._memory, 0)[0] != hour:
            self._memory[self._START :] = bytes(COUNTERS * _COUNT.size)
            self._memory[_NUMBER.size : self._START] = os.urandom(_KEY)
            _NUMBER.pack_into(self._memory, 0, hour)
        key = self._memory[_NUMBER.size : self._START]
        digest = hashlib.blake2b(network, key=key, digest_size=4).digest()
        place = self._START + int.from_bytes(digest, "big") % COUNTERS * _COUNT.size
        count = min(max(0, _COUNT.unpack_from(self._memory, place)[0] + number), 0xFFFF)
        _COUNT.pack_into(self._memory, place, count)
        return int(count)
