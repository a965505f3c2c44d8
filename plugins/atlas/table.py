"""The table of regions and countries, `atlas.yaml`, read with the line of everything that is wrong.

YAML's own idea of types is kept out (Norway's code is `NO`, not False), as everywhere in
the site's files: the table is composed with a loader that knows only texts, lists and tables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

import yaml
from babel import Locale

from .errors import Problem
from .fields import split_countries
from .names import Names, Texts, country_codes, find_locale
from .places import ELSEWHERE, Atlas, Country, Region, Report

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_TAG = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*\Z")


class AtlasTable:
    """Reads the table; `locales` are the CLDR data of the site's languages, by tag."""

    def __init__(self, path: Path, locales: Mapping[str, Locale]) -> None:
        self.problems: list[Problem] = []
        self._locales = locales
        self._lines: dict[str, int] = {}  # the countries met so far, by code
        root = dict(self._entries(self._compose(path), "the file", ("regions", "names", "elsewhere")))
        own_names: dict[str, Texts] = {}
        self.atlas = Atlas(Names(own_names, locales))
        own_names.update(self._names(root.get("names")))
        for key, node in self._entries(root.get("regions"), "regions"):
            self._read_region(key, node)
        if "elsewhere" in root:
            fields = dict(self._entries(root["elsewhere"], ELSEWHERE, ("name",)))
            self.atlas.elsewhere = Region(ELSEWHERE, self._named(fields, root["elsewhere"], ELSEWHERE))

    def find_gaps(self, languages: Iterable[str]) -> Iterator[Problem]:
        """What the table, or CLDR, says in some languages only. Nothing breaks: a text falls back."""
        atlas, langs = self.atlas, list(languages)
        for region in (*atlas.regions, atlas.elsewhere):
            yield from _gaps(langs, region.names, f"{region.key} has no name")
            for report in region.reports:
                codes = ", ".join(country.code for country in report.countries)
                yield from _gaps(langs, report.line, f"{region.key}: the line about {codes}", " is missing")
        for country in atlas.countries:
            missing = [lang for lang in langs if country.name_lang(lang) != lang]
            if missing:
                what = f"neither CLDR nor the table has a name for {country.code} in {', '.join(missing)}"
                yield Problem(self._lines[country.code], what, "Add it to `names`.")

    # Its parts

    def _compose(self, path: Path) -> yaml.Node | None:
        try:
            node: yaml.Node | None = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.BaseLoader)
        except FileNotFoundError:
            self._report(None, "the table of countries is missing", "Write it, or unset ATLAS_FILE.")
        except UnicodeDecodeError:
            self._report(None, "the file is not UTF-8", "Save it as UTF-8.")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = str(getattr(error, "problem", None) or "the table is not YAML")
            self.problems.append(Problem(mark.line + 1 if mark else 0, what, "Mend the table."))
        else:
            return node
        return None

    def _names(self, node: yaml.Node | None) -> Iterator[tuple[str, Texts]]:
        for raw, texts in self._entries(node, "names"):
            if raw.upper() in country_codes():
                yield raw.upper(), self._texts(texts, f"names.{raw}")
            else:
                self._report_code(texts, raw, "names")

    def _read_region(self, key: str, node: yaml.Node) -> None:
        if not _KEY.match(key) or key == ELSEWHERE:
            self._report(node, f"{key!r} cannot be a region's key", "Use small letters, digits and hyphens.")
        fields = dict(self._entries(node, key, ("name", "reports")))
        region = Region(key, self._named(fields, node, key))
        self.atlas.regions.append(region)
        reports = fields.get("reports")
        if isinstance(reports, yaml.SequenceNode):
            for report in reports.value:
                self._read_report(region, report)
        else:
            self._report(reports or node, f"{key} has no list of reports", "Write `reports:` with `- countries: …`.")

    def _read_report(self, region: Region, node: yaml.Node) -> None:
        fields = dict(self._entries(node, f"a report of {region.key}", ("countries", "about")))
        countries = [Country(code, region, self.atlas.names) for code in self._codes(fields.get("countries"), region)]
        if not countries and isinstance(node, yaml.MappingNode):
            self._report(node, f"a report of {region.key} has no country", "Write `countries: [UA]`.")
        line = self._texts(fields["about"], f"the line about {region.key}") if "about" in fields else Texts({})
        if not line and isinstance(node, yaml.MappingNode):
            self._report(node, f"a report of {region.key} has no line", "Write `about:` with a text per language.")
        report = Report(tuple(countries), line)
        region.reports.append(report)
        for country in countries:
            country.report = report
            region.countries.append(country)

    def _codes(self, node: yaml.Node | None, region: Region) -> Iterator[str]:
        scalars = node.value if isinstance(node, yaml.SequenceNode) else [node] if node else []
        for scalar in scalars:
            if not isinstance(scalar, yaml.ScalarNode):
                self._report(scalar, f"a report of {region.key}: that is no list of codes", "Write `[UA, BY]`.")
                continue
            for code in split_countries(scalar.value):
                if code not in country_codes():
                    self._report_code(scalar, code, region.key)
                elif code in self._lines:
                    self._report(scalar, f"{code} stands in line {self._lines[code]} already", "Keep one of them.")
                else:
                    self._lines[code] = scalar.start_mark.line + 1
                    yield code

    # Texts and tables

    def _named(self, fields: Mapping[str, yaml.Node], node: yaml.Node, key: str) -> Texts:
        names = self._texts(fields["name"], f"{key}.name") if "name" in fields else Texts({})
        if not names:
            self._report(node, f"{key} has no name", "Write `name:` with a text per language.")
        return names

    def _entries(
        self, node: yaml.Node | None, what: str, known: Iterable[str] | None = None
    ) -> Iterator[tuple[str, yaml.Node]]:
        """The entries of a table, each key once, and only `known` ones."""
        if node is not None and not isinstance(node, yaml.MappingNode):
            self._report(node, f"{what} is not a table", "Write `key: value`, as YAML has it.")
        seen: set[str] = set()
        for key_node, value in node.value if isinstance(node, yaml.MappingNode) else ():
            key = str(key_node.value)
            if known is not None and key not in known:
                near = get_close_matches(key, known, n=1)
                remedy = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}."
                self._report(key_node, f"{what}: {key!r} is unknown", remedy)
            elif key in seen:
                self._report(key_node, f"{what} has {key!r} twice", "Keep one of them.")
            else:
                seen.add(key)
                yield key, value

    def _texts(self, node: yaml.Node, what: str) -> Texts:
        """A text per language."""
        texts: dict[str, str] = {}
        for raw, value in self._entries(node, what):
            tag = _canonical(raw)
            if tag not in self._locales and (not _TAG.match(raw) or find_locale(tag) is None):
                self._report(value, f"{what}: {raw!r} is no language", "Write the language's tag, e.g. fa.")
            elif not isinstance(value, yaml.ScalarNode):
                self._report(value, f"{what}: the value for {tag} is not text", "Write text.")
            elif text := value.value.strip():
                texts[tag] = unicodedata.normalize("NFC", text)
        return Texts(texts)

    def _report_code(self, node: yaml.Node, text: str, what: str) -> None:
        self._report(node, f"{what}: {text!r} is no country's code", self.atlas.names.remedy(text, "en"))

    def _report(self, node: yaml.Node | None, what: str, remedy: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1 if node else 0, what, remedy))


def _canonical(raw: str) -> str:
    """A tag as BCP 47 writes it (RFC 5646, 2.1.1): `zh_hans` → `zh-Hans`."""
    first, *more = raw.replace("_", "-").split("-")
    return "-".join([first.lower(), *({4: str.title, 2: str.upper}.get(len(part), str.lower)(part) for part in more)])


def _gaps(languages: Iterable[str], texts: Texts, what: str, verb: str = "") -> Iterator[Problem]:
    missing = [lang for lang in languages if lang not in texts]
    if missing and texts:
        yield Problem(0, f"{what}{verb} in {', '.join(missing)}", "Add it.")
