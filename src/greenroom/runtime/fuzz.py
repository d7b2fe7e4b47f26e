"""schemathesis' cases, sent by greenroom's client, and judged by what FastAPI means."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from greenroom.facts.errors import Code, GreenroomError

#: What is checked of each answer. Not among them, since FastAPI's own behaviour breaks them: `status_code_conformance`
#: and `positive_data_acceptance` (statuses of HTTPException aren't in its OpenAPI, and an id that is made up is a
#: 404), `negative_data_rejection` (Pydantic reads "1" as a number), `unsupported_method` and
#: `missing_required_header` (which are answered by 405 and 422 where a schema has neither).
CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "content_type_conformance",
    "response_headers_conformance",
)
#: What the client says by itself.
_FRAMING = ("content-length", "transfer-encoding")


class Fuzz:
    """Sends a case of schemathesis' by a client of the test, and checks the answer.

    :param client: a blocking one.
    """

    def __init__(self, client: Any) -> None:
        if importlib.util.find_spec("schemathesis") is None:
            raise GreenroomError(
                Code.EXTRA,
                "fuzz needs schemathesis, which isn't installed.",
                "pip install greenroom[fuzz]",
            )
        self._client = client

    def __call__(self, case: Any, *, client: Any = None) -> Any:
        """Send it, and check the answer; the answer.

        :param client: who asks; None is nobody.
        :raises Exception: schemathesis' own, with what is wrong.
        """
        __tracebackhide__ = True
        chosen = self._client if client is None else client
        chosen.raise_app_exceptions = False
        # requests, which schemathesis speaks, writes the request; the client sends what it has written.
        requests: Any = importlib.import_module("requests")
        told = case.as_transport_kwargs(base_url="http://testserver")
        words = ("method", "url", "params", "json", "data", "files", "cookies", "headers", "auth")
        written = requests.Request(**{word: told[word] for word in words if word in told}).prepare()
        credential = getattr(chosen, "credential", None)
        said = {*_FRAMING, *(credential.headers if credential is not None else ())}
        headers = {
            name: value for name, value in written.headers.items() if name.lower() not in said
        }
        body = written.body if written.body is not None else b""
        response = chosen.request(
            written.method, written.url, headers=headers, content=body, follow_redirects=False
        )
        checks = importlib.import_module("schemathesis.checks")
        checks.load_all_checks()
        wanted = [checks.CHECKS.get_one(name) for name in CHECKS]
        case.validate_response(response, checks=wanted)
        return response
