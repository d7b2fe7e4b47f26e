"""The automatic checks of apps that are right in ways of their own: no false alarm, and nothing that only seems to pass."""

from __future__ import annotations

import pytest

from tests.data.test_checks import TABLE, names, run
from tests.harness import app_source

#: More operations for the app of `checked`.
OF_ITS_OWN = """
from fastapi import Cookie, Header, Query, Request
from fastapi.security import APIKeyHeader

class Role(enum.Enum):
    ADMIN = "admin"
    CUSTOMER = "customer"

class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    role: Mapped[Role]

class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))

# Only for some users.
async def admin(me: Me) -> User:
    raise HTTPException(403, "Not for you")
Admin = Annotated[User, Depends(admin)]

@app.post("/admin/items")
async def admin_items(data: ItemIn, me: Admin): ...
@app.get("/admin/items/{item_id}")
async def admin_item(item_id: uuid.UUID, me: Admin): ...

# A credential that is no user's.
key = APIKeyHeader(name="X-Partner")
async def partner(given: Annotated[str, Depends(key)]):
    if given != "k1": raise HTTPException(401, "No such partner")
@app.post("/partners/items", dependencies=[Depends(partner)])
async def partner_items(data: ItemIn): ...

# A credential that the document doesn't know.
async def by_hand(request: Request, db: Db):
    return await get_current_user(db, request.headers.get("authorization", "").removeprefix("Bearer "))
@app.post("/by-hand")
async def by_hand_items(data: ItemIn, me: Annotated[User, Depends(by_hand)]): ...

# What a request can't be without.
class Paging(BaseModel):
    size: int = Field(gt=0, lt=10)
@app.post("/needed")
async def needed(data: ItemIn, size: Annotated[int, Query(ge=3)], paging: Annotated[Paging, Query()],
                 x_tenant: Annotated[str, Header(min_length=3)], theme: Annotated[Color, Cookie()]): ...

# Rows of rows.
@app.get("/projects/{project_id}/tasks/{task_id}")
async def task(project_id: int, task_id: int, db: Db):
    found = await db.get(Task, task_id)
    if found is None or found.project_id != project_id: raise HTTPException(404, "No such task")
    project = await db.get(Project, project_id)
    assert project.role is Role.CUSTOMER
    return found.title
async def that_project(project_id: int, db: Db):
    if await db.get(Project, project_id) is None: raise HTTPException(404, "No such project")
@app.put("/projects/{project_id}/tasks/{task_id}/note", dependencies=[Depends(that_project)])
async def note(task_id: int, data: OrderIn, db: Db, me: Me):
    if await db.get(Task, task_id) is None: raise HTTPException(404, "No such task")

# Rows of rows, looked up by what is asked the other way round.
async def own_project(project_id: int, db: Db, me: Me) -> Project:
    found = await db.get(Project, project_id)
    if found is None: raise HTTPException(404, "No such project")
    return found
async def own_task(task_id: int, db: Db, project: Annotated[Project, Depends(own_project)]) -> Task:
    found = await db.get(Task, task_id)
    if found is None or found.project_id != project.id: raise HTTPException(404, "No such task")
    return found
@app.put("/projects/{project_id}/tasks/{task_id}")
async def change_task(data: OrderIn, task: Annotated[Task, Depends(own_task)]): ...

# A path of which nobody knows what it names.
async def by_handle(handle: str):
    raise HTTPException(404, "No such handle")
@app.post("/handles/{handle}", dependencies=[Depends(by_handle)])
async def handle(data: ItemIn): ...

# Everybody may come, and somebody sees more.
anybody = OAuth2PasswordBearer(tokenUrl="login", auto_error=False)
@app.get("/feed")
async def feed(token: Annotated[str | None, Depends(anybody)]): return []

@app.get("/pages/{rest:path}")
async def pages(rest: str): return "a page of the front end"

# Of a user himself.
@app.delete("/users/{user_id}", status_code=204)
async def leave(user_id: int, me: Me):
    if user_id != me.id: raise HTTPException(403, "Not you")
"""


def test_an_app_of_its_own_ways_raises_no_alarm(pytester: pytest.Pytester) -> None:
    """What says something passes; what doesn't is skipped, or listed, with the reason."""
    result = run(pytester, app_source("checked") + OF_ITS_OWN, "-v", "-rs", "-p", "no:randomly")
    assert not names(result, "FAILED"), result.out
    passed = names(result, "PASSED")
    wanted = {
        "POST /admin/items 401 without a credential",
        "POST /partners/items 401 with a malformed credential",
        "POST /by-hand 422 name-missing",
        "POST /needed 422 a body that is no JSON",
        "POST /needed 422 name-too_short",
        "GET /projects/{project_id}/tasks/{task_id} 404 unknown task_id",
        "PUT /projects/{project_id}/tasks/{task_id}/note 422 note-missing",
        "PUT /projects/{project_id}/tasks/{task_id}/note 404 unknown task_id",
        "PUT /projects/{project_id}/tasks/{task_id} 422 note-missing",
        "DELETE /users/{user_id} 404 as another user user_id",
    }
    assert wanted <= set(passed), sorted(wanted - set(passed))
    skipped = names(result, "SKIPPED")
    unsaid = {
        "POST /admin/items 422 name-missing",
        "GET /admin/items/{item_id} 404 unknown item_id",
        "POST /handles/{handle} 422 name-missing",
        "GET /feed 401 without a credential",
    }
    assert unsaid <= set(skipped), sorted(unsaid - set(skipped))
    assert not [one for one in passed + skipped if one.startswith("POST /partners/items 422")]
    assert not [one for one in passed + skipped if one.startswith("GET /pages")]
    result.says(
        "the user who asks may not: 403",
        "what handle names isn't known, so nothing is there: 404",
        "its security scheme lets everybody through (auto_error=False)",
        "it wants APIKeyHeader, and a user's credential is spoken as OAuth2PasswordBearer.",
        "No credential is required by GET /items/{item_id}, GET /colors/{color}, POST /form,",
    )


def test_a_user_who_removes_another_is_found(pytester: pytest.Pytester) -> None:
    """A user's own row is a row that belongs to somebody."""
    app = (app_source("checked") + OF_ITS_OWN).replace("if user_id != me.id", "if user_id < 0")
    result = run(pytester, app, "-v", "-k", "greenroom_checks and users")
    assert "DELETE /users/{user_id} 404 as another user user_id" in names(result, "FAILED")


STRICT = """
[tool.pytest.ini_options]
asyncio_mode = "strict"
"""


def test_a_suite_in_strict_mode_needs_no_marks(pytester: pytest.Pytester) -> None:
    """Its checks don't await, whatever its own tests do; an async user of its own isn't had then."""
    own = "import pytest\n@pytest.mark.asyncio\nasync def test_own(client): pass\n"
    conftest = "import pytest_asyncio\n@pytest_asyncio.fixture\nasync def user(make): return await make(None)\n"
    result = run(
        pytester,
        app_source("checked"),
        "-v",
        table=TABLE + STRICT,
        **{"test_own.py": own, "conftest.py": conftest},
    )
    assert not names(result, "FAILED"), result.out
    assert "POST /items 422 name-missing" in names(result, "PASSED"), result.out


@pytest.mark.parametrize("own", ["async", "blocking"])
def test_the_user_of_a_folder_is_seen(pytester: pytest.Pytester, own: str) -> None:
    """As is what else the conftest.py of the innermost folder of all tests gives."""
    pytester.mkdir("tests")
    conftest = """
import pytest
from main import User

@pytest.fixture
def make():
    return "the project's own"

@pytest.fixture
def user(client, app, db_session):
    return pytest.skip("seen")
"""
    tests = {
        "async": "async def test_own(client): pass\n",
        "blocking": "def test_own(client): pass\n",
    }
    files = {"test_own.py": "", "tests/conftest.py": conftest, "tests/test_it.py": tests[own]}
    result = run(pytester, app_source("checked"), "-v", "-rs", "-k", "items", **files)
    assert not names(result, "FAILED"), result.out
    assert "POST /items 422 name-missing" in names(result, "SKIPPED"), result.out
    result.says("seen")


@pytest.mark.parametrize("params", ["params=[1, 2]", "name='user'"])
def test_a_user_that_cannot_be_had_is_made(pytester: pytest.Pytester, params: str) -> None:
    """One that is parametrized; one that a fixture makes and nobody has awaited yet is had."""
    conftest = f"""
import pytest
from main import User

@pytest.fixture({params})
def user(make, request):
    return make(User)
"""
    result = run(
        pytester, app_source("checked"), "-v", "-rs", "-k", "orders", **{"conftest.py": conftest}
    )
    assert not names(result, "FAILED"), result.out
    assert "GET /orders/{order_id} 404 as another user order_id" in names(result, "PASSED")


SILENT = """
# Its scheme refuses nobody; what reads the token does.
silent = OAuth2PasswordBearer(tokenUrl="login", auto_error=False)
async def reader(token: Annotated[str | None, Depends(silent)]) -> str:
    try:
        return str(jwt.decode(token or "", KEY, ["HS256"])["sub"])
    except jwt.PyJWTError:
        raise HTTPException(401, "Nobody")
@app.get("/mine")
async def mine(sub: Annotated[str, Depends(reader)]) -> str: return sub
"""


def test_a_scheme_that_refuses_nobody_hides_no_forged_token(pytester: pytest.Pytester) -> None:
    """As nobody is refused, a token that somebody else has signed must be, too."""
    app = app_source("checked") + SILENT
    result = run(pytester, app, "-v", "-k", "mine")
    assert "GET /mine 401 with a forged credential" in names(result, "PASSED"), result.out
    assert not names(result, "FAILED")
    blind = app.replace(
        'jwt.decode(token or "", KEY, ["HS256"])',
        'jwt.decode(token or "", options={"verify_signature": False})',
    )
    result = run(pytester, blind, "-v", "-k", "mine")
    assert "GET /mine 401 with a forged credential" in names(result, "FAILED"), result.out
