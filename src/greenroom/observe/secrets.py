"""Fields that are secrets, by their names: found in answers, and taken out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from greenroom.facts.pointer import escaped
from greenroom.observe.closed import ITEMS

NAMES = (
    "password",
    "passwd",
    "hashed_password",
    "password_hash",
    "pwd_hash",
    "secret",
    "client_secret",
    "secret_key",
    "private_key",
    "api_key",
    "token",
    "access_token",
    "refresh_token",
)
#: Of those, what a login answers with.
CREDENTIALS = frozenset({"token", "accesstoken", "refreshtoken"})
#: What may be given out where the answer's own schema names it.
ISSUED = CREDENTIALS | {"apikey", "clientsecret"}
MASK = '"***"'


class Secrets:
    """A list of names, however they are written: `api_key`, `apiKey`, `API-KEY`.

    :param names: the names.
    """

    def __init__(self, names: tuple[str, ...] = NAMES) -> None:
        self._folded = frozenset(folded(name) for name in names)
        spelled = "|".join(r"[_-]?".join(map(re.escape, _words(name))) for name in names) or r"(?!)"
        value = r'("(?:[^"\\]|\\.)*"|[^,}\]\s]+)'
        self._spelled = re.compile(spelled, re.IGNORECASE)
        self._field = re.compile(rf'("[\w-]*(?:{spelled})[\w-]*"\s*:\s*){value}', re.IGNORECASE)

    def has(self, name: str) -> bool:
        """Whether a field of that name is a secret."""
        return folded(name) in self._folded

    def sounds_like(self, name: str) -> bool:
        """Whether a field's name has such a name in it: what it holds isn't shown."""
        return self._spelled.search(name) is not None

    def masked(self, text: str) -> str:
        """A text of JSON without the values of such fields."""
        return self._field.sub(rf"\1{MASK}", text)

    def found(self, value: Any) -> Iterator[tuple[str, str]]:
        """The place and the name of each such field with something in it; a switch isn't a secret."""
        waiting: list[tuple[str, Any]] = [("", value)]
        while waiting:
            where, one = waiting.pop()
            if isinstance(one, dict):
                for name, inner in one.items():
                    place = f"{where}/{escaped(name)}"
                    if self.has(name) and not _is_nothing(inner):
                        yield place, name
                    waiting.append((place, inner))
            elif isinstance(one, list):
                items = enumerate(one[:ITEMS])
                waiting += [(f"{where}/{number}", inner) for number, inner in items]


def _is_nothing(value: Any) -> bool:
    """Whether a value tells nothing: empty, a switch, or stars, as Pydantic's SecretStr is written."""
    if isinstance(value, str):
        return not value.strip("*")
    return value is None or isinstance(value, bool) or value in ([], {})


def folded(name: str) -> str:
    """A name without what its spelling adds."""
    return name.replace("_", "").replace("-", "").lower()


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[_-]", name) if word]
