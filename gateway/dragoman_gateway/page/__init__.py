"""The page to look at: what the gateway serves at `/` for people, over the native protocol.

It is files and headers, nothing more: whatever it shows, it asks of the native protocol like any
other client, with the key that its user types in.
"""

from .routes import add_page

__all__ = ["add_page"]
