"""What keeps the intake from its promises, as far as its server can see, and what to do about each.

`./blog mailroom doctor` shows it, and so does the API, to experts who have no other way to look at the server. What the
processes that see submissions know of themselves they note when they start (`note_protection`); others cannot see it.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from mailroom.doctor import Finding, Verdict
from mailroom.errors import ConfigurationError, MailroomError
from mailroom.intake.notice import place_of
from mailroom.intake.sealing import REFUSE_AFTER, ROTATE_AFTER, read_recipients
from mailroom.intake.submissions import EXPIRED, Intake, open_intake
from mailroom.office import Office

#: What part of the room may be taken before somebody should look, and before it is wrong.
NEARLY_FULL, FULL = 0.8, 0.95
#: Days without expiry, and without a notice, after which something is wrong.
PATIENCE = 2
#: Under this name the intake's processes note their protection, in the table `facts`.
PROTECTION = "protection"
_MIB = 1024**2
_PR_GET_DUMPABLE = 3


@dataclass(frozen=True, slots=True)
class Protection:
    """What a process knows of itself: whether its memory may be written out when it crashes, and its control group."""

    dumpable: bool
    cgroup: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined. `root` is where the machine's files begin: tests have a machine of their own."""

    office: Office
    intake: Intake
    root: Path = Path("/")


Check = Callable[[Patient], Iterator[Finding]]


def note_protection(intake: Intake) -> None:
    """Note how this process is protected, and what it forks: done when the intake starts."""
    dumpable, cgroup = False, ""
    if sys.platform == "linux":
        dumpable = ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0
        lines = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
        cgroup = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")  # cgroups(7), v2
    intake.set_fact(PROTECTION, json.dumps(asdict(Protection(dumpable, cgroup))))


def examine_intake(office: Office, root: Path = Path("/"), *, without: Collection[Check] = ()) -> Iterator[Finding]:
    """Look at everything but `without`; at nothing where there is no intake. What cannot be looked at is wrong too."""
    if not office.settings.intake_recipients:
        return
    try:
        patient = Patient(office, open_intake(office.settings, office.clock), root)
    except MailroomError as error:
        yield Finding("wrong", f"Intake: {error}")
        return
    for check in (each for each in CHECKS if each not in without):
        try:
            yield from check(patient)
        except (MailroomError, ConfigurationError) as error:
            yield Finding("wrong", f"Intake: {error}")


def look_at_swap(patient: Patient) -> Iterator[Finding]:
    """Nothing of a submission may get from memory to a disk."""
    protection = _protection(patient.intake)
    if protection is None:
        remedy = "Start the mailroom: ./blog mailroom run"
        yield Finding("look", "Intake: it has not run yet, so nothing is known of its processes", remedy)
    elif _may_not_swap(patient.root, protection.cgroup):
        yield Finding("ok", "Intake: its processes are not swapped out")
    elif (swaps := _read(patient.root / "proc/swaps")) is None:
        remedy = "Run ./blog mailroom doctor on the server itself."
        yield Finding("look", "Intake: whether this machine swaps cannot be seen from here", remedy)
    elif len(swaps.splitlines()) > 1:  # the first line is a heading
        remedy = "MemorySwapMax=0, as ./blog mailroom unit prints it, or swapoff -a."
        yield Finding("wrong", "Intake: its memory may be swapped out, to a disk", remedy)
    else:
        yield Finding("ok", "Intake: this machine does not swap")


def look_at_cores(patient: Patient) -> Iterator[Finding]:
    """Nor may a crash write memory down: a core_pattern with a pipe (core(5)) ignores the limit that we set."""
    protection = _protection(patient.intake)
    if protection is None:
        return  # said already
    pattern = _read(patient.root / "proc/sys/kernel/core_pattern")
    if not protection.dumpable:
        yield Finding("ok", "Intake: a crash writes no memory down")
    elif pattern is None:
        remedy = "Run ./blog mailroom doctor on the server itself."
        yield Finding("look", "Intake: what becomes of memory in a crash cannot be seen from here", remedy)
    elif pattern.startswith("|"):
        remedy = "Restart the mailroom; then look for what lets its processes be dumped (PR_SET_DUMPABLE)."
        yield Finding("wrong", "Intake: a crash would hand its memory to a program (core_pattern)", remedy)
    else:
        yield Finding("ok", "Intake: a crash writes no memory down")


def look_at_recipients(patient: Patient) -> Iterator[Finding]:
    """Keys are replaced every 90 days, so that one that is lost opens no more than that."""
    today = patient.office.clock.today()
    oldest = max(each.days(today) for each in read_recipients(patient.office.settings.intake_recipients))
    remedy = "Make a new key, ./blog intake keygen, and name it in MAILROOM_INTAKE_RECIPIENTS in the old one's place."
    if oldest > ROTATE_AFTER:
        verdict: Verdict = "wrong" if oldest > REFUSE_AFTER else "look"
        yield Finding(verdict, f"Intake: the oldest recipient is {oldest} days old", remedy)
    else:
        yield Finding("ok", f"Intake: its recipients are {oldest} days old at most")


def look_at_room(patient: Patient) -> Iterator[Finding]:
    """When it is full the form takes nothing."""
    intake, kept = patient.intake, patient.intake.occupancy()
    part = max(kept.count / max(intake.most, 1), kept.octets / max(intake.room * _MIB, 1))
    taken = f"{kept.count} submissions of {intake.most}, {kept.octets // _MIB} MiB of {intake.room}"
    if part < NEARLY_FULL:
        yield Finding("ok", f"Intake: {taken}")
    else:
        remedy = "Fetch and acknowledge what is there: ./blog intake open, ./blog intake acknowledge."
        yield Finding("wrong" if part >= FULL else "look", f"Intake: it is nearly full, {taken}", remedy)


def look_at_expiry(patient: Patient) -> Iterator[Finding]:
    """What is 30 days old must go."""
    last = patient.intake.fact(EXPIRED)
    remedy = "The worker does it: is it running? Look at its log."
    if not last:
        yield Finding("look", "Intake: nothing has expired yet, since the worker has not looked", remedy)
    elif (days := patient.office.clock.today() - int(last)) >= PATIENCE:
        yield Finding("wrong", f"Intake: for {days} days nobody has looked for what is to expire", remedy)
    else:
        yield Finding("ok", "Intake: what is 30 days old is deleted")


def look_at_notices(patient: Patient) -> Iterator[Finding]:
    """An expert to whom no notice comes may think that nothing has."""
    office = patient.office
    if not office.settings.intake_notice:
        yield Finding("look", "Intake: nobody gets the daily notice", "MAILROOM_INTAKE_NOTICE=expert@example.org")
        return
    with patient.intake.connection() as connection:
        rows = connection.execute("SELECT recipient, sent FROM notices").fetchall()
    sent = {bytes(row["recipient"]): row["sent"] for row in rows}
    last = min(sent.get(place_of(office, address), 0) for address in office.settings.intake_notice)
    remedy = "Is the worker running, and delivery on? Its log says what the relay said."
    if not last:
        yield Finding("look", "Intake: not everybody has been sent a notice yet", remedy)
    elif (days := office.clock.today() - last) >= PATIENCE:
        yield Finding("wrong", f"Intake: for {days} days somebody has been sent no notice", remedy)
    else:
        yield Finding("ok", "Intake: notices are sent")


def look_at_files(patient: Patient) -> Iterator[Finding]:
    """What is sealed is nobody else's business either: how much there is, and when."""
    path = patient.intake.path
    for each in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))):
        if sys.platform != "win32" and each.exists() and each.stat().st_mode & 0o077:
            yield Finding("wrong", f"Intake: others may read {each}", f"chmod 600 {each}")
            return
    yield Finding("ok", "Intake: nobody else may read its database")


def _protection(intake: Intake) -> Protection | None:
    noted = intake.fact(PROTECTION)
    return Protection(**json.loads(noted)) if noted else None


def _may_not_swap(root: Path, cgroup: str) -> bool:
    """Whether the group, or one that it is in, has no swap (memory.swap.max)."""
    place = PurePosixPath(cgroup.lstrip("/"))
    folders = (root / "sys/fs/cgroup" / each for each in (place, *place.parents))
    return any((_read(folder / "memory.swap.max") or "").strip() == "0" for folder in folders)


def _read(path: Path) -> str | None:
    """A file of the machine's; None where this process is shown none (ProcSubset=pid)."""
    try:
        return path.read_text("utf-8")
    except OSError:
        return None


CHECKS: tuple[Check, ...] = (
    look_at_swap,
    look_at_cores,
    look_at_recipients,
    look_at_room,
    look_at_expiry,
    look_at_notices,
    look_at_files,
)
