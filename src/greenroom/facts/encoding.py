"""Bodies that were sent encoded."""

from __future__ import annotations

import zlib

#: gzip's header or zlib's, whichever is there.
_EITHER = 32 + zlib.MAX_WBITS


def decoded(body: bytes, encoding: str) -> bytes | None:
    """A body as it was before it was encoded; None if that can't be undone here.

    :param encoding: the header `content-encoding`; empty if there is none.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in {"gzip", "x-gzip", "deflate"}:
        return None
    try:
        return zlib.decompress(body, _EITHER)
    except zlib.error:
        return None
