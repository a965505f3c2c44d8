"""The form's pages: what somebody sends is sealed and stored, and who has a receipt sees what became of it.

Each answer is the work of a process of its own, which ends with it (mailroom/intake/server.py). Nothing is written
before it is sealed, and the receipt is shown when what it belongs to is on the disk, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import falcon

from mailroom.clock import Clock
from mailroom.errors import InvalidReceipt
from mailroom.intake.container import SIZES
from mailroom.intake.forms import FACES, LARGEST_FILES, RECEIPT, Face, Unfinished, fill_form, read_submission
from mailroom.intake.receipts import Lookup, make_receipt, read_receipt
from mailroom.intake.sealing import Recipient, Sealed, seal
from mailroom.intake.submissions import Intake
from mailroom.intake.turnstile import PATIENCE, PATIENCE_OF_TRIES, PLACES, PLACES_OF_TRIES, Turnstile
from mailroom.languages import Language, Languages
from mailroom.settings import Settings
from mailroom.web.choice import language_for
from mailroom.web.forms import read_form
from mailroom.web.limits import visitor
from mailroom.web.rendering import Renderer

#: Octets of a body that is read at all. Of files only as much is held as could be kept, the rest is thrown away as it
#: comes: whoever chose too large a file still has what they typed.
LARGEST = 32 * 1024 * 1024
#: Octets of one text, and of all: several times what the form takes, so that it can be shortened.
LARGEST_TEXT, LARGEST_TEXTS = 256 * 1024, 512 * 1024
#: How much of what is no receipt stands in its field again.
_ECHO = 40


@dataclass(frozen=True, slots=True)
class Desk:
    """What all pages work with."""

    settings: Settings
    languages: Languages
    renderer: Renderer
    recipients: tuple[Recipient, ...]
    lookup: Lookup
    turnstile: Turnstile
    clock: Clock
    #: Opens the store, in the process that needs it.
    open: Callable[[], Intake]

    def show(self, req: falcon.Request, resp: falcon.Response, page: str, **values: Any) -> None:
        """Answer with a page in the language that was asked for."""
        self.renderer.show(req, resp, page, self.language(req), **values)

    def language(self, req: falcon.Request) -> Language:
        """The language that the address asks for (`?lang=fa`), else the first of the browser's that there is."""
        return language_for(req, self.languages)

    def is_full(self) -> bool:
        """Whether not even the smallest submission would be kept."""
        intake = self.open()
        kept = intake.occupancy()
        return kept.count >= intake.most or kept.octets + SIZES[0] > intake.room * 1024 * 1024

    def visitor(self, req: falcon.Request) -> str:
        """The IP address of whoever asks."""
        return visitor(req.remote_addr, req.get_header("X-Forwarded-For") or "", self.settings.trusted_proxies)

    def slow_value(self, receipt: str, patience: float = PATIENCE, places: int = PLACES) -> bytes:
        """By what a receipt is found. Raises Busy."""
        with self.turnstile.place(patience, places):
            return self.lookup.value(receipt)


class FormPage:
    """`form`, `form/meeting`, `form/translation`: one face of the form."""

    def __init__(self, desk: Desk, face: Face) -> None:
        self._desk = desk
        self._face = face

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The form; when nothing more is kept, the other ways to reach us."""
        if self._desk.is_full():
            resp.status = falcon.HTTP_SERVICE_UNAVAILABLE
            self._desk.show(req, resp, "full")
            return
        self._show(req, resp)

    on_head = on_get

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The receipt, when what was sent is sealed and on the disk; else the form again, with what is missing.

        Raises Busy, IntakeFull, TooLarge, StoreError, falcon.HTTPError.
        """
        desk, face = self._desk, self._face
        address = desk.visitor(req)
        desk.turnstile.count_submission(address)
        if (req.content_length or 0) > LARGEST:
            raise falcon.HTTPContentTooLarge
        try:
            sealed, is_answerable = self._seal(req)
        except Unfinished as unfinished:
            desk.turnstile.forgive(address)  # whoever makes mistakes is not shut out
            self._show(req, resp, unfinished)
            return
        receipt = make_receipt()
        desk.open().store(sealed, desk.slow_value(receipt))
        desk.show(req, resp, "sealed", face=face, receipt=receipt, answerable=is_answerable)

    def _seal(self, req: falcon.Request) -> tuple[Sealed, bool]:
        """What was sent, sealed, and whether it can be answered. The rest is let go of, since others are waited for."""
        desk = self._desk
        submission = read_submission(self._face, desk.language(req).tag, *read_parts(req))
        answers = dict(submission.fields)
        is_answerable = "contact" in answers and answers.get("contact_by") != "none"
        return seal(submission, desk.recipients), is_answerable

    def _show(self, req: falcon.Request, resp: falcon.Response, unfinished: Unfinished | None = None) -> None:
        desk = self._desk
        if unfinished:
            is_large = any(fault.kind == "large" for fault in unfinished.faults)
            resp.status = falcon.HTTP_CONTENT_TOO_LARGE if is_large else falcon.HTTP_UNPROCESSABLE_ENTITY
        values = fill_form(self._face, desk.language(req), desk.clock.now(), unfinished)
        desk.show(req, resp, self._face.name, recipients=[each.age for each in desk.recipients], **values)


class ReceiptPage:
    """`form/receipt`: what became of a submission."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A field for the receipt; it is in no address."""
        self._desk.show(req, resp, "receipt", state="", typed="")

    on_head = on_get

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """What became of it, or that it is deleted. Raises Busy, falcon.HTTPError."""
        desk = self._desk
        desk.turnstile.count_try(desk.visitor(req))  # before it is read: who sends slowly holds a process meanwhile
        form = read_form(req)
        typed = form.first("receipt")
        try:
            receipt = read_receipt(typed)
        except InvalidReceipt:
            resp.status = falcon.HTTP_UNPROCESSABLE_ENTITY
            shown = "".join(character for character in typed[:_ECHO] if character.isprintable())
            desk.show(req, resp, "receipt", state="invalid", typed=shown)
            return
        value, store = desk.slow_value(receipt, PATIENCE_OF_TRIES, PLACES_OF_TRIES), desk.open()
        state: str | None = store.state(value)
        if form.first("delete") and store.delete(value):
            state = "deleted"
        desk.show(req, resp, "receipt", state=state or "unknown", typed=receipt)


def read_parts(req: falcon.Request) -> tuple[dict[str, list[str]], list[tuple[str, bytes]]]:
    """The fields of a form in multipart/form-data (RFC 7578), and its files, cut off where they are too large anyway.

    Raises falcon.HTTPError: 400, 413 or 415.
    """
    if (req.content_type or "").partition(";")[0].strip().lower() != falcon.MEDIA_MULTIPART:
        raise falcon.HTTPUnsupportedMediaType
    fields: dict[str, list[str]] = {}
    files: list[tuple[str, bytes]] = []
    left, left_of_texts = LARGEST_FILES + 1, LARGEST_TEXTS
    try:
        for part in req.get_media():
            if part.filename is None:
                text = part.get_data()
                left_of_texts -= len(text)
                if left_of_texts < 0:
                    raise falcon.HTTPContentTooLarge
                fields.setdefault(part.name or "", []).append(text.decode("utf-8", "replace"))
            else:
                content = part.stream.read(left)
                left -= len(content)
                files.append((part.filename, content))
    except UnicodeDecodeError as error:  # in the name of a field or a file
        raise falcon.HTTPBadRequest from error
    return fields, files


def pages(desk: Desk) -> Iterator[tuple[str, object]]:
    """Every page with its path below MAILROOM_URL."""
    for face in FACES.values():
        yield face.path, FormPage(desk, face)
    yield RECEIPT, ReceiptPage(desk)
