"""TLS that can't be talked out of checking: S-07 and F-02."""

import datetime as dt
import ssl

import pytest
import trustme

from dragoman.errors import ConfigurationError, ConnectFailedError
from dragoman.transport.base import StreamRequest
from dragoman.transport.http import AiohttpTransport
from dragoman.transport.tls import check_context, make_context

from .raw_server import RawServer, post

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(certificate, maximum=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = maximum
    certificate.configure_cert(context)
    return context


async def fails(server, ca_file, match):
    transport = AiohttpTransport(ca_file=ca_file)
    with pytest.raises(ConnectFailedError, match=match) as caught:
        await transport.send(post(server))
    stream = StreamRequest(name="stream", url=f"wss{server.url.removeprefix('https')}/s")
    with pytest.raises(ConnectFailedError):
        await transport.open(stream)
    await transport.aclose()
    assert [] == server.requests
    return caught.value


async def test_an_authority_of_ones_own_is_trusted(authority, ca_file):
    certificate = authority.issue_cert("127.0.0.1")
    async with RawServer(tls=server_context(certificate)) as server:
        transport = AiohttpTransport(ca_file=ca_file)
        for _ in range(2):
            assert 200 == (await transport.send(post(server))).status
        await transport.aclose()

        assert 1 == server.connections


async def test_f02_the_certificate_of_another_host(authority, ca_file):
    certificate = authority.issue_cert("venue.example")
    async with RawServer(tls=server_context(certificate)) as server:
        await fails(server, ca_file, "certificate is refused, IP address mismatch")


async def test_f02_an_expired_certificate(authority, ca_file):
    certificate = authority.issue_cert(
        "127.0.0.1", not_before=PAST, not_after=PAST + dt.timedelta(days=1)
    )
    async with RawServer(tls=server_context(certificate)) as server:
        await fails(server, ca_file, "certificate has expired")


async def test_f02_a_certificate_of_an_unknown_authority(ca_file):
    certificate = trustme.CA().issue_cert("127.0.0.1")
    async with RawServer(tls=server_context(certificate)) as server:
        await fails(server, ca_file, "unable to get local issuer|self.signed")
        await fails(server, None, "unable to get local issuer|self.signed")


async def test_f02_a_version_with_known_holes(authority, ca_file):
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with RawServer(tls=context) as server:
        await fails(server, ca_file, "no connection")


async def test_f02_a_server_that_speaks_no_tls_gets_no_plain_text(ca_file):
    async with RawServer() as server:
        server_url = server.url.replace("http", "https")
        transport = AiohttpTransport(ca_file=ca_file)
        with pytest.raises(ConnectFailedError):
            await transport.send(post(server, url=f"{server_url}/orders", timeout_s=1.0))
        await transport.aclose()

        assert [] == server.requests


async def test_no_variable_switches_checks_off_or_logs_keys(authority, tmp_path, monkeypatch):
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    certificate = trustme.CA().issue_cert("127.0.0.1")
    async with RawServer(tls=server_context(certificate)) as server:
        await fails(server, None, "certificate is refused")

    assert not log.exists()


def lenient():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def nameless():
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def old():
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


@pytest.mark.parametrize(
    ("make", "problem"),
    [(lenient, "verify certificates"), (nameless, "check host names"), (old, "TLS 1.2")],
)
def test_a_context_that_does_not_verify_is_refused(make, problem):
    with pytest.raises(ConfigurationError, match=problem):
        AiohttpTransport(ssl_context=make())


def test_a_context_that_logs_its_keys_is_refused(tmp_path):
    context = make_context()
    context.keylog_filename = str(tmp_path / "keys")

    with pytest.raises(ConfigurationError, match="keep its keys"):
        check_context(context)


def test_a_strict_context_is_taken_as_it_is():
    context = make_context()

    assert context is check_context(context)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_useless_authority_file_is_named(tmp_path, text):
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        make_context(path)


def test_two_ways_to_trust_are_one_too_many(ca_file):
    with pytest.raises(ConfigurationError, match="not both"):
        AiohttpTransport(ssl_context=make_context(), ca_file=ca_file)
