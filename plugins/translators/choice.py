"""Which translation a command is about."""

from __future__ import annotations

from difflib import get_close_matches

from .content import Language, Text
from .errors import DeskError
from .states import Survey, Translation, is_draft


def choose_language(survey: Survey, raw: str, option: str = "") -> Language:
    """The site's language that a spelling means, given with `option` if any.

    Raises DeskError, which says how a language is started.
    """
    wanted = raw.casefold().replace("_", "-")
    for language in survey.inventory.languages:
        if language.tag.casefold() == wanted:
            return language
    tags = [language.tag for language in survey.inventory.languages]
    near = [tag for tag in tags if tag.casefold().split("-")[0] == wanted.split("-")[0]]
    remedy = f"Did you mean {' or '.join(near)}?" if near else f"Use one of {', '.join(tags)}."
    start = f"`./blog language {raw}` starts another, and says which line the settings need"
    raise DeskError(f"{option} {raw}".strip(), "not a language of this site", f"{remedy} {start}")


def choose_translation(survey: Survey, key: str, lang: str) -> Translation:
    """The translation of a piece into a language, begun or not. Raises DeskError."""
    tag = choose_language(survey, lang).tag
    group = next((group for group in survey.groups if group.key == key), None)
    if group is None:
        keys = sorted({group.key for group in survey.groups})
        near = get_close_matches(key, keys, n=3, cutoff=0.6)
        remedy = f"Did you mean {' or '.join(near)}?" if near else "`./blog translations` lists all texts"
        broken = next((problem for problem in survey.problems if f"/{key}." in problem or repr(key) in problem), "")
        raise DeskError(key, "there is no article or page of this key", broken or remedy)
    if tag == group.article.lang:
        what = f"it was written in {tag}, so there is nothing to translate"
        raise DeskError(group.article.name, what, "Choose another language")
    found = group.translations.get(tag)
    if found is None:
        assert is_draft(group.article)  # noqa: S101 - the only texts that are not offered to every language
        raise DeskError(group.article.name, "it is a draft", "Translate it when it is finished")
    if (key, tag) in survey.broken:
        remedy = next((problem for problem in survey.problems if f"/{tag}/{key}.json" in problem), "Mend its record")
        raise DeskError(f"{key} in {tag}", "its record cannot be read", remedy)
    return found


def choose_source(survey: Survey, one: Translation, lang: str) -> Text:
    """The text to translate from: the source article, or that of `lang`. Raises DeskError."""
    if not lang:
        return one.source
    tag = choose_language(survey, lang, "--from").tag
    found = {text.lang: text for text in list_sources(survey, one)}
    if tag not in found:
        what = f"there is no finished text of {one.key} in it"
        raise DeskError(f"--from {lang}", what, f"Use one of {', '.join(found)}")
    return found[tag]


def list_sources(survey: Survey, one: Translation) -> list[Text]:
    """The finished texts that a translation can be made from, the source article first."""
    group = next(group for group in survey.groups if (group.kind, group.key) == (one.kind, one.key))
    texts = [other.text for other in group.translations.values() if other.text and other.lang != one.lang]
    return [group.article, *(text for text in texts if not is_draft(text))]
