"""TLS as it must be towards money: verified, of a version without known holes, never logged.

Verification can't be switched off, neither by argument nor by environment. The standard library's
default context is not used because it would write session keys to the file `SSLKEYLOGFILE` names.
"""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_context", "default_context", "make_context"]


def make_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, or those of one PEM file only.

    Raises:
        ConfigurationError: The file can't be read or holds no certificate (NOT_SENT).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        name = type(error).__name__
        raise ConfigurationError(f"{ca_file} can't be used as authorities ({name})") from None
    return context


@functools.cache
def default_context() -> ssl.SSLContext:
    """Return the one context of the process that trusts the system's authorities.

    Reading those takes tens of milliseconds, during which no event loop turns; nobody changes it.
    """
    return make_context()


def check_context(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return a context made elsewhere if it verifies as strictly as ours.

    Raises:
        ConfigurationError: It does not check certificate or host name, allows versions below
            TLS 1.2, or logs its keys (NOT_SENT).
    """
    problems = {
        "verify certificates": context.verify_mode is not ssl.CERT_REQUIRED,
        "check host names": not context.check_hostname,
        "refuse versions below TLS 1.2": context.minimum_version
        not in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
        "keep its keys to itself": bool(context.keylog_filename),
    }
    wrong = [what for what, is_wrong in problems.items() if is_wrong]
    if wrong:
        raise ConfigurationError(f"the TLS context is refused: it must {' and '.join(wrong)}")
    return context
