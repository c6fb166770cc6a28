"""The server's side of TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from dragoman.errors import ConfigurationError

from .private_file import read_private

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server_context"]


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what a port speaks TLS with: version 1.2 or later.

    Raises:
        ConfigurationError: A file can't be used, or others can read the key (NOT_SENT).
    """
    read_private(key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{certificate} and {key} can't be used for TLS: {type(error).__name__}"
        ) from None
    return context


def _no_password() -> str:
    """Fail, where the library would ask on the terminal of a process that has none."""
    raise ValueError("the key is encrypted")
