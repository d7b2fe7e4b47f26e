"""Every answer is held against what the app declares, in a suite that only asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness import Project, Result, app_source

PLANTED = app_source("planted")
#: What is planted, and how it's named: the rule, and where in the body.
FAULTS = {
    "/wrong-type": ("schema", "/id"),
    "/missing": ("schema", "/price"),
    "/null": ("schema", "/name"),
    "/extra": ("extra", "/note"),
    "/nested-extra": ("extra", "/owner/email"),
    "/leaked-hash": ("secrets", "/hashed_password"),
    "/enum": ("schema", "/colour"),
    "/date": ("schema", "/made"),
    "/date-time": ("schema", "/seen"),
    "/uuid": ("schema", "/key"),
    "/too-long": ("schema", "/name"),
    "/too-small": ("schema", "/price"),
    "/in-a-list": ("schema", "/tags/*"),
    "/nested": ("schema", "/owner/name"),
    "/html-404": ("content-type", ""),
    "/server-error": ("server-error", ""),
    "/raises": ("server-error", ""),
    "/content-type": ("content-type", ""),
    "/no-json": ("content-type", ""),
    "/no-utf-8": ("content-type", ""),
    "/undeclared": ("undeclared", ""),
    "/not-a-list": ("schema", ""),
    "/bare-token": ("secrets", "/user/apiKey"),
    "/left-out": ("extra", "/price"),
}
FINE = ["/good", "/good-null", *(f"/fine/{name}" for name in ("lax", "unset", "dict", "nothing"))]
FINE += ["/fine/tree", "/fine/stream", "/fine/big"]


def project(test: str, *, table: str = "", app: str = PLANTED) -> Project:
    return Project(
        {
            "main.py": app,
            "pyproject.toml": f"[tool.greenroom]\n{table}",
            "test_main.py": test,
        }
    )


def asking(paths: list[str]) -> str:
    return f"""
import json
from pathlib import Path

import pytest

@pytest.mark.parametrize("path", {paths!r})
async def test_ask(client, path):
    client.raise_app_exceptions = False
    await client.get(path)
"""


def problems(result: Result) -> list[tuple[str, str, str]]:
    plain = result.json("greenroom.json")
    return [
        (one["operation"].removeprefix("GET "), one["rule"], one["where"])
        for one in plain["problems"]
    ]


def test_planted_faults_are_found_and_named(pytester: pytest.Pytester) -> None:
    """Each by its rule and its place, in tests that assert nothing."""
    result = project(asking([*FAULTS, *FINE])).run(pytester, "--greenroom-report=json")
    result.passed(len(FAULTS) + len(FINE))
    assert sorted(problems(result)) == sorted((path, *named) for path, named in FAULTS.items())
    assert len(FAULTS) >= 20


def test_fastapis_own_behaviour_is_no_problem(pytester: pytest.Pytester) -> None:
    """405 and its headers, lax values, the body of a 422, a slash too many, a 404 for no route."""
    test = """
async def test_all(client):
    assert (await client.delete("/good")).status_code == 405
    assert (await client.get("/good/")).status_code == 307
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.get("/fine/lax")).json()["count"] == 1
    assert (await client.post("/fine/items", json={"password": "secret"})).status_code == 422
    assert (await client.post("/fine/items", content=b"{", headers={"content-type": "application/json"})).status_code == 422
    assert (await client.post("/fine/items", json={"name": "taken"})).status_code == 409
    assert (await client.post("/fine/items", json={"name": "x"})).status_code == 200
    assert (await client.post("/fine/login", params={"password": "x"})).status_code == 200
    assert (await client.head("/good")).status_code == 405
    assert (await client.get("/openapi.json")).status_code == 200
    assert (await client.get("/docs")).status_code == 200
"""
    result = project(test).run(pytester, "--greenroom-report=json")
    result.passed(1)
    assert problems(result) == []


def test_a_problem_is_told_at_the_end_and_fails_nothing(pytester: pytest.Pytester) -> None:
    """By default."""
    result = project(asking(["/wrong-type", "/leaked-hash"])).run(pytester)
    result.passed(2)
    line = (
        'GET /wrong-type 200 schema at /id: expected an integer, came "1" '
        "(test_main.py::test_ask[/wrong-type])"
    )
    assert line in result.out
    assert "$2b$" not in result.out


def test_a_rule_may_fail_the_test_that_caused_it(pytester: pytest.Pytester) -> None:
    """Where in the body, what was expected, what came; and only that test."""
    table = '[tool.greenroom.contract]\nmode = "fail"\n'
    test = asking(["/good", "/nested"])
    result = project(test, table=table).run(pytester)
    result.counts(passed=1, failed=1)
    for line in (
        "GR040 an answer of the app's broke its contract.",
        "GET /nested answered 200:",
        "  schema at /owner/name: expected a string, came 1",
    ):
        assert line in result.out
    assert "greenroom/" not in result.out.split("test_ask[/nested]")[1].split("short test")[0]


def test_rules_have_modes_of_their_own(pytester: pytest.Pytester) -> None:
    """One fails, one is off, the rest is told."""
    table = '[tool.greenroom.contract.rules]\nsecrets = "fail"\nextra = "off"\n'
    paths = ["/leaked-hash", "/extra", "/enum"]
    result = project(asking(paths), table=table).run(pytester, "--greenroom-report=json")
    result.counts(passed=2, failed=1)
    assert [one[0] for one in problems(result)] == ["/enum", "/leaked-hash"]


def test_it_can_be_switched_off(pytester: pytest.Pytester) -> None:
    """By an option; then nothing is told."""
    result = project(asking(["/enum"])).run(pytester, "--greenroom-contract=off")
    result.passed(1)
    assert "what the suite proves" not in result.out


def test_statuses_that_only_the_code_knows_can_be_asked_for_in_openapi(
    pytester: pytest.Pytester,
) -> None:
    """The rule `undocumented` is off by default, since FastAPI doesn't declare them by itself."""
    table = '[tool.greenroom.contract.rules]\nundocumented = "report"\n'
    test = """
async def test_taken(client):
    assert (await client.post("/fine/items", json={"name": "taken"})).status_code == 409
"""
    result = project(test, table=table).run(pytester, "--greenroom-report=json")
    result.passed(1)
    assert problems(result) == [("POST /fine/items", "undocumented", "")]


def test_the_list_of_secrets_is_a_setting(pytester: pytest.Pytester) -> None:
    """It takes the place of greenroom's own."""
    table = '[tool.greenroom.contract]\nsecrets = ["note"]\n'
    result = project(asking(["/extra", "/leaked-hash"]), table=table).run(
        pytester, "--greenroom-report=json"
    )
    found = problems(result)
    assert ("/extra", "secrets", "/note") in found
    assert ("/leaked-hash", "secrets", "/hashed_password") not in found


def test_a_schema_of_openapi_3_0_is_understood(pytester: pytest.Pytester) -> None:
    """`nullable`, and bounds that are exclusive by a boolean."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
SCHEMA = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "integer", "nullable": True},
        "b": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
    },
}
CONTENT = {200: {"content": {"application/json": {"schema": SCHEMA}}}}
app = FastAPI()
app.openapi_version = "3.0.3"

@app.get("/fine", response_model=None, responses=CONTENT)
async def fine():
    return JSONResponse({"a": None, "b": 0.1})

@app.get("/wrong", response_model=None, responses=CONTENT)
async def wrong():
    return JSONResponse({"a": 1, "b": 0})
"""
    result = project(asking(["/fine", "/wrong"]), app=app).run(pytester, "--greenroom-report=json")
    result.passed(2)
    assert problems(result) == [("/wrong", "schema", "/b")]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('mode = "strict"', "mode: 'strict' is none of off, report, fail"),
        ('mod = "fail"', 'mod: there is no such key; did you mean "mode"?'),
        (
            'rules = {schemas = "fail"}',
            'rules.schemas: there is no such rule; did you mean "schema"?',
        ),
        ('schema = "fail"', "schema: rules stand in [tool.greenroom.contract.rules]"),
        ('rules = {schema = "loud"}', "rules.schema: 'loud' is none of off, report, fail"),
        ('drop = {"GET / 404" = ""}', 'drop."GET / 404": say why'),
        ('budgets = {"GET /" = "3"}', 'budgets."GET /": it takes a number of statements'),
        ("secrets = 3", "secrets: it takes a list of names"),
        ("baseline = 3", "baseline: it takes the path of an outcome file"),
    ],
)
def test_a_mistake_in_the_table_is_told(pytester: pytest.Pytester, table: str, told: str) -> None:
    """Before anything runs."""
    result = project(asking(["/good"]), table=f"[tool.greenroom.contract]\n{table}\n").run(pytester)
    assert "GR005" in result.out
    assert told in result.out


def test_an_openapi_document_that_cannot_be_built_is_told_with_its_route(
    pytester: pytest.Pytester,
) -> None:
    """And everything else goes on."""
    app = """
from fastapi import FastAPI
from pydantic import BaseModel

class Odd(BaseModel):
    call: int

    @classmethod
    def __get_pydantic_json_schema__(cls, *_):
        raise TypeError("no schema for this one")

app = FastAPI(title="Shop")

@app.get("/fine")
async def fine() -> int:
    return 1

@app.get("/odd", response_model=Odd)
async def odd():
    return {"call": 1}
"""
    result = project(asking(["/fine", "/odd"]), app=app).run(pytester)
    result.passed(2)
    assert (
        "GR038 the OpenAPI document of 'Shop' can't be built because of GET /odd: TypeError: no "
        "schema for this one." in result.out
    )


def test_two_operations_with_one_id_are_two_operations(pytester: pytest.Pytester) -> None:
    """FastAPI warns of it, which is its own affair."""
    app = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/a", operation_id="same")
async def a() -> int:
    return 1

@app.get("/b", operation_id="same")
async def b() -> str:
    return "b"
"""
    result = project(asking(["/a", "/b"]), app=app).run(
        pytester, "-W", "error", "--greenroom-report=json"
    )
    result.passed(2)
    assert [one["operation"] for one in result.json("greenroom.json")["operations"]] == [
        "GET /a",
        "GET /b",
    ]


def test_a_schema_that_cannot_be_read_is_told_and_not_checked(pytester: pytest.Pytester) -> None:
    """Once, by its place."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
app = FastAPI()
CONTENT = {200: {"content": {"application/json": {"schema": {"type": "strange"}}}}}

@app.get("/strange", response_model=None, responses=CONTENT)
async def strange():
    return JSONResponse(1)
"""
    result = project(asking(["/strange"]), app=app).run(pytester)
    result.passed(1)
    assert "note: the schema at /paths/~1strange/get/responses/200" in result.out


def test_an_encoded_answer_is_read_as_it_was_before(pytester: pytest.Pytester) -> None:
    """By greenroom's client and by the suite's own; one that can't be decoded isn't looked into."""
    app = """
from fastapi import FastAPI, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
app = FastAPI()
app.add_middleware(GZipMiddleware, minimum_size=1)

@app.get("/fine")
async def fine() -> list[int]:
    return [1] * 1000

@app.get("/wrong", response_model=None, responses={200: {"model": list[int]}})
async def wrong():
    return JSONResponse(["x"] * 1000)

@app.get("/unknown", response_model=None, responses={200: {"model": list[int]}})
async def unknown():
    headers = {"content-encoding": "br"}
    return Response(b"??", headers=headers, media_type="application/json")
"""
    test = f"""{asking(["/fine", "/wrong"])}
from fastapi.testclient import TestClient
from main import app

def test_own():
    TestClient(app).get("/wrong")

async def test_unknown(client):
    async with client.stream("GET", "/unknown") as response:
        assert response.status_code == 200
"""
    result = project(test, app=app).run(pytester, "--greenroom-report=json")
    result.passed(4)
    (found,) = result.json("greenroom.json")["problems"]
    assert (found["operation"], found["where"]) == ("GET /wrong", "/*")
    assert len(found["tests"]) == 2


def test_no_body_where_one_is_declared_is_a_problem(pytester: pytest.Pytester) -> None:
    """Not for HEAD, a stream, or a status that has none."""
    app = """
from fastapi import FastAPI, Response
app = FastAPI()

@app.api_route("/empty", methods=["GET", "HEAD"], response_model=int)
async def empty():
    return Response(media_type="application/json")

@app.get("/gone", status_code=204)
async def gone(): ...
"""
    test = """
async def test_it(client):
    await client.get("/empty")
    await client.head("/empty")
    await client.get("/gone")
"""
    result = project(test, app=app).run(pytester, "--greenroom-report=json")
    assert problems(result) == [("/empty", "content-type", "")]


def test_a_token_that_is_declared_is_given_out_on_purpose(pytester: pytest.Pytester) -> None:
    """A hash isn't, whatever is declared."""
    app = """
from fastapi import FastAPI
from pydantic import BaseModel
app = FastAPI()

class Session(BaseModel):
    token: str
    api_key: str

class User(BaseModel):
    name: str
    hashed_password: str

@app.post("/sessions")
async def start() -> Session:
    return Session(token="t", api_key="k")

@app.get("/users")
async def users() -> list[User]:
    return [User(name="ann", hashed_password="h")]

@app.get("/odd")
async def odd() -> dict[str, str]:
    return {"a/b": "x", "token": "t"}
"""
    test = """
async def test_it(client):
    await client.post("/sessions")
    await client.get("/users")
    await client.get("/odd")
"""
    result = project(test, app=app).run(pytester, "--greenroom-report=json")
    assert problems(result) == [
        ("/odd", "secrets", "/token"),
        ("/users", "secrets", "/*/hashed_password"),
    ]


def test_field_names_of_every_kind_have_a_place(pytester: pytest.Pytester) -> None:
    """With slashes, dots and nothing in them."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()

class Thing(BaseModel):
    a: int = 1

@app.get("/odd", response_model=None, responses={200: {"model": Thing}})
async def odd():
    return JSONResponse({"a": 1, "b/c": 2, "": 3, "title": 4, "7": 5})
"""
    result = project(asking(["/odd"]), app=app).run(pytester, "--greenroom-report=json")
    result.passed(1)
    assert len(problems(result)) == 4


def test_an_outcome_is_as_its_documented_schema_says(pytester: pytest.Pytester) -> None:
    """With problems of many kinds in it, and every rule has its name there."""
    import jsonschema_rs

    from greenroom.facts.outcome import Rule

    file = Path(__file__).parents[2] / "docs" / "outcome.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    result = project(asking([*FAULTS, *FINE])).run(pytester, "--greenroom-report=json")
    outcome = result.json("greenroom.json")
    assert outcome["problems"]
    assert [str(error) for error in jsonschema_rs.iter_errors(schema, outcome)] == []
    assert schema["$defs"]["problem"]["properties"]["rule"]["enum"] == [one.value for one in Rule]


def test_what_an_operation_is_told_to_leave_out_may_be_missing_and_must(
    pytester: pytest.Pytester,
) -> None:
    """By names, by what is kept, and in parts."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()

class Owner(BaseModel):
    name: str
    email: str

class Item(BaseModel):
    id: int
    price: float
    owner: Owner

ITEM = {"id": 1, "price": 2.5, "owner": {"name": "ann", "email": "a@b.c"}}

@app.get("/fine/set", response_model=Item, response_model_exclude={"price"})
async def fine_set():
    return ITEM

@app.get("/fine/part", response_model=list[Item], response_model_exclude={"__all__": {"owner": {"email"}}})
async def fine_part():
    return [ITEM]

@app.get("/fine/dict", response_model=Item, response_model_exclude={"owner": {"email"}})
async def fine_dict():
    return ITEM

@app.get("/fine/include", response_model=Item, response_model_include={"id"})
async def fine_include():
    return ITEM

@app.get("/kept", response_model=Item, response_model_include={"id"})
async def kept():
    return JSONResponse(ITEM)

@app.get("/left", response_model=list[Item], response_model_exclude={"price"})
async def left():
    return JSONResponse([ITEM])

@app.get("/lacks", response_model=Item, response_model_exclude={"price"})
async def lacks():
    return JSONResponse({"id": 1})
"""
    paths = [f"/fine/{name}" for name in ("set", "part", "dict", "include")]
    result = project(asking([*paths, "/kept", "/left", "/lacks"]), app=app).run(
        pytester, "--greenroom-report=json"
    )
    assert problems(result) == [
        ("/kept", "extra", "/owner"),
        ("/kept", "extra", "/price"),
        ("/lacks", "schema", "/owner"),
        ("/left", "extra", "/*/price"),
    ]


def test_no_secret_is_shown_wherever_it_stands(pytester: pytest.Pytester) -> None:
    """In the terminal, in the outcome; of a wrong type, nested, and by the project's own names."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()

class Key(BaseModel):
    api_key: int
    ssn: int
    box: int

BODY = {"api_key": "sk-live-1", "ssn": "078-05-1120", "box": {"SSN": "078-05-1120"}}

@app.get("/keys", response_model=None, responses={200: {"model": Key}})
async def keys():
    return JSONResponse(BODY)
"""
    table = '[tool.greenroom.contract]\nsecrets = ["ssn", "api_key"]\n'
    table += '[tool.greenroom.contract.rules]\nschema = "fail"\n'
    result = project(asking(["/keys"]), app=app, table=table).run(
        pytester, "--greenroom-report=terminal,json,html"
    )
    page = (result.folder / "greenroom.html").read_text()
    outcome = (result.folder / "greenroom.json").read_text()
    told = result.out.split("FAILURES")[1].split("- greenroom -")[0]
    for text in (page, outcome, told, result.out.split("what the suite proves")[1]):
        assert "/api_key" in text or "api_key" in text
        assert "sk-live" not in text
        assert "078-05" not in text


def test_a_secret_is_one_whatever_its_type(pytester: pytest.Pytester) -> None:
    """A switch, null and nothing aren't."""
    app = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/all")
async def all():
    return {"secret": 1, "password": ["a"], "user": {"Api-Key": {"v": 1}},
            "token": None, "passwd": "", "secret_key": True}
"""
    result = project(asking(["/all"]), app=app).run(pytester, "--greenroom-report=json")
    assert problems(result) == [
        ("/all", "secrets", "/password"),
        ("/all", "secrets", "/secret"),
        ("/all", "secrets", "/user/Api-Key"),
    ]


def test_a_known_problem_stays_the_same_as_others_are_declared(pytester: pytest.Pytester) -> None:
    """What is compared with a baseline doesn't hold its surroundings."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
app = FastAPI()

@app.get("/tea", responses={})
async def tea() -> int:
    answer = JSONResponse(1)
    vars(answer)["status_code"] = 418
    return answer
"""
    table = '[tool.greenroom.contract]\nbaseline = "known.json"\n'
    first = project(asking(["/tea"]), app=app).run(pytester, "--greenroom-report=known.json")
    assert problems_of(first, "known.json") == ["undeclared"]
    more = app.replace("responses={}", 'responses={404: {"description": "none"}}')
    result = project(asking(["/tea"]), app=more, table=table).run(pytester, "-k", "tea")
    assert result.code == 0, result.out
    assert "came 418, where 200, 404 are declared" in result.out


def problems_of(result: Result, name: str) -> list[str]:
    return [one["rule"] for one in result.json(name)["problems"]]


def test_a_body_that_is_too_long_is_not_looked_into(pytester: pytest.Pytester) -> None:
    """By no client; one that is nearly so is."""
    app = """
from fastapi import FastAPI, Response
app = FastAPI()
DECLARED = {200: {"model": list[int]}}

@app.get("/long/{length}", response_model=None, responses=DECLARED)
async def long(length: int):
    body = b'["' + b"x" * length + b'"]'
    return Response(body, media_type="application/json")
"""
    test = """
import pytest
from fastapi.testclient import TestClient
from main import app

@pytest.mark.parametrize("length", [2_000_000, 50_000_000])
def test_it(client, length):
    client.get(f"/long/{length}")

@pytest.mark.parametrize("length", [2_000_000, 50_000_000])
def test_own(length):
    TestClient(app).get(f"/long/{length}")
"""
    result = project(test, app=app).run(pytester, "--greenroom-report=json")
    result.passed(4)
    (found,) = result.json("greenroom.json")["problems"]
    assert found["tests"] == ["test_main.py::test_it[2000000]", "test_main.py::test_own[2000000]"]


def test_what_a_teardown_asks_fails_its_test_too(pytester: pytest.Pytester) -> None:
    """Under the mode fail."""
    test = """
import pytest

@pytest.fixture
async def late(client):
    yield
    await client.get("/nested")

async def test_it(late):
    pass
"""
    table = '[tool.greenroom.contract]\nmode = "fail"\n'
    result = project(test, table=table).run(pytester)
    result.counts(passed=1, errors=1)
    assert "GR040" in result.out


def test_one_answer_with_two_faults_is_one_answer(pytester: pytest.Pytester) -> None:
    """Told together, with its body once."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()

class Item(BaseModel):
    id: int
    n: int

@app.get("/two", response_model=None, responses={200: {"model": Item}})
async def two():
    return JSONResponse({"id": "a", "n": "b"})
"""
    table = '[tool.greenroom.contract]\nmode = "fail"\n'
    result = project(asking(["/two"]), app=app, table=table).run(pytester)
    failure = result.out.split("FAILURES")[1].split("- greenroom -")[0]
    assert "GR040 an answer of the app's broke its contract." in failure
    assert failure.count('in {"id":"a","n":"b"}') == 1


def test_a_socket_that_fails_is_told(pytester: pytest.Pytester) -> None:
    """As a request is."""
    app = """
from fastapi import FastAPI, WebSocket
app = FastAPI()

@app.websocket("/ws")
async def ws(socket: WebSocket):
    raise KeyError("x")
"""
    test = """
import pytest

async def test_it(client):
    with pytest.raises(KeyError):
        async with client.websocket_connect("/ws"):
            pass
"""
    result = project(test, app=app).run(pytester, "--greenroom-report=json")
    result.passed(1)
    (found,) = result.json("greenroom.json")["problems"]
    assert (found["operation"], found["rule"]) == ("WEBSOCKET /ws", "server-error")
    assert found["came"] == "raised KeyError: 'x'"


def test_a_schema_as_wide_and_deep_as_they_come(pytester: pytest.Pytester) -> None:
    """It's shown in part, and nothing takes long that a suite would feel."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import create_model
app = FastAPI()

def wide(name, kind):
    return create_model(name, **{f"f{number}": (kind | None, None) for number in range(60)})

Model = int
for depth in range(5):
    Model = wide(f"Model{depth}", Model)

@app.get("/wide", response_model=None, responses={200: {"model": Model}})
async def wide_answer():
    return JSONResponse({"f0": {"f0": {"f0": {"f0": {"f0": "x"}}}}})
"""
    result = project(asking(["/wide"]), app=app).run(pytester, "--greenroom-report=json")
    (found,) = result.json("greenroom.json")["problems"]
    assert found["where"] == "/f0/f0/f0/f0/f0"
    assert len(found["schema"]) <= 2000


def test_what_pydantic_writes_is_no_problem(pytester: pytest.Pytester) -> None:
    """URLs, patterns, zones, SecretStr; what leaves fields out in every way; errors about passwords."""
    app = """
import enum
import re
from typing import Annotated, Union
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import AnyUrl, BaseModel, IPvAnyAddress, SecretStr
app = FastAPI()

class Written(BaseModel):
    url: AnyUrl = AnyUrl("https://h.com/?filter[name]=x|y")
    pattern: re.Pattern = re.compile("(?P<n>a)")
    password: SecretStr = SecretStr("hidden")

class Addr(BaseModel):
    zip: str | None

class Person(BaseModel):
    name: str
    addr: Addr | None = None

class Err(BaseModel):
    detail: str

@app.get("/written")
async def written() -> Written:
    return Written()

@app.get("/none", response_model=list[Person], response_model_exclude_none=True)
async def none():
    return [Person(name="a", addr=Addr(zip=None))]

@app.get("/union", response_model=Union[Person, Addr], response_model_include={"name"})
async def union():
    return Person(name="a")

@app.get("/missing", response_model=Err, response_model_exclude={"detail"}, responses={404: {"model": Err}})
async def missing():
    raise HTTPException(404, "none")

@app.get("/invalid", responses={400: {}})
async def invalid():
    return JSONResponse({"errors": {"password": "must have 8 characters"}}, 400)

class Number(enum.IntEnum):
    ONE = 1

@app.get("/keys")
async def keys() -> dict[Number, list[Number]]:
    return {Number.ONE: [Number.ONE]}

@app.post("/pay")
async def pay() -> dict[str, str]:
    return {}
"""
    paths = ["/written", "/none", "/union", "/missing", "/invalid", "/keys"]
    result = project(asking(paths), app=app).run(pytester, "--greenroom-report=json")
    result.passed(6)
    assert result.json("greenroom.json")["problems"] == []


def test_one_fault_in_many_items_is_one_problem(pytester: pytest.Pytester) -> None:
    """However long the list is; the failure of a test stays readable."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()

class Row(BaseModel):
    id: int

@app.get("/rows", response_model=None, responses={200: {"model": list[Row]}})
async def rows():
    return JSONResponse([{"id": n, "extra": n, "password": "x"} for n in range(5000)])
"""
    table = '[tool.greenroom.contract]\nmode = "fail"\n'
    result = project(asking(["/rows"]), app=app, table=table).run(
        pytester, "--greenroom-report=json"
    )
    assert problems(result) == [("/rows", "extra", "/*/extra"), ("/rows", "secrets", "/*/password")]
    assert len(result.out.splitlines()) < 60


def test_a_declared_500_is_no_failure(pytester: pytest.Pytester) -> None:
    """Also where the exception reaches the test."""
    app = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/declared", responses={500: {"description": "sometimes"}})
async def declared() -> int:
    raise RuntimeError("sometimes")
"""
    test = """
import pytest

async def test_it(client):
    with pytest.raises(RuntimeError):
        await client.get("/declared")
"""
    result = project(test, app=app).run(pytester, "--greenroom-report=json")
    result.passed(1)
    assert result.json("greenroom.json")["problems"] == []


def test_fields_are_looked_for_in_dictionaries_and_unions_too(pytester: pytest.Pytester) -> None:
    """What is in a dictionary's values, in one way of several, in a list of lists."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()

class A(BaseModel):
    a: int

class B(BaseModel):
    b: int

class All(BaseModel):
    by_name: dict[str, A]
    either: A | B | None
    deep: list[list[A]]
    free: dict
    pair: tuple[A, B]

FINE = {"by_name": {"x": {"a": 1}}, "either": {"b": 1}, "deep": [[{"a": 1}]], "free": {"x": {"y": 1}},
        "pair": [{"a": 1}, {"b": 1}]}

@app.get("/fine", response_model=None, responses={200: {"model": All}})
async def fine():
    return JSONResponse(FINE)

@app.get("/wrong", response_model=None, responses={200: {"model": All}})
async def wrong():
    return JSONResponse({**FINE, "by_name": {"x": {"a": 1, "z": 1}}, "either": {"b": 1, "z": 1},
                         "deep": [[{"a": 1, "z": 1}]]})
"""
    result = project(asking(["/fine", "/wrong"]), app=app).run(pytester, "--greenroom-report=json")
    assert problems(result) == [
        ("/wrong", "extra", "/by_name/x/z"),
        ("/wrong", "extra", "/deep/*/*/z"),
        ("/wrong", "extra", "/either/z"),
    ]
