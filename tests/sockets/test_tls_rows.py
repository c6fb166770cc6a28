"""F-02: a venue whose certificate is not what it should be is sent nothing."""

import datetime as dt
import ssl

import pytest
import trustme

from dragoman import ConnectFailedError, Outcome
from dragoman.transport.http import AiohttpTransport

BAD = ["wrong-host", "expired", "unknown-authority", "tls-1.1", "plain"]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def server_context(authority, kind="good"):
    """Return what a proxy shows to its clients; None for no TLS at all."""
    if kind == "plain":
        return None
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    issuer = trustme.CA() if kind == "unknown-authority" else authority
    host = "elsewhere.example" if kind == "wrong-host" else "127.0.0.1"
    expiry = {"not_before": long_ago, "not_after": long_ago + dt.timedelta(days=1)}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(host, **(expiry if kind == "expired" else {})).configure_cert(context)
    if kind == "tls-1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.fixture
async def rig(open_rig, authority):
    rig = await open_rig(proxy={"tls": server_context(authority)})
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    secure = {role: url.replace("://", "s://") for role, url in rig.endpoints().items()}
    await rig.connect(endpoints=secure, transport=lambda: AiohttpTransport(ssl_context=trusting))
    return rig


async def test_over_tls_an_order_lives_its_life(rig):
    order = await rig.submit()
    rig.venue.fill(order.venue_order_id)

    await rig.becomes("FILLED")
    await rig.verdict()


@pytest.mark.parametrize("kind", BAD)
async def test_f02_a_bad_certificate_is_sent_nothing_and_not_tried_again(rig, authority, kind):
    rig.proxy.refuse()
    rig.proxy.reset_connections()
    await rig.proxy.present(server_context(authority, kind))
    requests, connects = len(rig.proxy.requests), rig.proxy.connects

    with pytest.raises(ConnectFailedError) as caught:
        await rig.submit()

    assert Outcome.NOT_SENT is caught.value.outcome
    assert (requests, 0) == (len(rig.proxy.requests), rig.taken())
    assert rig.proxy.connects - connects <= 2
    rig.proxy.refuse()
    await rig.proxy.present(server_context(authority))
    assert "OPEN" == str((await rig.submit()).status)
    await rig.verdict()
