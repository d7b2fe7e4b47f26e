"""`make`: rows in the test's session, and bodies for its requests."""

from __future__ import annotations

import asyncio
import difflib
import inspect
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.mapped import Mapped

if TYPE_CHECKING:
    from greenroom.data.values import Factories
    from greenroom.runtime.performance import Performance
    from greenroom.runtime.room import Room


#: What a class of users is called.
_USERS = ("User", "Account", "Member", "Customer")


class Workshop:
    """What the makers of all tests of a run share: what is known of classes."""

    def __init__(self) -> None:
        self._mapped: dict[Any, Mapped | None] = {}
        self._factories: Factories | None = None

    def describe(self, kind: Any) -> Mapped | None:
        """What a class says of its rows; None if it isn't mapped."""
        from greenroom.database.describe import describe

        try:
            if kind not in self._mapped:
                self._mapped[kind] = describe(kind)
        except TypeError:  # It can't be hashed, so it is no class.
            return None
        return self._mapped[kind]

    def classes(self) -> dict[type, Mapped]:
        """The project's mapped classes, described; none where SQLAlchemy isn't used."""
        if "sqlalchemy" not in sys.modules:
            return {}
        from greenroom.database.models import mapped_classes

        known = {kind: self.describe(kind) for kind in mapped_classes()}
        return {kind: mapped for kind, mapped in known.items() if mapped is not None}

    def user_class(self) -> type:
        """The project's mapped class of users. Raises GreenroomError if none is called so."""
        from greenroom.database.models import mapped_class

        found = mapped_class(_USERS)
        if found is None:
            raise GreenroomError(
                Code.CALLER,
                f"auth_client needs a user, and no mapped class is called {' or '.join(_USERS)}.",
                "Write a fixture named user, which gives one.",
            )
        return found

    def factories(self) -> Factories:
        """Polyfactory's factories. Raises GreenroomError if it isn't installed."""
        from greenroom.data.values import Factories

        if self._factories is None:
            self._factories = Factories()
        return self._factories


class Make:
    """Makes rows of mapped classes with everything that they need: `make(Order, 5, user=user)`.

    In an async test its calls are awaited, in a `def` test they aren't.

    :param seed: what the values follow from.
    """

    def __init__(self, performance: Performance, room: Room, seed: str) -> None:
        from greenroom.data.values import Values

        self._performance = performance
        self._room = room
        self._workshop = room.workshop
        self._values = Values(seed, self._workshop.factories)
        self._number = 0
        self._undo = ExitStack()

    def __call__(self, kind: Any, count: int | None = None, /, **given: Any) -> Any:
        """A row of a class, or a list of so many; stored, and readable.

        What isn't given and must be there is filled in: unique where it must be, within what types and
        CHECKs allow. A row that it refers to is made once for all of the call. What may be null stays
        null, and what has a default gets that.

        :param kind: a mapped class, or a factory of polyfactory's or factory_boy's.
        :param count: how many; None for one, not in a list.
        :param given: attributes that all of them get.
        :raises GreenroomError: if a row can't be made, with the column and what to pass.
        """
        if count is not None and not _is_number(count):
            raise GreenroomError(
                Code.MAKE,
                f"{count!r} is no number of rows.",
                "make(Order) makes one, make(Order, 5) a list of five.",
            )
        if self._performance.blocking:
            return self._make(self._performance.session(), kind, count, given)
        made = Made(
            f"make({getattr(kind, '__name__', kind)})", lambda: self._later(kind, count, given)
        )
        if sys._getframe(1).f_code.co_flags & inspect.CO_COROUTINE:  # noqa: SLF001 - no other way
            made.expect()
        return made

    def use(self, *factories: Any) -> None:
        """Give factories of polyfactory's or factory_boy's the test's session, until the test is over.

        :raises GreenroomError: if one is no such factory.
        """
        from greenroom.data.factories import bind

        session = self._performance.session()
        held = self._performance.held
        for one in factories:
            self._undo.callback(bind(one, held, session if session is not held else None))

    def payload(self, model: Any, /, **given: Any) -> Any:
        """A valid body of a request.

        :param model: a Pydantic model, or an operation: `"POST /items"`.
        :param given: fields that it's to have.
        :raises GreenroomError: if there is no such operation, it takes no body, or none can be made.
        """
        from greenroom.data import payloads

        self._number += 1
        if self._workshop.describe(model) is not None and not hasattr(model, "model_fields"):
            raise GreenroomError(
                Code.MAKE,
                f"{model.__name__} is a mapped class, which is no body of a request.",
                f"make({model.__name__}) makes a row; make.payload() takes a Pydantic model or an operation.",
            )
        if not isinstance(model, str):
            return payloads.of_model(model, given, self._number)
        route = self._operation(model)
        body = self._room.proof.body_of(route)
        if body is not None and body.model is not None:
            return payloads.of_model(body.model, given, self._number)
        if body is None:
            raise GreenroomError(
                Code.MAKE,
                f"{model} takes no body that is JSON or a form.",
                "Send what it takes: its parameters, or a file.",
            )
        return payloads.of_schema(body.root, body.schema, given, self._number)

    def close(self) -> None:
        """Take the session away from the factories, and give its connection back."""
        self._undo.close()
        self._performance.close()

    async def _later(self, kind: Any, count: int | None, given: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        return await self._performance.in_session(
            lambda session: self._make(session, kind, count, given)
        )

    def _make(self, session: Any, kind: Any, count: int | None, given: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        from greenroom.data.factories import bind, build, is_factory

        with self._room.ledger.apart():
            if is_factory(kind):
                self._undo.callback(bind(kind, session, None))
                made = build(kind, 1 if count is None else count, given)
                _Database(session, self._workshop, None).store(made)
            else:
                made = self._rows(session, kind, 1 if count is None else count, given)
        return made[0] if count is None else made

    def _rows(self, session: Any, kind: Any, count: int, given: dict[str, Any]) -> list[Any]:
        from greenroom.data.rows import Rows

        database = _Database(session, self._workshop, lambda: rows.invented)
        rows = Rows(self._values, database)
        return rows.make(kind, count, given)

    def _operation(self, name: str) -> Any:
        method, _, path = name.partition(" ")
        routes = {str(route.operation): route for route in self._room.proof.operations.routes}
        found = routes.get(f"{method.upper()} {path}")
        if found is None:
            near = difflib.get_close_matches(name, list(routes), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(routes)}."
            raise GreenroomError(Code.MAKE, f"the app has no operation {name!r}.", hint)
        return found


class Made(Coroutine[Any, Any, Any]):
    """What `make` gives an async test: it may be awaited more than once, and is made once.

    A fixture that gives `make(User)` as it is thus gives the same user to all who await it.
    """

    def __init__(self, call: str, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._call = call
        self._make = make
        self._making: Coroutine[Any, Any, Any] | None = None
        self._result: asyncio.Future[Any] | None = None
        self._awaiting: Coroutine[Any, Any, Any] | None = None

    def expect(self) -> None:
        """Have Python warn if nobody awaits it: it was asked for where it could have been awaited.

        A plain fixture that gives it to whoever wants it isn't such a place.
        """
        self._making = self._make()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._once().__await__()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{self._call} has no {name} yet: in an async test it's awaited, row = await {self._call}."
        )

    async def _once(self) -> Any:
        __tracebackhide__ = True
        if self._result is not None:
            return await self._result
        self._result = asyncio.get_running_loop().create_future()
        try:
            value = await (self._making or self._make())
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                self._result.cancel()
            else:
                self._result.set_exception(error)
                self._result.exception()  # It is raised here; whoever else awaits it gets it, too.
            raise
        self._result.set_result(value)
        return value

    # What a task wants of a coroutine.

    def send(self, value: Any) -> Any:
        """Go on."""
        if self._awaiting is None:
            self._awaiting = self._once()
        return self._awaiting.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise there, where it waits."""
        if self._awaiting is None:
            self._awaiting = self._once()
        return self._awaiting.throw(*error)

    def close(self) -> None:
        """Make nothing."""
        for one in (self._awaiting, self._making):
            if one is not None:
                one.close()


def _is_number(count: object) -> bool:
    return isinstance(count, int) and not isinstance(count, bool) and count >= 0


class _Database:
    """The test's session, as making rows sees it."""

    def __init__(
        self, session: Any, workshop: Workshop, invented: Callable[[], dict[str, None]] | None
    ) -> None:
        self._session = session
        self._workshop = workshop
        self._invented = invented

    def describe(self, kind: Any) -> Mapped | None:
        return self._workshop.describe(kind)

    def taken(self, kind: type, name: str) -> set[Any]:
        from greenroom.database import arrange

        return arrange.taken(self._session, kind, name)

    def together(
        self, kind: type, names: tuple[str, ...], fixed: dict[str, Any]
    ) -> set[tuple[Any, ...]]:
        from greenroom.database import arrange

        return arrange.together(self._session, kind, names, fixed)

    def own(self, value: object) -> object:
        from greenroom.database import arrange

        return arrange.own(self._session, value)

    def store(self, made: list[object]) -> None:
        """Have the rows written. Raises GreenroomError with what the database says."""
        __tracebackhide__ = True
        from greenroom.database import arrange

        try:
            arrange.store(self._session, made)
        except Exception as error:
            kinds = ", ".join(dict.fromkeys(type(one).__name__ for one in made))
            invented = ", ".join(self._invented()) if self._invented else ""
            said = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise GreenroomError(
                Code.MAKE,
                f"{kinds} can't be stored as made: {said}",
                f"Filled in was: {invented or 'nothing'}. Pass what has to be something else.",
            ) from error
