"""A bigger app for the plan: routers in routers, a mounted app, WebSockets, security, handlers of its own."""

import enum
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import (
    APIRouter,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
    WebSocketException,
    status,
)
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.security import (
    APIKeyHeader,
    HTTPBasic,
    HTTPBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    SecurityScopes,
)
from pydantic import BaseModel
from sqlalchemy import ForeignKey, UniqueConstraint, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool
from starlette.routing import Route

engine = create_engine(
    "sqlite:///./books.db", connect_args={"check_same_thread": False}, poolclass=StaticPool
)
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))


class Vote(Base):
    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("book_id", "voter"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int]
    voter: Mapped[str]


class Genre(enum.Enum):
    CRIME = "crime"
    POETRY = "poetry"


class BookIn(BaseModel):
    isbn: str
    title: str


class BookOut(BaseModel):
    id: int
    isbn: str
    title: str


class Problem(BaseModel):
    detail: str


class ShopError(Exception):
    status_code = 418


class OutOfStockError(ShopError):
    status_code = 410


class SoldError(ShopError):
    pass


class LockedError(HTTPException):
    def __init__(self, what: str) -> None:
        super().__init__(status_code=423, detail=what)


class UnknownError(Exception):
    """Nobody handles it."""


def db() -> AsyncIterator[Session]:
    with SessionLocal() as session:
        yield session


Db = Annotated[Session, Depends(db)]
oauth2 = OAuth2PasswordBearer(tokenUrl="/auth/token", scopes={"admin": "everything"})
optional = HTTPBearer(auto_error=False)


def current_user(token: Annotated[str, Depends(oauth2)]) -> str:
    wrong = HTTPException(status.HTTP_401_UNAUTHORIZED, "That is no token.")
    if token == "wrong":
        raise wrong
    return token


def admin(scopes: SecurityScopes, user: Annotated[str, Depends(current_user)]) -> str:
    if user != "admin":
        raise HTTPException(403, "Admins only.")
    return user


def tenant(x_tenant: Annotated[str, Header()]) -> str:
    return x_tenant


class Shelf:
    """A service, with a session of its own."""

    def __init__(self, session: Db) -> None:
        self.session = session

    def find(self, book_id: int) -> Book:
        found = self.session.get(Book, book_id)
        if found is None:
            raise HTTPException(status_code=404, detail="There is no such book.")
        return found

    def take(self, book_id: int) -> Book:
        book = self.find(book_id)
        if book.title == "sold out":
            raise OutOfStockError
        return book

    def try_to_take(self, book_id: int) -> Book | None:
        try:
            return self.take(book_id)
        except ShopError:
            return None


class Counter:
    """A class of services that others hold."""

    def __init__(self, shelf: Annotated[Shelf, Depends()]) -> None:
        self.shelf = shelf

    def sell(self, book_id: int) -> Book:
        book = self.shelf.take(book_id)
        refuse(book)
        return book


def refuse(book: Book) -> None:
    if book.title == "locked":
        raise LockedError("locked")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    Base.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(ShopError)
async def shop_error(request: Request, error: ShopError) -> JSONResponse:
    return JSONResponse({"detail": "shop"}, status_code=error.status_code)


@app.exception_handler(SoldError)
async def sold(request: Request, error: SoldError) -> JSONResponse:
    return JSONResponse({"detail": "sold"}, 409)


# -- the app's own -----------------------------------------------------------------------------------


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/", include_in_schema=False)
async def home() -> RedirectResponse:
    return RedirectResponse("/health")


@app.get("/old", response_class=RedirectResponse, status_code=308)
async def old() -> str:
    return "/health"


@app.get("/page", response_class=HTMLResponse)
async def page() -> str:
    return "<p>books</p>"


@app.get("/robots.txt", include_in_schema=False)
async def robots() -> PlainTextResponse:
    return PlainTextResponse("")


@app.get("/anything", response_model=None)
async def anything(as_text: bool = False) -> Response | dict[str, str]:
    return PlainTextResponse("x") if as_text else {"x": "y"}


@app.get("/search")
async def search(q: str = "", tag: str | None = None) -> list[str]:
    return [q, tag or ""]


@app.get("/search/strict")
async def search_strict(q: str) -> list[str]:
    return [q]


@app.get("/search/paged")
async def search_paged(page: Annotated[int, Query(ge=1)] = 1) -> list[int]:
    return [page]


@app.get("/genres/{genre}")
async def read_genre(genre: Genre) -> str:
    return genre.value


@app.get("/formats/{kind}")
async def read_format(kind: Literal["epub", "pdf"]) -> str:
    return kind


@app.get("/files/{path:path}")
async def read_file(path: str) -> str:
    return path


@app.get("/sessions/me")
async def session_of_cookie(sid: Annotated[str, Cookie()]) -> str:
    return sid


@app.api_route("/ping", methods=["GET", "HEAD"])
async def ping() -> str:
    return "pong"


@app.api_route("/both", methods=["GET", "POST"])
async def both() -> str:
    return "both"


@app.get("/broken")
async def broken() -> str:
    raise UnknownError


@app.get("/computed/{code}")
async def computed(code: int) -> str:
    raise HTTPException(code, "told by the caller")


# -- books -------------------------------------------------------------------------------------------

books = APIRouter(prefix="/books", tags=["books"])


@books.get("", response_model=list[BookOut])
def list_books(session: Db) -> list[Book]:
    return list(session.scalars(select(Book)))


@books.post("", response_model=BookOut, status_code=201)
def create_book(data: BookIn, session: Db) -> Book:
    book = Book(**data.model_dump())
    session.add(book)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(status.HTTP_409_CONFLICT, "There is such a book.") from None
    return book


@books.get("/{book_id}", response_model=BookOut)
def read_book(book_id: int, shelf: Annotated[Shelf, Depends()]) -> Book:
    return shelf.find(book_id)


@books.patch("/{book_id}/title", response_model=BookOut)
def rename_book(book_id: int, title: str, shelf: Annotated[Shelf, Depends()]) -> Book:
    book = shelf.find(book_id)
    book.title = title
    return book


@books.patch("/{book_id}/isbn", response_model=BookOut)
def renumber_book(book_id: int, isbn: str, shelf: Annotated[Shelf, Depends()]) -> Book:
    book = shelf.find(book_id)
    book.isbn = isbn
    return book


@books.put("/{book_id}", response_model=BookOut)
def replace_book(book_id: int, data: BookIn, shelf: Annotated[Shelf, Depends()]) -> Book:
    book = shelf.find(book_id)
    for name, value in data.model_dump().items():
        setattr(book, name, value)
    return book


@books.delete("/{book_id}", status_code=204)
def delete_book(book_id: int, shelf: Annotated[Shelf, Depends()], session: Db) -> None:
    session.delete(shelf.find(book_id))
    session.commit()


@books.post("/{book_id}/sale", responses={404: {"model": Problem}, 409: {"model": Problem}})
def sell_book(book_id: int, counter: Annotated[Counter, Depends()]) -> str:
    return counter.sell(book_id).title


@books.post("/{book_id}/reservation")
def reserve_book(book_id: int, shelf: Annotated[Shelf, Depends()]) -> bool:
    return shelf.try_to_take(book_id) is not None


@books.post("/{book_id}/votes", status_code=201)
def vote(book_id: int, voter: Annotated[str, Form()], session: Db) -> int:
    session.add(Vote(book_id=book_id, voter=voter))
    session.commit()
    return book_id


@books.post("/{book_id}/lot")
def raffle(book_id: int) -> None:
    if book_id > 1:
        raise SoldError


@books.post("/{book_id}/cover")
async def upload_cover(book_id: int, file: Annotated[UploadFile, File()]) -> int:
    return len(await file.read())


@books.get("/{book_id}/cover", response_class=FileResponse)
def read_cover(book_id: int) -> str:
    return __file__


@books.get("/{book_id}/text", response_class=StreamingResponse)
def stream_text(book_id: int) -> StreamingResponse:
    return StreamingResponse(iter(["a", "b"]))


app.include_router(books)

# -- people ------------------------------------------------------------------------------------------

authors = APIRouter(prefix="/authors", dependencies=[Depends(tenant)])


@authors.post("")
def create_author(name: Annotated[str, Form(min_length=1)], session: Db) -> int:
    author = Author(name=name)
    session.add(author)
    session.commit()
    return author.id


@authors.get("/{name}")
def read_author(name: str) -> str:
    return name


auth = APIRouter(prefix="/auth")


@auth.post("/token")
def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    if form.password != "right":
        raise HTTPException(400, "Wrong name or password.", {"WWW-Authenticate": "Bearer"})
    return {"access_token": form.username, "token_type": "bearer"}


@auth.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user


@auth.get("/guest")
def guest(token: Annotated[object, Depends(optional)]) -> bool:
    return token is not None


@auth.get("/key")
def by_key(key: Annotated[str, Depends(APIKeyHeader(name="X-Key"))]) -> str:
    return key


@auth.get("/basic")
def by_password(who: Annotated[object, Depends(HTTPBasic())]) -> bool:
    return True


@auth.post("/logout", status_code=204)
def log_out(response: Response, user: Annotated[str, Depends(current_user)]) -> None:
    response.delete_cookie("sid")


admins = APIRouter(prefix="/admin", dependencies=[Security(admin, scopes=["admin"])])


@admins.get("/report")
def admin_report() -> str:
    return "report"


@admins.post("/reindex", status_code=202)
def reindex(response: Response, now: bool = False) -> str:
    if now:
        response.status_code = 200
    return "started"


@admins.delete(
    "/books", status_code=204, openapi_extra={"x-greenroom-drop": {"403": "tried by hand"}}
)
def purge() -> None: ...


people = APIRouter(prefix="/v1")
people.include_router(authors)
people.include_router(auth)
people.include_router(admins)
app.include_router(people)

# -- sockets -----------------------------------------------------------------------------------------


@app.websocket("/ws/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())


@app.websocket("/ws/private")
async def private(socket: WebSocket, token: str = "") -> None:
    if token != "right":
        raise WebSocketException(code=1008)
    await socket.accept()
    await socket.close()


# -- a mounted app, and one of Starlette's own ---------------------------------------------------------

sub = FastAPI(title="Stock")


@sub.get("/stock/{book_id}")
def stock(book_id: int) -> int:
    if book_id > 1:
        raise HTTPException(404)
    return 1


@sub.post("/stock/{book_id}")
def fill(book_id: int, count: int) -> int:
    return count


app.mount("/warehouse", sub)


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse("plain")


app.router.routes.append(Route("/plain", plain))
