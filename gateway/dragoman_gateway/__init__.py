"""The gateway: brokers served in every language at once, alone on a port or inside another server.

`make_app` returns the application, `drain` ends it in good order.
"""

from .application import drain, make_app
from .mounts import Mount

__all__ = ["Mount", "drain", "make_app"]
