"""The library's response, which knows whether somebody has looked at it."""

from __future__ import annotations

import copyreg
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any


def armed(response: Any, looked: Callable[[], None] | None = None) -> Any:
    """From now on, a look at the response is the test's own; until now it was the library's.

    :param looked: called at the first look; what the response itself brings by default.
    """
    for one in (*response.history, response):
        given = vars(one).pop("when_looked_at", None)
        if given is not None:
            one.looked = given
    if looked is not None:
        response.looked = looked
    return response


@cache
def response_class(library: ModuleType) -> Any:  # noqa: C901 - many small methods
    """A response that tells of a look at its status or its body.

    It may also build its request when somebody asks for it: by `request_made_by`.
    """

    class WatchedResponse(library.Response):  # type: ignore[misc,name-defined]
        looked: Callable[[], None] | None = None
        request_made_by: Callable[[], Any] | None = None

        @property
        def status_code(self) -> int:
            self._look()
            known: int = self.__dict__["status_code"]
            return known

        @status_code.setter
        def status_code(self, value: int) -> None:
            self.__dict__["status_code"] = value

        @property
        def content(self) -> bytes:
            self._look()
            return super().content  # type: ignore[no-any-return]

        def read(self) -> bytes:
            self._look()
            return super().read()  # type: ignore[no-any-return]

        async def aread(self) -> bytes:
            self._look()
            return await super().aread()  # type: ignore[no-any-return]

        def iter_bytes(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
            self._look()
            return super().iter_bytes(*arguments, **options)  # type: ignore[no-any-return]

        def iter_raw(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
            self._look()
            return super().iter_raw(*arguments, **options)  # type: ignore[no-any-return]

        def aiter_bytes(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
            self._look()
            return super().aiter_bytes(*arguments, **options)  # type: ignore[no-any-return]

        def aiter_raw(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
            self._look()
            return super().aiter_raw(*arguments, **options)  # type: ignore[no-any-return]

        def __reduce_ex__(self, protocol: Any) -> Any:
            # A copy is the library's own response: it tells of nothing.
            request = self._request
            state: dict[str, Any] = dict(super().__getstate__())
            for name in ("looked", "when_looked_at", "request_made_by", "own_request"):
                state.pop(name, None)
            made = (library.Response, object, None)
            return copyreg._reconstructor, made, {**state, "_request": request}  # type: ignore[attr-defined]  # noqa: SLF001

        def _look(self) -> None:
            looked = self.looked
            if looked is not None:
                self.looked = None
                looked()

        @property
        def _request(self) -> Any:
            made = self.__dict__.get("own_request")
            if made is None and self.request_made_by is not None:
                made = self.__dict__["own_request"] = self.request_made_by()
            return made

        @_request.setter
        def _request(self, value: Any) -> None:
            self.__dict__["own_request"] = value

    WatchedResponse.__name__ = WatchedResponse.__qualname__ = "Response"
    return WatchedResponse
