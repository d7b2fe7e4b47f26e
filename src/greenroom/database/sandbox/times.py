"""Whether a statement compares rows by the times at which they were written."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

_COMPARES = re.compile(r"\b(?:where|order by|having|on)\b")
_WORDS = re.compile(r"\w+")
#: Words that stand by themselves: no tables, whose columns they are followed by.
_BARE = re.compile(r"\b(\w+)\b(?!\"?\s*\.)")
_LABELS = re.compile(r"(\w+|\))\"?\s+as\s+\"?(\w+)")
_BY_PLACE = re.compile(r"\border by\s+(?:[^()]*,\s*)?\d+\b")


def compared(text: str) -> str:
    """The part of a statement in which rows are compared; empty if none are."""
    return " ".join(_COMPARES.split(text, maxsplit=1)[1:])


def are_compared(text: str, times: AbstractSet[str], ordered: AbstractSet[str]) -> bool:
    """Whether rows are compared by a column of times: by its name, by a label of it, by its place, or by a view.

    :param text: the statement, in small letters and without texts and comments.
    :param times: the names of such columns.
    :param ordered: the names of views that order rows.
    """
    said = set(_WORDS.findall(text))
    if said & ordered:
        return True
    part = compared(text)
    if not part:
        return False
    if times & set(_WORDS.findall(part)):
        return True
    if not times & said:
        return False
    bare = set(_BARE.findall(part))
    labels = {label for before, label in _LABELS.findall(text) if before in times or before == ")"}
    return bool(labels & bare) or _BY_PLACE.search(text) is not None
