"""Reading source files: Pelican's readers, made to say what is stated and what is wrong.

Nothing is raised while reading. A file that cannot be read comes back as one to skip,
with its `Problem` in the metadata, where the receivers of Pelican's `*_generator_context`
signals find it (also when the result came from Pelican's cache).
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from dateutil import parser as date_parser
from markdown import Markdown
from pelican.readers import DUPLICATES_DEFINITIONS_ALLOWED, BaseReader, MarkdownReader
from pelican.utils import SafeDatetime

from .errors import Problem
from .headers import Header, HeaderError, Value, decode, split_header

#: Metadata of our own: which fields the file states, where, and why it is skipped.
STATED, LINES, PROBLEM = "stated_fields", "field_lines", "reading_problem"

STATUSES = ("published", "hidden", "draft", "skip")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?\Z")


def read_moment(text: str) -> SafeDatetime:
    """Read a date that is complete: nothing in it may depend on the day of the build.

    Pelican fills what a date leaves out from today; two such fillings that differ are an
    incomplete date. Raises ValueError.
    """
    text = text.strip()
    if _ISO_DAY.match(text):
        moment = datetime.fromisoformat(text)
    else:
        first, second = (
            date_parser.parse(text, default=datetime(*day))  # noqa: DTZ001 (a filling)
            for day in ((2000, 1, 1), (2001, 2, 2))
        )
        if first != second:
            raise ValueError(f"{text!r} is not a complete date")
        moment = first
    return SafeDatetime(*moment.timetuple()[:6], tzinfo=moment.tzinfo)


def skip(problem: Problem) -> tuple[str, dict[str, Any]]:
    """What a reader returns for a file that cannot be used."""
    return "", {"status": "skip", "title": problem.file, PROBLEM: problem}


def make_markdown_reader(root: Path) -> type[MarkdownReader]:
    """Make the Markdown reader of this plugin; `root` is what problems are relative to."""

    class Reader(MarkdownReader):  # type: ignore[misc]
        """Markdown with a header in YAML or in Pelican's own way."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            options = dict(self.settings["MARKDOWN"])
            # The header is read here, so the extension that would read it again is left out.
            options["extensions"] = [name for name in options["extensions"] if name != "markdown.extensions.meta"]
            self._options = options
            self._md: Markdown | None = None

        def read(self, source_path: str) -> tuple[str, dict[str, Any]]:
            name = name_of(source_path, root)
            try:
                header = split_header(decode(Path(source_path).read_bytes()))
                metadata = self._read_fields(header)
            except HeaderError as error:
                return skip(Problem(name, error.line, error.what, error.remedy))
            metadata[STATED] = frozenset(header.fields)
            metadata[LINES] = header.lines
            return self._convert(header.body), metadata

        def _convert(self, text: str) -> str:
            # One converter for all files: making one costs a tenth of converting an article.
            if self._md is None:
                self._md = Markdown(**self._options)
            return str(self._md.reset().convert(text))

        def _read_fields(self, header: Header) -> dict[str, Any]:
            metadata = {}
            for name, values in header.fields.items():
                if name in self.settings["FORMATTED_FIELDS"]:
                    text = "\n".join(str(value) for value in values)
                    metadata[name] = self.process_metadata(name, self._convert(text))
                else:
                    metadata[name] = self._read_field(name, values, header.lines[name])
            if "title" not in metadata:
                raise HeaderError(1, "the title is missing", "Begin the file with `Title: …` and an empty line.")
            return metadata

        def _read_field(self, name: str, values: list[Value], line: int) -> Any:
            if len(values) > 1 and DUPLICATES_DEFINITIONS_ALLOWED.get(name, True):
                return values
            value = values[0]
            if name in ("date", "modified"):
                return _read_date(name, str(value), line)
            if name == "status" and str(value).lower() not in STATUSES:
                raise HeaderError(line, f"{value!r} is no status", f"Use one of {', '.join(STATUSES)}.")
            return self.process_metadata(name, value)

    return Reader


def make_recording_reader(base: type[BaseReader], root: Path) -> type[BaseReader]:
    """Wrap another format's reader, so that its files too tell what they state."""

    class Reader(base):  # type: ignore[misc]
        """A reader that keeps account of the fields a file states."""

        def read(self, source_path: str) -> tuple[str | None, dict[str, Any]]:
            try:
                content, metadata = super().read(source_path)
            except Exception as error:  # noqa: BLE001 (any reader, any parser: told, not raised)
                reason = " ".join(str(error).split()) or type(error).__name__
                return skip(Problem(name_of(source_path, root), 0, reason, "Mend the file."))
            if content is None:  # static files have no header
                return content, metadata
            return content, {**metadata, STATED: frozenset(metadata), LINES: {}}

    Reader.__name__ = base.__name__
    return Reader


def _read_date(name: str, text: str, line: int) -> SafeDatetime:
    try:
        return read_moment(text)
    except (ValueError, OverflowError) as error:
        raise HeaderError(
            line, f"{name!r} is not a date: {text!r}", "Write it as 2026-03-04 or 2026-03-04 09:30."
        ) from error


def name_of(path: str | Path, root: Path) -> str:
    """A file as problems name it: relative to the project, with forward slashes."""
    path = Path(path)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
