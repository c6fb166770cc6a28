"""Faults on real sockets: a proxy that breaks what passes through it, as a plan says."""

from __future__ import annotations

from .log import Ending, FrameKind, Origin, SeenExchange, SeenFrame
from .proxy import ChaosProxy
from .replies import Reply
from .toxics import FrameFault, FrameToxic, HttpFault, HttpToxic, Trap

__all__ = [
    "ChaosProxy",
    "Ending",
    "FrameFault",
    "FrameKind",
    "FrameToxic",
    "HttpFault",
    "HttpToxic",
    "Origin",
    "Reply",
    "SeenExchange",
    "SeenFrame",
    "Trap",
]
