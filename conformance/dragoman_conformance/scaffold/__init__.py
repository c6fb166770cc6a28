"""A folder for an adapter of one's own: it installs, reads, and does not trade yet."""

from __future__ import annotations

from .making import create, hint

__all__ = ["create", "hint"]
