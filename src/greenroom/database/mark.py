"""What greenroom writes on a database that it made, so that it touches no other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

#: The kind of those that somebody else has made, and greenroom may use.
ADOPTED = "adopted"
#: After so many seconds without use, a template is dropped.
LONGEST_REST = 14 * 24 * 3600
#: How old, in seconds, the note of a last use may get before it is written again.
FRESH_ENOUGH = 24 * 3600


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one database.

    :param kind: template, test, clone, kept or adopted.
    :param project: the folder of the project that it was made for.
    :param fingerprint: of what its tables were made from.
    :param complete: whether the tables are all there, and no test's rows.
    :param used: when it was made or last used, in seconds since 1970.
    :param run: the run that made it.
    """

    kind: str
    project: str = ""
    fingerprint: str = ""
    complete: bool = False
    used: float = 0.0
    run: str = ""

    def text(self) -> str:
        """As it is written."""
        return json.dumps({"greenroom": asdict(self)})

    @staticmethod
    def read(text: str | None) -> Mark | None:
        """The mark in a text; None if there is none."""
        try:
            return Mark(**json.loads(text or "")["greenroom"])
        except (ValueError, TypeError, KeyError):
            return None
