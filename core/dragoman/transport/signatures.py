"""How bytes are signed: by a shared secret, or by a private key.

Secrets come from the credentials on each call. A private key is checked when it is first parsed,
which for RSA takes tens of milliseconds; so the parsed key is kept, with its signature and for as
long as the credential stays the same. The `cryptography` package is loaded when a private key first
signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Protocol

import attrs

from dragoman.credentials import Credentials
from dragoman.errors import ConfigurationError, MissingCredentialsError, MissingDependencyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = [
    "Ed25519",
    "HmacSha256",
    "HmacSha512",
    "RsaSha256",
    "Signature",
    "base64_text",
    "hex_text",
    "revealed",
]


class Signature(Protocol):
    """One way to sign bytes, with a key that it knows where to find."""

    def sign(self, payload: bytes) -> bytes:
        """Return the raw signature of `payload`.

        Raises:
            MissingCredentialsError: The key was not given.
            ConfigurationError: The key can't be used.
        """
        ...


def hex_text(signature: bytes) -> str:
    """Spell a signature in lower-case hexadecimal."""
    return signature.hex()


def base64_text(signature: bytes) -> str:
    """Spell a signature in standard base64, with padding."""
    return base64.b64encode(signature).decode("ascii")


def revealed(credentials: Credentials, name: str) -> str:
    """Return the text of a credential, for use at once.

    Raises:
        MissingCredentialsError: No credential of that name was given.
    """
    if name not in credentials:
        given = ", ".join(credentials.names) or "none"
        raise MissingCredentialsError(
            f"signing needs the credential {name!r}; given: {given}; give it and connect again"
        )
    return credentials[name]


@attrs.frozen
class HmacSha256:
    """HMAC over SHA-256 with the credential `secret_name`."""

    credentials: Credentials
    secret_name: str = "api_secret"  # noqa: S105 - the name of a credential

    def sign(self, payload: bytes) -> bytes:
        """Return the 32 bytes of the code."""
        return hmac.digest(_bytes_of(self.credentials, self.secret_name), payload, hashlib.sha256)


@attrs.frozen
class HmacSha512:
    """HMAC over SHA-512 with the credential `secret_name`."""

    credentials: Credentials
    secret_name: str = "api_secret"  # noqa: S105 - the name of a credential

    def sign(self, payload: bytes) -> bytes:
        """Return the 64 bytes of the code."""
        return hmac.digest(_bytes_of(self.credentials, self.secret_name), payload, hashlib.sha512)


class _ParsedKey:
    """The private key that was last parsed, and a hash of what it was parsed from."""

    __slots__ = ("_digest", "_key")

    def __init__(self) -> None:
        self._digest = b""
        self._key: PrivateKeyTypes | None = None

    def read(
        self, credentials: Credentials, name: str, passphrase_name: str | None
    ) -> PrivateKeyTypes:
        """Return the key that the credentials hold now, parsed anew only if they changed."""
        text = _bytes_of(credentials, name)
        passphrase = _bytes_of(credentials, passphrase_name) if passphrase_name else None
        digest = hashlib.sha256(text).digest() + hashlib.sha256(passphrase or b"").digest()
        if self._key is None or digest != self._digest:
            self._key = _private_key(name, text, passphrase)
            self._digest = digest
        return self._key


@attrs.frozen
class Ed25519:
    """Ed25519 with the private key in PEM (PKCS #8) that is the credential `key_name`.

    `passphrase_name` names the credential that opens an encrypted key.
    """

    credentials: Credentials
    key_name: str = "private_key"
    passphrase_name: str | None = None
    _parsed: _ParsedKey = attrs.field(factory=_ParsedKey, init=False, repr=False, eq=False)

    def sign(self, payload: bytes) -> bytes:
        """Return the 64 bytes of the signature; the same for the same payload."""
        key = self._parsed.read(self.credentials, self.key_name, self.passphrase_name)
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - optional

        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise _unfit(self.key_name, "Ed25519", type(key).__name__)
        return key.sign(payload)


@attrs.frozen
class RsaSha256:
    """RSA with SHA-256 and PKCS #1 v1.5 padding, with the key in PEM that is `key_name`.

    `passphrase_name` names the credential that opens an encrypted key.
    """

    credentials: Credentials
    key_name: str = "private_key"
    passphrase_name: str | None = None
    _parsed: _ParsedKey = attrs.field(factory=_ParsedKey, init=False, repr=False, eq=False)

    def sign(self, payload: bytes) -> bytes:
        """Return the signature, as long as the key; the same for the same payload."""
        key = self._parsed.read(self.credentials, self.key_name, self.passphrase_name)
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

        if not isinstance(key, rsa.RSAPrivateKey):
            raise _unfit(self.key_name, "RSA", type(key).__name__)
        return key.sign(payload, padding.PKCS1v15(), hashes.SHA256())


def _bytes_of(credentials: Credentials, name: str) -> bytes:
    # What UTF-8 can't encode passes too: the error for it would hold the whole secret.
    return revealed(credentials, name).encode(errors="surrogatepass")


def _private_key(name: str, text: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - optional
    except ImportError:
        raise MissingDependencyError(
            "signing with a private key needs the package cryptography, which is not installed; "
            "run: pip install 'dragoman[signing]'"
        ) from None
    try:
        return serialization.load_pem_private_key(text, passphrase)
    except Exception as error:  # noqa: BLE001 - the package documents no closed set of errors
        cause = type(error).__name__
    raise ConfigurationError(
        f"the credential {name!r} can't be read as a private key ({cause}); "
        "give it in PEM (PKCS #8), with its passphrase if it is encrypted"
    )


def _unfit(name: str, wanted: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"signing needs an {wanted} key; the credential {name!r} is an {found}; "
        "give a key of the kind that is registered with the venue"
    )
