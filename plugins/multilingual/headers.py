"""The header of a source file, in YAML between `---` lines or as Pelican's `Key: value`.

Both say the same: names in any case, every value text. YAML's own idea of types is kept
out (Norway's code is `NO`, not False), so it is read with a loader that knows only
strings, lists and mappings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

Value = str | list[str]

# Python-Markdown's rules for its `meta` extension, so that a site's files keep their meaning.
_FIELD = re.compile(r"[ ]{0,3}(?P<key>[A-Za-z0-9_-]+):\s*(?P<value>.*)")
_MORE = re.compile(r"[ ]{4,}(?P<value>.*)")
_OPENING = re.compile(r"-{3}\s*\Z")
_CLOSING = re.compile(r"(-{3}|\.{3})\s*\Z")


class HeaderError(ValueError):
    """A header that cannot be read: `line` counts from 1, `remedy` says what to do."""

    def __init__(self, line: int, what: str, remedy: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.remedy = remedy


@dataclass(slots=True)
class Header:
    """Fields by lower-case name (each a list of its values), where they stand, and the rest."""

    fields: dict[str, list[Value]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    body: str = ""
    body_line: int = 1


def decode(raw: bytes) -> str:
    """Bytes to text: UTF-8 with or without a byte-order mark, any line ending."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise HeaderError(line, "the file is not UTF-8", "Save it as UTF-8.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_header(text: str) -> Header:
    """Part a source into header and body. Raises HeaderError."""
    if not text.strip():
        raise HeaderError(0, "the file is empty", "Write it, or delete it.")
    lines = text.split("\n")
    if _OPENING.match(lines[0]):
        return _read_yaml(lines)
    return _read_classic(lines)


def _read_classic(lines: list[str]) -> Header:
    header = Header()
    key = ""
    count = 0
    for count, line in enumerate(lines):
        if not line.strip():
            break
        if found := _FIELD.match(line):
            key = found["key"].lower()
            header.lines.setdefault(key, count + 1)
            header.fields.setdefault(key, []).append(found["value"].strip())
        elif (more := _MORE.match(line)) and key:
            header.fields[key].append(more["value"].strip())
        else:
            if count and header.fields:
                raise HeaderError(
                    count + 1,
                    f"{line.strip()!r} is neither a field nor an empty line",
                    "Write `Key: value`, or put an empty line between header and text.",
                )
            break
    header.body = "\n".join(lines[count:])
    header.body_line = count + 1
    header.fields = {key: [v for v in values if v] for key, values in header.fields.items()}
    header.fields = {key: values for key, values in header.fields.items() if values}
    return header


def _read_yaml(lines: list[str]) -> Header:
    end = next((n for n, line in enumerate(lines[1:], 1) if _CLOSING.match(line)), None)
    if end is None:
        raise HeaderError(1, "the header has no end", "Close it with a line of three hyphens.")
    try:
        node = yaml.compose("\n".join(lines[1:end]), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        what = getattr(error, "problem", None) or "the header is not YAML"
        raise HeaderError(line, str(what), "Put a value that contains a colon or a quote in quotes.") from error
    header = Header(body="\n".join(lines[end + 1 :]), body_line=end + 2)
    if node is None:
        return header
    if not isinstance(node, yaml.MappingNode):
        raise HeaderError(2, "the header is not `key: value`", "Write one field a line.")
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 2
        if not isinstance(key_node, yaml.ScalarNode):
            raise HeaderError(line, "a field's name is not text", "Write `key: value`.")
        key = key_node.value.strip().lower()
        if key in header.lines:
            raise HeaderError(line, f"{key!r} is there twice", "Write its values as one list.")
        header.lines[key] = line
        value = _value_of(key, value_node, line)
        if value:
            header.fields[key] = [value]
    return header


def _value_of(key: str, node: yaml.Node, line: int) -> Value:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value).strip()
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [text for item in node.value if (text := str(item.value).strip())]
    raise HeaderError(line, f"{key!r} is nested too deep", "Write text, or a list of texts.")
