"""Which translation a command is about."""

from __future__ import annotations

from difflib import get_close_matches

from .content import Language, Text
from .errors import DeskError
from .states import Survey, Translation, is_draft


def choose_language(survey: Survey, raw: str) -> Language:
    """The site's language that a spelling means. Raises DeskError, which says how a language is started."""
    wanted = raw.casefold().replace("_", "-")
    for language in survey.inventory.languages:
        if language.tag.casefold() == wanted:
            return language
    tags = ", ".join(language.tag for language in survey.inventory.languages)
    raise DeskError(raw, "not a language of this site", f"Use one of {tags}; `./blog language {raw}` starts another")


def choose_translation(survey: Survey, key: str, lang: str) -> Translation:
    """The translation of a piece into a language, begun or not. Raises DeskError."""
    tag = choose_language(survey, lang).tag
    group = next((group for group in survey.groups if group.key == key), None)
    if group is None:
        keys = sorted({group.key for group in survey.groups})
        near = get_close_matches(key, keys, n=3, cutoff=0.5)
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
    tag = choose_language(survey, lang).tag
    for text in survey.inventory.texts:
        if (text.kind, text.key, text.lang) == (one.kind, one.key, tag) and tag != one.lang and not is_draft(text):
            return text
    raise DeskError(f"--from {lang}", f"there is no finished text of {one.key} in it", "Leave --from out")
