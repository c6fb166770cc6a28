"""Faults on real sockets: a proxy that breaks what passes through it, as a plan says."""

from __future__ import annotations

from .proxy import ChaosProxy
from .replies import Reply
from .toxics import FrameFault, FrameToxic, HttpFault, HttpToxic, Trap

__all__ = [
    "ChaosProxy",
    "FrameFault",
    "FrameToxic",
    "HttpFault",
    "HttpToxic",
    "Reply",
    "Trap",
]
