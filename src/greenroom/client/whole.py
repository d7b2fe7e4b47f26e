"""Responses whose body is there in one piece: reading them needn't go the way that a stream goes."""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any

#: What reading a whole body that isn't encoded comes to, beside the body itself.
_READ = MappingProxyType({"is_closed": True, "is_stream_consumed": True})


def read(library: ModuleType, response: Any, names: Container[bytes], body: bytes) -> bool:
    """Take a body as read, if reading it would come to nothing else.

    :param names: those of the response's headers, in lower case.
    :returns: whether that was possible; else the response is as it was.
    """
    if b"content-encoding" in names or not _reads_so(library):
        return False
    vars(response).update(_READ, _content=body, _num_bytes_downloaded=len(body))
    return True


@cache
def _reads_so(library: ModuleType) -> bool:
    """Whether the library's way to read comes to what is known of it; a later one may differ."""
    body = b"greenroom"
    response = library.Response(200, stream=library.ByteStream(body))
    before = dict(vars(response))
    response.read()
    changed = {name: value for name, value in vars(response).items() if before.get(name) != value}
    changed.pop("_decoder", None)
    return changed == {**_READ, "_content": body, "_num_bytes_downloaded": len(body)}
