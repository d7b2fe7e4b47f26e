"""The payloads that a model must refuse: of forty models, each case by the model itself."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
import os
import re
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from annotated_types import Ge, Len, Lt, MultipleOf
from pydantic import (
    AfterValidator,
    AliasChoices,
    AnyUrl,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FutureDate,
    Json,
    NaiveDatetime,
    PastDatetime,
    RootModel,
    SecretStr,
    StrictInt,
    StringConstraints,
    Tag,
    TypeAdapter,
    ValidationError,
    conint,
    conlist,
    constr,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from greenroom import invalid
from greenroom.data import payloads
from greenroom.data.invalid import Case, valid_payload
from greenroom.facts.errors import GreenroomError

T = TypeVar("T")


def _starts_with_bz(value: str) -> str:
    if not value.startswith("BZ"):
        raise ValueError("it has to start with BZ")
    return value


class Opaque:
    """Pydantic knows nothing of it."""


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Item(BaseModel):
    name: str = Field(min_length=2, max_length=10)
    price: float = Field(ge=0, le=100)
    email: str


class Bounds(BaseModel):
    a: int = Field(gt=0, lt=10)
    b: Decimal = Field(ge=1, max_digits=5, decimal_places=2)
    c: Annotated[int, MultipleOf(5)]
    d: Annotated[float, Ge(0), Lt(1)] = 0.5


class Texts(BaseModel):
    code: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=20)]
    phone: constr(pattern=r"^\+?[1-9]\d{6,14}$")  # type: ignore[valid-type]


class Times(BaseModel):
    day: dt.date
    at: dt.datetime
    time: dt.time
    span: dt.timedelta


class Kinds(BaseModel):
    colour: Colour
    level: Level
    size: Literal["s", "m", "l"]
    only: Literal["one"]


class Ids(BaseModel):
    id: uuid.UUID
    four: ipaddress.IPv4Address
    url: AnyUrl
    pattern: re.Pattern[str]


class Optionals(BaseModel):
    a: int | None
    b: str | None = None
    c: float | None = Field(default=None, ge=0)


class Address(BaseModel):
    street: str = Field(min_length=1)
    zip: str = Field(pattern=r"^\d{5}$")


class Person(BaseModel):
    name: str
    address: Address
    others: list[Address] = []


class Deep(BaseModel):
    people: list[Person] = Field(min_length=1)
    by_name: dict[str, Person]


class Node(BaseModel):
    name: str
    children: list[Node] = []
    parent: Node | None = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: StrictInt


class StrictAll(BaseModel):
    model_config = ConfigDict(strict=True)
    a: int
    b: str
    c: bool


class Aliased(BaseModel):
    first: str = Field(alias="firstName")
    second: int = Field(validation_alias="secondOne")
    third: int = Field(validation_alias=AliasChoices("third", "tri"))


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    first: str = Field(alias="firstName")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=0, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    bark: str


class Pet(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


class Tagged(BaseModel):
    value: Annotated[
        Annotated[int, Tag("number")] | Annotated[str, Tag("text")],
        Discriminator(lambda value: "number" if isinstance(value, int) else "text"),
    ]


class Mixed(BaseModel):
    value: int | list[int]
    either: Address | Cat


class Lists(BaseModel):
    some: conlist(int, min_length=2, max_length=3)  # type: ignore[valid-type]
    unique: set[str]
    pair: tuple[int, str]
    nested: list[list[int]]
    many: Annotated[list[str], Len(1, 2)]


class Maps(BaseModel):
    scores: dict[str, int]
    by_id: dict[int, str] = Field(max_length=2)
    least: dict[str, str] = Field(min_length=1)


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


class Range(BaseModel):
    low: int
    high: int

    @model_validator(mode="after")
    def in_order(self) -> Any:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Trimmed(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, str_min_length=1)
    name: str


class Before(BaseModel):
    number: Annotated[int, BeforeValidator(lambda value: value or 0)]
    word: Annotated[str, AfterValidator(str.lower)]


class Loose(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)
    name: str
    anything: Any
    more: object = None


class Booleans(BaseModel):
    yes: bool
    always: Literal[True]


class Secret(BaseModel):
    password: SecretStr = Field(min_length=8)
    data: Json[dict[str, int]]
    raw: bytes


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int = Field(ge=0)


class Defaults(BaseModel):
    a: int = 1
    b: list[int] = Field(default_factory=list)


class Parent(BaseModel):
    a: int


class Child(Parent):
    b: str = Field(max_length=3)


class Numbers(RootModel[list[int]]):
    pass


class Whole(RootModel[Annotated[int, Ge(1)]]):
    pass


class Typed(TypedDict):
    a: int
    b: str


@dataclass
class Data:
    a: int
    b: str = Field(max_length=4)


class UsesTyped(BaseModel):
    typed: Typed
    data: Data


class Empty(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Big(BaseModel):
    n: conint(ge=10**12)  # type: ignore[valid-type]
    x: float = Field(gt=0.1, lt=0.2)


class Username(BaseModel):
    name: str = Field(pattern=r"^[a-z]+$", min_length=3, max_length=8)
    password: str = Field(pattern=r"^\S+$", min_length=8)
    odd: str = Field(pattern=r"^[^a-zA-Z0-9 _-]$")


class Discount(BaseModel):
    part: float = Field(gt=0, lt=1)
    amount: Decimal = Field(gt=0, le=100, max_digits=5, decimal_places=2)
    step: int = Field(multiple_of=5, ge=5)


class Calendar(BaseModel):
    day: dt.date = Field(ge=dt.date(2020, 1, 1), le=dt.date(2020, 12, 31))
    later: FutureDate
    before: PastDatetime
    naive: NaiveDatetime
    aware: AwareDatetime
    start: dt.datetime = Field(gt=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    long: dt.timedelta = Field(gt=dt.timedelta(days=2))


class Keys(BaseModel):
    least: dict[str, int] = Field(min_length=3)
    short: dict[Annotated[str, Field(min_length=2)], int]
    coloured: dict[Colour, int]


class Sets(BaseModel):
    some: set[str] = Field(min_length=2, max_length=3)
    huge: list[int] = Field(max_length=2**40)
    text: str = Field(max_length=2**31 - 1)


class Examples(BaseModel):
    number: Annotated[str, AfterValidator(_starts_with_bz)] = Field(examples=["BZ1"])


class Generated(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    first_name: str
    last_name: str = "x"


class Careless(BaseModel):
    name: Annotated[str, BeforeValidator(lambda value: value.strip())]


class Tags(RootModel[dict[str, list[Address]]]):
    pass


MODELS: list[Any] = [
    Username, Discount, Calendar, Keys, Sets, Examples, Generated, Careless, Tags,
    Item, Texts, Times, Kinds, Ids, Optionals, Address, Person, Deep, Node, Strict, StrictAll, Aliased,
    ByName, Cat, Dog, Pet, Tagged, Mixed, Lists, Maps, Trimmed, Before, Loose, Booleans, Page[int],
    Page[Address], Defaults, Parent, Child, Numbers, Whole, Typed, Data, UsesTyped, Empty, Big, Bounds,
    list[Item], dict[str, Item], Range,
]  # fmt: skip
GIVEN: list[tuple[Any, dict[str, Any]]] = [
    (Even, {"number": 2}),
    (Secret, {"password": "long enough", "data": "{}", "raw": "a"}),
]


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_each_case_is_refused_with_the_error_that_it_names(model: Any) -> None:
    """By the model itself; the names are different, and the same each time."""
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    cases = invalid(model)
    assert cases or model is Defaults
    assert len(set(names(cases))) == len(cases)
    assert cases == invalid(model)
    for case in cases:
        with pytest.raises(ValidationError) as raised:
            adapter.validate_python(case.payload, from_attributes=True)
        first = raised.value.errors()[0]
        assert (first["loc"], first["type"]) == (case.loc, case.type)


@pytest.mark.parametrize(("model", "valid"), GIVEN, ids=str)
def test_a_model_of_its_own_mind_is_given_a_valid_payload(model: Any, valid: Any) -> None:
    """Its validators refuse what its schema allows; the error says so."""
    with pytest.raises(GreenroomError, match="GR043") as raised:
        invalid(model)
    assert "Give a valid one: invalid(Model, valid={...})." in str(raised.value)
    for case in invalid(model, valid=valid):
        with pytest.raises(ValidationError):
            TypeAdapter(model).validate_python(case.payload)


def test_forty_models_are_tried() -> None:
    """As many kinds of fields as there are."""
    assert len(MODELS) + len(GIVEN) >= 40


EXPECTED = {
    Item: [
        "name-null",
        "name-missing",
        "name-not_a_string",
        "name-too_short",
        "name-too_long",
        "price-missing",
        "price-null",
        "price-not_a_number",
        "price-too_small",
        "price-too_large",
        "email-missing",
        "email-null",
        "email-not_a_string",
        "not_an_object",
    ],
    Bounds: [
        "a-too_small",
        "a-too_large",
        "a-not_whole",
        "b-not_a_number",
        "b-too_small",
        "b-too_many_digits",
        "b-too_many_places",
        "c-not_a_multiple",
        "d-too_large",
    ],
    Texts: ["code-not_of_the_pattern", "slug-too_long", "phone-not_of_the_pattern"],
    Times: ["day-not_a_date", "at-not_a_date_time", "time-not_a_time", "span-not_a_duration"],
    Kinds: ["colour-not_allowed", "level-not_allowed", "size-not_allowed", "only-not_allowed"],
    Ids: ["id-not_a_uuid", "four-not_an_ipv4", "url-not_a_uri"],
    Optionals: ["a-missing", "a-not_a_number", "c-too_small"],
    Deep: [
        "people-too_few",
        "people.0.address.zip-not_of_the_pattern",
        "people.0.others.0.street-too_short",
        "by_name.1.address.street-missing",
    ],
    Strict: ["unexpected-extra", "a-not_a_number"],
    Aliased: ["firstName-missing", "secondOne-not_a_number", "third-missing"],
    Pet: [
        "pet.kind-missing",
        "pet.kind-not_allowed",
        "pet.lives-too_large",
        "pet.bark-missing",
        "pet.bark-not_a_string",
    ],
    Lists: [
        "some-too_few",
        "some-too_many",
        "pair-too_few",
        "pair-too_many",
        "nested.0.0-not_a_number",
    ],
    Maps: [
        "scores.1-not_a_number",
        "least-not_an_object",
        "least-too_few",
        "by_id-too_many",
    ],
    Username: [
        "name-not_of_the_pattern",
        "name-too_short",
        "name-too_long",
        "password-too_short",
        "odd-not_of_the_pattern",
    ],
    Discount: [
        "part-too_small",
        "part-too_large",
        "amount-too_small",
        "amount-too_large",
        "step-too_small",
        "step-not_a_multiple",
    ],
    Calendar: [
        "day-not_a_date",
        "day-too_small",
        "day-too_large",
        "later-missing",
        "later-not_future",
        "before-not_past",
        "naive-not_naive",
        "aware-not_aware",
        "start-too_small",
        "long-too_small",
        "long-not_a_duration",
    ],
    Keys: ["least.1-not_a_number", "coloured.red-not_a_number"],
    Sets: ["some-too_few", "some-too_many", "huge-not_a_list"],
    Generated: ["firstName-missing", "lastName-not_a_string"],
    Empty: ["unexpected-extra", "not_an_object"],
}


@pytest.mark.parametrize("model", EXPECTED, ids=str)
def test_the_cases_that_a_reader_expects_are_there(model: Any) -> None:
    """By the names that a test report shows."""
    assert set(EXPECTED[model]) - set(names(invalid(model))) == set()


def test_what_lax_mode_takes_is_no_case() -> None:
    """A number in a text, a whole float, null where it's allowed, a field too many."""
    found = names(invalid(Optionals))
    assert "a-null" not in found
    assert "unexpected-extra" not in names(invalid(Item))
    assert "name-not_a_string" in names(invalid(Loose))  # By an object: 12345 is taken.
    assert not any(
        name.startswith(("anything", "more"))
        for name in names(invalid(Loose))
        if "missing" not in name
    )


def test_a_case_is_the_id_of_its_test(pytester: pytest.Pytester) -> None:
    """By itself, in `parametrize`; it carries what is to be sent and what comes back."""
    test = """
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from greenroom import invalid

class Item(BaseModel):
    name: str = Field(min_length=2)

app = FastAPI()

@app.post("/items")
async def create(item: Item) -> Item:
    return item

@pytest.mark.parametrize("case", invalid(Item))
async def test_refused(case, client):
    response = await client.post("/items", json=case.payload)
    assert response.status_code == 422
    first = response.json()["detail"][0]
    assert (first["loc"], first["type"]) == (["body", *case.loc], case.type)
"""
    pytester.makepyfile(test_it=test)
    pytester.makepyprojecttoml('[tool.greenroom]\napp = "test_it:app"')
    result = pytester.runpytest_inprocess("-v", "-p", "no:randomly", "-p", "no:sqla")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["*test_refused?name-too_short? PASSED*"])


def test_a_model_without_a_schema_is_told() -> None:
    """With the field that has none."""

    class Odd(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        thing: Opaque

    with pytest.raises(GreenroomError, match="GR043 there is no JSON schema of Odd"):
        invalid(Odd)


def test_a_given_payload_that_is_not_valid_is_told() -> None:
    """With its place."""
    with pytest.raises(
        GreenroomError, match=r"the payload that was given is refused by Item: name"
    ):
        invalid(Item, valid={"price": 1, "email": "x"})


#: What the names of faults mean to Pydantic. Those that aren't here (a format, null) have many words.
RIGHT = {
    "missing": ("missing", "union_tag_not_found"),
    "too_small": ("greater_than", "greater_than_equal"),
    "too_large": ("less_than", "less_than_equal"),
    "too_short": ("too_short", "string_too_short", "bytes_too_short"),
    "too_long": ("too_long", "string_too_long", "bytes_too_long"),
    "too_few": ("too_short", "missing"),
    "too_many": ("too_long",),
    "too_many_digits": ("decimal_max_digits", "decimal_whole_digits"),
    "too_many_places": ("decimal_max_places",),
    "not_of_the_pattern": ("string_pattern_mismatch",),
    "not_a_multiple": ("multiple_of",),
    "not_whole": ("int_from_float", "int_type"),
    "not_a_boolean": ("bool_parsing", "bool_type"),
    "not_past": ("date_past", "datetime_past"),
    "not_future": ("date_future", "datetime_future"),
    "not_aware": ("timezone_aware",),
    "not_naive": ("timezone_naive",),
    "not_a_uuid": ("uuid_parsing",),
    "extra": ("extra_forbidden", "unexpected_keyword_argument"),
}


@pytest.mark.parametrize(
    ("model", "valid"), [*((model, None) for model in MODELS), *GIVEN], ids=str
)
def test_a_case_is_refused_for_what_its_name_says(model: Any, valid: Any) -> None:
    """A pattern by the pattern, a length by the length; no format for a length."""
    for case in invalid(model, valid=valid):
        fault = case.name.rpartition("-")[2]
        right = RIGHT.get(fault)
        assert right is None or case.type in right, case
        if fault.startswith(("not_a_", "not_an_")):
            assert "too_" not in case.type, case


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_each_valid_payload_is_accepted(model: Any) -> None:
    """The plainest, which cases differ from in one thing; and those of `make.payload`, which differ."""
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    adapter.validate_python(valid_payload(model), from_attributes=True)
    for number in range(1, 4):
        adapter.validate_python(payloads.of_model(model, {}, number), from_attributes=True)


def test_bounds_are_missed_by_one() -> None:
    """Numbers by one, dates by a day, moments by a second."""
    found = {case.name: case.payload for case in invalid(Calendar)}
    assert found["day-too_small"]["day"] == "2019-12-31"
    assert found["day-too_large"]["day"] == "2021-01-01"
    assert found["start-too_small"]["start"] == "2020-01-01T00:00:00+00:00"
    numbers = {case.name: case.payload for case in invalid(Bounds)}
    assert (numbers["a-too_small"]["a"], numbers["a-too_large"]["a"]) == (0, 10)
    assert numbers["b-too_many_digits"]["b"] == "1111"


def test_the_list_is_the_same_in_each_process() -> None:
    """Workers collect the same tests, whatever their hashes are seeded with."""
    script = """
from pydantic import BaseModel, Field
from greenroom import invalid
class M(BaseModel):
    d: dict[str, int] = Field(min_length=4)
    s: set[str] = Field(min_length=3)
print([case.name for case in invalid(M)])
"""
    told = set()
    for seed in ("1", "2", "3"):
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script]
        told.add(subprocess.run(command, env=environ, capture_output=True, check=True).stdout)
    assert len(told) == 1


def test_a_model_that_needs_itself_is_told() -> None:
    """There is no end to it."""

    class Endless(BaseModel):
        me: Endless

    with pytest.raises(
        GreenroomError, match="GR043 there is no payload of Endless: it needs itself"
    ):
        invalid(Endless)


def test_a_validator_that_fails_is_told() -> None:
    """On the payload that should be valid; on others, it's no refusal."""

    class Broken(BaseModel):
        name: Annotated[str, AfterValidator(lambda value: value.no_such_method())]

    with pytest.raises(GreenroomError, match="a validator of Broken raised AttributeError"):
        invalid(Broken)
    assert names(invalid(Careless)) == ["name-missing", "not_an_object"]


def test_a_given_payload_may_be_of_any_kind() -> None:
    """A list, a model, values that JSON doesn't have: what comes out can be sent."""
    assert names(invalid(list[int], valid=[1])) == [
        "0-null",
        "0-not_a_number",
        "0-not_whole",
        "not_a_list",
    ]
    given = Generated.model_validate({"firstName": "a"})
    assert "firstName-missing" in names(invalid(Generated, valid=given))
    times = {"day": dt.date(2026, 1, 1), "at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}
    for case in invalid(Times, valid={**times, "time": dt.time(1), "span": dt.timedelta(1)}):
        json.dumps(case.payload)


@pytest.mark.parametrize(
    "model",
    [3, None, "POST /items", Opaque, Opaque()],
    ids=["number", "nothing", "operation", "class", "object"],
)
def test_what_is_no_model_is_told(model: Any) -> None:
    """Neither an empty list, which would be no test, nor an error of Pydantic's."""
    for make in (invalid, lambda model: payloads.of_model(model, {}, 1)):
        with pytest.raises(
            GreenroomError, match=r"GR043 .* is no model: Pydantic can't validate it"
        ):
            make(model)
