"""What a request says of who sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way in which an app wants to be told who asks.

    :param name: its name in the app's OpenAPI document.
    :param kind: `bearer`, `basic`, `header`, `query`, `cookie`, or what else the document says.
    :param parameter: the name of the header, the parameter or the cookie.
    """

    name: str
    kind: str
    parameter: str = "authorization"


@dataclass(frozen=True, slots=True)
class Credential:
    """What goes with each request of a caller.

    :param user: the user himself, where a dependency of the app's is overridden by him.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    user: object = None
