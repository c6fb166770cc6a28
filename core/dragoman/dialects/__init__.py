"""Foreign languages served to foreign clients: what a dialect is, and what a host gives it.

A dialect is written against `Dialect` and `DialectHost`; `SimpleHost` serves one of them on
loopback.
"""

from .access import Access, AccessKey, HashedKey, Scope
from .dialect import Dialect
from .host import DialectHost
from .identity import Identity, IdentityMap, MemoryIdentities
from .limits import HostLimits
from .simple import SimpleHost
from .sockets import ClientSocket

__all__ = [
    "Access",
    "AccessKey",
    "ClientSocket",
    "Dialect",
    "DialectHost",
    "HashedKey",
    "HostLimits",
    "Identity",
    "IdentityMap",
    "MemoryIdentities",
    "Scope",
    "SimpleHost",
]
