"""Somebody else starts the app: the suite's own `with TestClient(app)`.

One app object can't be started twice at once: what its start-up keeps on `app.state` or in a global
would be overwritten by the second, and closed under the first.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any


def watch(app: object, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
    """See when Starlette's test client starts and stops an app; what ends the watch.

    :param begins: called before it starts it.
    :param ends: called when it has stopped it.
    """
    module: Any = sys.modules.get("starlette.testclient")
    if module is None:
        return lambda: None
    kind = module.TestClient
    enter, leave = kind.__enter__, kind.__exit__

    @functools.wraps(enter)
    def __enter__(self: Any) -> Any:  # noqa: N807 - it takes the place of that one
        if self.app is app:
            begins()
        try:
            return enter(self)
        except BaseException:
            if self.app is app:
                ends()
            raise

    @functools.wraps(leave)
    def __exit__(self: Any, *error: object) -> Any:  # noqa: N807
        try:
            return leave(self, *error)
        finally:
            if self.app is app:
                ends()

    kind.__enter__, kind.__exit__ = __enter__, __exit__

    def end() -> None:
        kind.__enter__, kind.__exit__ = enter, leave

    return end
