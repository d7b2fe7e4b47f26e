"""Is an answer what was declared? The check of one body against its schema, and against what it mustn't say.

The validation itself is jsonschema-rs's.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.facts.declared import Declared
from greenroom.facts.outcome import Rule
from greenroom.observe import closed
from greenroom.observe.dialect import modern

#: The longest body, in bytes, that is looked into.
MOST = 8 << 20
#: How many problems of one body are told.
PROBLEMS = 5
#: The names of fields that are secrets, without their underscores and in lower case.
SECRETS = (
    "password",
    "passwd",
    "hashed_password",
    "password_hash",
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
_CREDENTIALS = frozenset({"token", "accesstoken", "refreshtoken"})
_WIDTH = 100
_SCHEMA = 2000
#: How many answers are remembered, and how long their bodies may be, in bytes.
ANSWERS = 5000
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """Something in one answer that shouldn't be.

    :param where: a JSON pointer into the body.
    """

    rule: Rule
    where: str
    expected: str
    came: str
    schema: str = ""


class Contract:
    """The documents' schemas, each compiled at its first answer.

    :param documents: the OpenAPI documents by their keys.
    :param secrets: the names of fields that mustn't be told.
    """

    def __init__(
        self, documents: Mapping[str, dict[str, Any]], secrets: tuple[str, ...] = SECRETS
    ) -> None:
        self._documents = documents
        self._modern: dict[str, dict[str, Any]] = {}
        self._validators: dict[tuple[str, str], Any] = {}
        self._secrets = frozenset(_folded(name) for name in secrets)
        #: The schemas that can't be compiled, a sentence each.
        self.notes: set[str] = set()
        # The same answer comes again and again: what was found in it is remembered.
        self._seen: dict[tuple[object, ...], tuple[Found, ...]] = {}

    def check(
        self, declared: Declared, status: int, content_type: str, body: bytes | None
    ) -> tuple[Found, ...]:
        """What is wrong with an answer.

        :param content_type: as the header has it.
        :param body: None if it wasn't kept.
        """
        if body is not None and len(body) > REMEMBERED:
            return tuple(self._check(declared, status, content_type, body))
        key = (id(declared), status, content_type, body)
        if key not in self._seen:
            if len(self._seen) >= ANSWERS:
                self._seen.clear()
            self._seen[key] = tuple(self._check(declared, status, content_type, body))
        return self._seen[key]

    def _check(
        self, declared: Declared, status: int, content_type: str, body: bytes | None
    ) -> Iterator[Found]:
        kind = content_type.partition(";")[0].strip().lower()
        answer = declared.of(status)
        contents = declared.responses.get(answer, {}) if answer is not None else {}
        pointer = _schema_for(contents, kind)
        if pointer is None and (body or kind) and self._says_something(declared, contents):
            yield Found(
                Rule.CONTENT_TYPE, "", " or ".join(contents), kind or "an answer without a type"
            )
        if not _is_json(kind) or not body or len(body) > MOST:
            return
        try:
            value = json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            yield Found(
                Rule.CONTENT_TYPE, "", f"a body of {kind}", f"{_shown_bytes(body)} ({_line(error)})"
            )
            return
        yield from self._secret(declared, status, value)
        if pointer:
            yield from self._against(declared, pointer, value)

    def _says_something(self, declared: Declared, contents: Mapping[str, str]) -> bool:
        """Whether a content type was declared on purpose.

        FastAPI declares JSON with an empty schema for whatever has no response model.
        """
        schemas = [
            closed.at(self._document(declared.document), pointer) if pointer else {}
            for pointer in contents.values()
        ]
        return any(schemas) or bool(contents.keys() - {"application/json"})

    def _against(self, declared: Declared, pointer: str, value: Any) -> Iterator[Found]:
        document = self._document(declared.document)
        validator = self._validator(declared.document, pointer)
        schema = closed.at(document, pointer)
        said = _shown(closed.inlined(document, schema), _SCHEMA)
        if validator is not None:
            count = 0
            for error in validator.iter_errors(value):
                if declared.leaves_out and error.kind.name == "required":
                    continue
                count += 1
                if count > PROBLEMS:
                    break
                yield Found(Rule.SCHEMA, *_found(error), said)
        for where, name in closed.unknown_fields(document, schema, value):
            if _folded(name) not in self._secrets:
                came = _shown(_at(value, where)[name])
                expected = "no such field in the declared model"
                yield Found(Rule.EXTRA, f"{where}/{name}", expected, came, said)
        if declared.excluded and isinstance(value, dict):
            for name in sorted(declared.excluded & value.keys()):
                yield Found(
                    Rule.EXTRA,
                    f"/{name}",
                    "left out by response_model_exclude",
                    _shown(value[name]),
                )

    def _secret(self, declared: Declared, status: int, value: Any) -> Iterator[Found]:
        # FastAPI's own answer to invalid input repeats the input.
        if status == 422 and isinstance(value, dict) and isinstance(value.get("detail"), list):  # noqa: PLR2004
            return
        login = declared.is_login or (isinstance(value, dict) and "token_type" in value)
        allowed = _CREDENTIALS if login else frozenset()
        for where, name, inner in _fields(value):
            folded = _folded(name)
            if (
                folded in self._secrets
                and folded not in allowed
                and isinstance(inner, str)
                and inner
            ):
                yield Found(
                    Rule.SECRETS, where, "no field of that name, which is a secret's", '"***"'
                )

    def _document(self, key: str) -> dict[str, Any]:
        if key not in self._modern:
            self._modern[key] = modern(self._documents[key])
        return self._modern[key]

    def _validator(self, key: str, pointer: str) -> Any:
        if (key, pointer) not in self._validators:
            self._validators[key, pointer] = self._compile(key, pointer)
        return self._validators[key, pointer]

    def _compile(self, key: str, pointer: str) -> Any:
        import jsonschema_rs

        document = self._document(key)
        try:
            registry = jsonschema_rs.Registry([(key, document)], draft=jsonschema_rs.Draft202012)
            return jsonschema_rs.Draft202012Validator(
                {"$ref": f"{key}#{_quoted(pointer)}"},
                registry=registry,
                validate_formats=True,
                formats=FORMATS,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            self.notes.add(
                f"the schema at {pointer} can't be read, and isn't checked: {_line(error)}"
            )
            return None


def _schema_for(contents: Mapping[str, str], kind: str) -> str | None:
    """The pointer to the schema of a content type; None if the type isn't declared."""
    for declared, pointer in contents.items():
        name = declared.partition(";")[0].strip().lower()
        if name in {kind, "*/*"} or (name.endswith("/*") and kind.startswith(name[:-1])):
            return pointer
    return None


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def _found(error: Any) -> tuple[str, str, str]:
    """Where an error is, what was expected and what came, in words."""
    where = "".join(f"/{part}" for part in error.instance_path)
    if error.kind.name == "required":
        return f"{where}/{error.kind.property}", "a required field", "nothing"
    branches = [branch[0] for branch in getattr(error.kind, "context", ()) if branch]
    if branches:
        # Of several ways that a value may take, the one that it went furthest on is what was meant.
        furthest = max(branches, key=lambda one: len(one.instance_path))
        if len(furthest.instance_path) > len(error.instance_path):
            return _found(furthest)
        expected = " or ".join(dict.fromkeys(_expected(one) for one in branches))
        return where, expected, _shown(error.instance)
    return where, _expected(error), _shown(error.instance)


def _expected(error: Any) -> str:
    kind = error.kind
    word = _WORDS.get(kind.name)
    if word is None:
        return _line(error)
    if kind.name == "required":
        return f"{word} {kind.property}"
    detail = getattr(kind, "value", None)
    if detail is None:
        return word
    plain = kind.name in {"type", "format"}
    named = detail if isinstance(detail, (list, tuple)) else [detail]
    return f"{word} {', '.join(str(one) if plain else _shown(one) for one in named)}"


_WORDS = {
    "type": "of type",
    "enum": "one of",
    "const": "exactly",
    "format": "of the format",
    "pattern": "matching",
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minLength": "at least that long:",
    "maxLength": "at most that long:",
    "minItems": "at least so many items:",
    "maxItems": "at most so many items:",
    "multipleOf": "a multiple of",
    "uniqueItems": "items that are all different",
    "additionalProperties": "no such field",
    "falseSchema": "nothing",
    "required": "with the field",
}


def _fields(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Every field of every object in a value, without recursion: where, its name, what it is."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, dict):
            for name, inner in one.items():
                yield f"{where}/{name}", name, inner
                waiting.append((f"{where}/{name}", inner))
        elif isinstance(one, list):
            waiting += [(f"{where}/{number}", inner) for number, inner in enumerate(one)]


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _quoted(pointer: str) -> str:
    """A JSON pointer as a URI's fragment."""
    from urllib.parse import quote

    return quote(pointer, safe="/~!$&'()*+,;=:@-._")


def _shown(value: Any, width: int = _WIDTH) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str, sort_keys=False)
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _shown_bytes(body: bytes) -> str:
    return _shown(body[:_WIDTH].decode("utf-8", "replace"))


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:_WIDTH]


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


# -- formats, as Pydantic writes them --------------------------------------------------------------


def _is_date_time(text: str) -> bool:
    """RFC 3339, and without an offset, as a naive datetime is written."""
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) > len("2026-01-01") and text[10] in "Tt "


def _is_time(text: str) -> bool:
    try:
        dt.time.fromisoformat(text)
    except ValueError:
        return False
    return True


_DURATION = re.compile(r"[-+]?P(?=.)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")

FORMATS = {
    "date-time": _is_date_time,
    "time": _is_time,
    "duration": lambda text: bool(_DURATION.match(text)),
    # An address may be international, which EmailStr allows.
    "email": lambda text: bool(_EMAIL.match(text)),
}
