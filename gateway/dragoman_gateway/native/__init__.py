"""Brokers served in this library's own words: REST and a WebSocket for any language."""

from .dialect import NativeDialect

__all__ = ["NativeDialect"]
