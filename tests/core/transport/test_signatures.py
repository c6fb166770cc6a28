import pickle
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from dragoman.credentials import Credentials, Secret
from dragoman.errors import (
    ConfigurationError,
    MissingCredentialsError,
    MissingDependencyError,
    Outcome,
)
from dragoman.transport.signatures import (
    Ed25519,
    HmacSha256,
    HmacSha512,
    RsaSha256,
    base64_text,
    hex_text,
)

SPOT = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
FUTURES = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
TERMS = "&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp="
# Printed in Binance's API documentation (spot "Request security", futures "General info").
PUBLISHED = [
    pytest.param(
        SPOT,
        f"symbol=LTCBTC{TERMS}1499827319559",
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        id="spot",
    ),
    pytest.param(
        SPOT,
        f"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96{TERMS}1499827319559",
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        id="spot, not ASCII",
    ),
    pytest.param(
        FUTURES,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
        "&timestamp=1591702613943",
        "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
        id="futures",
    ),
    pytest.param(
        FUTURES,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTCquantity=1&price=9000&recvWindow=5000"
        "&timestamp=1591702613943",
        "30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4",
        id="futures, query and body joined by nothing",
    ),
]
# RFC 8032, section 7.1: seed, message, signature.
ED25519_VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
            "46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
            "d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


def pem(key, passphrase=None):
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return key.private_bytes(*form).decode()


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(("secret", "payload", "proof"), PUBLISHED)
def test_hmac_sha256_gives_what_the_venue_publishes(secret, payload, proof):
    signature = HmacSha256(Credentials({"api_secret": secret}))

    assert proof == hex_text(signature.sign(payload.encode()))


def test_hmac_sha512_gives_what_rfc_4231_publishes():
    signature = HmacSha512(Credentials({"key": "Jefe"}), "key")

    proof = hex_text(signature.sign(b"what do ya want for nothing?"))

    assert proof.startswith("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554")
    assert 128 == len(proof)


@pytest.mark.parametrize(("seed", "message", "proof"), ED25519_VECTORS)
def test_ed25519_gives_what_rfc_8032_publishes(seed, message, proof):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    signature = Ed25519(Credentials({"private_key": pem(key)}))

    assert proof == signature.sign(bytes.fromhex(message)).hex()


def test_rsa_signs_with_sha256_and_pkcs1_padding(rsa_key):
    signature = RsaSha256(Credentials({"private_key": pem(rsa_key)}))

    proof = signature.sign(b"payload")

    rsa_key.public_key().verify(proof, b"payload", padding.PKCS1v15(), hashes.SHA256())
    assert proof == signature.sign(b"payload")


def test_a_key_that_changes_is_used_at_once():
    keys = [ed25519.Ed25519PrivateKey.generate() for _ in range(2)]
    credentials = Credentials({"private_key": pem(keys[0])})
    signature = Ed25519(credentials)
    proofs = [signature.sign(b"x"), signature.sign(b"x")]

    credentials._secrets["private_key"] = Secret(pem(keys[1]))
    proofs.append(signature.sign(b"x"))

    assert [keys[index].sign(b"x") for index in (0, 0, 1)] == proofs


def test_an_encrypted_key_is_opened_with_its_passphrase(rsa_key):
    secrets = {"private_key": pem(rsa_key, b"canary"), "passphrase": "canary"}

    proof = RsaSha256(Credentials(secrets), passphrase_name="passphrase").sign(b"x")

    assert RsaSha256(Credentials({"private_key": pem(rsa_key)})).sign(b"x") == proof


def test_a_key_of_another_kind_is_refused(rsa_key):
    curve = pem(ed25519.Ed25519PrivateKey.generate())

    with pytest.raises(ConfigurationError, match="needs an Ed25519 key"):
        Ed25519(Credentials({"private_key": pem(rsa_key)})).sign(b"")
    with pytest.raises(ConfigurationError, match="needs an RSA key"):
        RsaSha256(Credentials({"private_key": curve})).sign(b"")


@pytest.mark.parametrize("kind", [Ed25519, RsaSha256])
@pytest.mark.parametrize("text", ["", "canary", "-----BEGIN canary-----", "canary\ud800"])
def test_a_key_that_can_not_be_read_is_not_shown(kind, text):
    with pytest.raises(ConfigurationError, match="'private_key' can't be read") as caught:
        kind(Credentials({"private_key": text})).sign(b"")

    assert "canary" not in str(caught.value)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_an_encrypted_key_without_its_passphrase_is_refused(rsa_key):
    credentials = Credentials({"private_key": pem(rsa_key, b"canary")})

    with pytest.raises(ConfigurationError, match="with its passphrase"):
        RsaSha256(credentials).sign(b"")


@pytest.mark.parametrize("kind", [HmacSha256, HmacSha512, Ed25519, RsaSha256])
def test_a_missing_key_is_named_among_those_given(kind):
    with pytest.raises(MissingCredentialsError, match=r"'absent'; given: api_key;") as caught:
        kind(Credentials({"api_key": "canary"}), "absent").sign(b"")

    assert Outcome.NOT_SENT is caught.value.outcome
    assert "canary" not in str(caught.value)


def test_nothing_given_is_said_so():
    with pytest.raises(MissingCredentialsError, match="given: none"):
        HmacSha256(Credentials()).sign(b"")


def test_without_the_package_the_error_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)

    with pytest.raises(MissingDependencyError, match=r"pip install 'dragoman\[signing\]'"):
        Ed25519(Credentials({"private_key": "x"})).sign(b"")


@pytest.mark.parametrize("kind", [HmacSha256, HmacSha512, Ed25519, RsaSha256])
def test_no_secret_shows_or_is_pickled(kind):
    signature = kind(Credentials({"api_secret": "canary", "private_key": "canary"}))

    assert "canary" not in repr(signature)
    with pytest.raises(TypeError):
        pickle.dumps(signature)


def test_base64_has_padding():
    assert "+/8=" == base64_text(b"\xfb\xff")
