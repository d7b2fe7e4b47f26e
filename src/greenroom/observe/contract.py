"""Is an answer what was declared? The check of one body against its schema, and against what it mustn't say.

The validation itself is jsonschema-rs's.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greenroom.facts.declared import Declared
from greenroom.facts.exchange import LOOKED_INTO
from greenroom.facts.outcome import Rule
from greenroom.facts.pointer import at, collapsed, escaped
from greenroom.observe import closed
from greenroom.observe.dialect import modern, without_required
from greenroom.observe.formats import FORMATS
from greenroom.observe.secrets import CREDENTIALS, ISSUED, MASK, Secrets, folded
from greenroom.observe.words import first_line, shown, told

#: Stands after a document's key for the same without its required fields.
PARTIAL = ":partial"
#: How many problems of one body, by one rule, are told.
PROBLEMS = 5
_WITHOUT_BODY = frozenset({204, 205, 304})
_WIDTH = 100
_SCHEMA = 2000
#: FastAPI's own answer to invalid input, whose schema lacked what is in it for long.
VALIDATION = "/HTTPValidationError"
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
    :param secrets: the fields that mustn't be told.
    """

    def __init__(self, documents: Mapping[str, dict[str, Any]], secrets: Secrets) -> None:
        self._documents = documents
        self._modern: dict[str, dict[str, Any]] = {}
        self._validators: dict[tuple[str, str], Any] = {}
        self._closed: dict[str, closed.Closed] = {}
        self._registries: dict[str, Any] = {}
        self._shown: dict[tuple[str, str], str] = {}
        self._secrets = secrets
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
        if body == b"" and pointer and status not in _WITHOUT_BODY:
            yield Found(
                Rule.CONTENT_TYPE, "", f"a body of {kind or next(iter(contents))}", "nothing"
            )
        if not _is_json(kind) or not body or len(body) > LOOKED_INTO:
            return
        try:
            value = json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            yield Found(
                Rule.CONTENT_TYPE,
                "",
                f"a body of {kind}",
                f"{self._secrets.masked(_shown_bytes(body))} ({first_line(error)})",
            )
            return
        yield from self._secret(declared, status, value, pointer or "")
        if pointer:
            yield from self._against(declared, status, pointer, value)

    def _says_something(self, declared: Declared, contents: Mapping[str, str]) -> bool:
        """Whether a content type was declared on purpose.

        FastAPI declares JSON with an empty schema for whatever has no response model.
        """
        schemas = [
            at(self._document(declared.document), pointer) if pointer else {}
            for pointer in contents.values()
        ]
        return any(schemas) or bool(contents.keys() - {"application/json"})

    def _against(
        self, declared: Declared, status: int, pointer: str, value: Any
    ) -> Iterator[Found]:
        key = declared.document
        document = self._document(key)
        schema = at(document, pointer)
        # What a route is told to leave out, it leaves out of the answer that its model is for.
        partial = declared.may_be_partial and str(status) == declared.success
        validator = self._validator(key + PARTIAL if partial else key, pointer)
        errors = validator.iter_errors(value) if validator is not None else ()
        for error in itertools.islice(errors, PROBLEMS):
            where, expected, came = told(error)
            if self._secrets.sounds_like(where):
                came = MASK
            yield Found(
                Rule.SCHEMA, where, expected, self._secrets.masked(came), self._said(key, pointer)
            )
        if not str(schema.get("$ref", "")).endswith(VALIDATION):
            yield from self._unknown(key, pointer, value)
        if not partial:
            return
        required = closed.required(document, schema)
        for where, one in _objects(value):
            for name in sorted(required - one.keys()):
                if not declared.may_lack(name):
                    place = f"{where}/{escaped(name)}"
                    said = self._said(key, pointer)
                    yield Found(Rule.SCHEMA, place, "a required field", "nothing", said)
            for name in one:
                if declared.must_lack(name) and closed.names(document, schema, name):
                    expected = "no field that response_model_exclude or _include leaves out"
                    yield Found(
                        Rule.EXTRA,
                        f"{where}/{escaped(name)}",
                        expected,
                        self._came(name, one[name]),
                    )

    def _unknown(self, key: str, pointer: str, value: Any) -> Iterator[Found]:
        """Fields that the declared model doesn't have, each once for all items of a list."""
        if key not in self._closed:
            self._closed[key] = closed.Closed(self._document(key))
        schema = at(self._document(key), pointer)
        seen = set()
        for where, name, inner in self._closed[key].unknown_fields([schema], value):
            place = f"{where}/{escaped(name)}"
            if collapsed(place) in seen or self._secrets.has(name):
                continue
            seen.add(collapsed(place))
            expected = "no such field in the declared model"
            said = self._said(key, pointer)
            yield Found(Rule.EXTRA, place, expected, self._came(name, inner), said)
            if len(seen) >= PROBLEMS:
                return

    def _came(self, name: str, value: Any) -> str:
        return MASK if self._secrets.sounds_like(name) else self._secrets.masked(shown(value))

    def _secret(self, declared: Declared, status: int, value: Any, pointer: str) -> Iterator[Found]:
        # What an error says of a password is what is wrong with it; a 422 repeats the input.
        if 400 <= status < 500:  # noqa: PLR2004 - the client's errors
            return
        login = declared.is_login or (isinstance(value, dict) and "token_type" in value)
        seen = set()
        for where, name in self._secrets.found(value):
            of_a_login = login and folded(name) in CREDENTIALS
            on_purpose = folded(name) in ISSUED and self._declares(declared, pointer, name)
            if of_a_login or on_purpose or collapsed(where) in seen:
                continue
            seen.add(collapsed(where))
            yield Found(Rule.SECRETS, where, "no secret in an answer", MASK)

    def _declares(self, declared: Declared, pointer: str, name: str) -> bool:
        """Whether the answer's schema has a field of that name, anywhere: it's given out on purpose."""
        if not pointer:
            return False
        document = self._document(declared.document)
        return closed.names(document, at(document, pointer), name)

    def _said(self, key: str, pointer: str) -> str:
        """A schema as a reader sees it."""
        if (key, pointer) not in self._shown:
            document = self._document(key)
            schema = closed.inlined(document, at(document, pointer))
            self._shown[key, pointer] = shown(schema, _SCHEMA)
        return self._shown[key, pointer]

    def _document(self, key: str) -> dict[str, Any]:
        """A document in the words of OpenAPI 3.1, or the same without its required fields."""
        if key not in self._modern:
            if key.endswith(PARTIAL):
                self._modern[key] = without_required(self._document(key.removesuffix(PARTIAL)))
            else:
                self._modern[key] = modern(self._documents[key])
        return self._modern[key]

    def _registry(self, key: str) -> Any:
        import jsonschema_rs

        if key not in self._registries:
            self._registries[key] = jsonschema_rs.Registry(
                [(key, self._document(key))], draft=jsonschema_rs.Draft202012
            )
        return self._registries[key]

    def _validator(self, key: str, pointer: str) -> Any:
        if (key, pointer) not in self._validators:
            self._validators[key, pointer] = self._compile(key, pointer)
        return self._validators[key, pointer]

    def _compile(self, key: str, pointer: str) -> Any:
        import jsonschema_rs

        try:
            return jsonschema_rs.Draft202012Validator(
                {"$ref": f"{key}#{_quoted(pointer)}"},
                registry=self._registry(key),
                validate_formats=True,
                formats=FORMATS,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            self.notes.add(
                f"the schema at {pointer} can't be read, and isn't checked: {first_line(error)}"
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


def _objects(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """An answer's objects at the top: itself, or one item that stands for all of a list."""
    if isinstance(value, dict):
        yield "", value
    elif isinstance(value, list):
        objects = [(f"/{number}", one) for number, one in enumerate(value) if isinstance(one, dict)]
        yield from objects[:1]


def _quoted(pointer: str) -> str:
    """A JSON pointer as a URI's fragment."""
    from urllib.parse import quote

    return quote(pointer, safe="/~!$&'()*+,;=:@-._")


def _shown_bytes(body: bytes) -> str:
    return shown(body[:_WIDTH].decode("utf-8", "replace"))


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
