"""What a form sends, read with suspicion: its type and size are looked at before it is."""

from __future__ import annotations

from urllib.parse import parse_qs

import falcon

#: In octets: an address and a sealed request many times over.
LARGEST = 8 * 1024
FIELDS = 20
TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, each with its values in their order."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def first(self, name: str) -> str:
        """The value of a field, or "" if it is not there."""
        return self.all(name)[0] if name in self._fields else ""

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return self._fields.get(name, [])


def read_form(req: falcon.Request) -> Form:
    """Read the form in a request. Raises falcon.HTTPError: 400, 413 or 415."""
    if (req.content_type or "").partition(";")[0].strip().lower() != TYPE:
        raise falcon.HTTPUnsupportedMediaType
    length = req.content_length or 0
    if length > LARGEST:
        raise falcon.HTTPContentTooLarge
    try:
        text = req.bounded_stream.read(length).decode()
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError as error:
        raise falcon.HTTPBadRequest from error
    return Form(fields)
