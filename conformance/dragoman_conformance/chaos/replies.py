"""Answers that a venue did not give: what gateways, thieves and broken servers say."""

from __future__ import annotations

import functools
import gzip
import zlib
from typing import Final, Self

import attrs

__all__ = ["Reply", "gzip_bomb"]

_ORDER: Final = b'{"client_order_id": "another", "order_id": "another", "status": "open"}'


@attrs.frozen(kw_only=True)
class Reply:
    """One whole response; its length is told unless a header of it tells another."""

    status: int
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    body: bytes = attrs.field(default=b"{}", repr=False)

    def encode(self) -> bytes:
        """Return the bytes that stand on the wire."""
        names = {name.lower() for name, _ in self.headers}
        length = () if "content-length" in names else (("Content-Length", str(len(self.body))),)
        lines = [f"{name}: {value}\r\n" for name, value in (*self.headers, *length)]
        head = f"HTTP/1.1 {self.status} Reply\r\n{''.join(lines)}\r\n"
        return head.encode("latin-1") + self.body

    @classmethod
    def busy(cls, status: int, retry_after: str | None = None) -> Self:
        """Return a refusal such as 429, 418 or 503, with the time to wait where one is given."""
        wait = () if retry_after is None else (("Retry-After", retry_after),)
        headers = (("Content-Type", "application/json"), *wait)
        return cls(status=status, headers=headers, body=b'{"error": "busy"}')

    @classmethod
    def redirect(cls, status: int, location: str) -> Self:
        """Return a redirect to another origin."""
        return cls(status=status, headers=(("Location", location),), body=b"")

    @classmethod
    def html(cls, status: int = 200) -> Self:
        """Return what a maintenance page looks like."""
        headers = (("Content-Type", "text/html; charset=utf-8"),)
        return cls(status=status, headers=headers, body=b"<html><body>Back soon</body></html>")

    @classmethod
    def json(cls, body: bytes, status: int = 200) -> Self:
        """Return a body that claims to be JSON."""
        return cls(status=status, body=body)

    @classmethod
    def other_order(cls) -> Self:
        """Return the acknowledgment of an order that nobody asked about."""
        return cls(status=200, body=_ORDER)

    @classmethod
    def truncated_gzip(cls) -> Self:
        """Return a compressed body that ends too early, of the length it claims."""
        whole = gzip.compress(_ORDER * 20, mtime=0)
        return cls(status=200, headers=_GZIPPED, body=whole[: len(whole) // 2])

    @classmethod
    def bomb(cls, inflated_bytes: int) -> Self:
        """Return a small body that inflates to `inflated_bytes`."""
        return cls(status=200, headers=_GZIPPED, body=gzip_bomb(inflated_bytes))


_GZIPPED: Final = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))


@functools.cache
def gzip_bomb(inflated_bytes: int) -> bytes:
    """Return gzip bytes, about a thousandth as many, that inflate to so many spaces."""
    packer = zlib.compressobj(9, wbits=31)
    piece = b" " * 1_000_000
    packed = [packer.compress(piece) for _ in range(inflated_bytes // len(piece))]
    packed.append(packer.compress(piece[: inflated_bytes % len(piece)]))
    return b"".join([*packed, packer.flush()])
