"""What is served where, over which account, and in whose words it is refused."""

import subprocess
import sys

import pytest
from aiohttp import web
from tests.core.dialects.toy import ToyDialect
from tests.gateway.standing import (
    CAPTAIN,
    LOOKOUT,
    OtherToy,
    TokenToy,
    bearer,
    brokers,
    gateway,
    listening,
    shown,
)

from dragoman.dialects import AccessKey, HostLimits
from dragoman.errors import ConfigurationError
from dragoman_gateway import Mount, make_app

ANY = {"X-Key": "k"}


async def told(answer):
    return answer.status, await answer.json()


async def test_a_single_dialect_is_at_the_root(broker, toy):
    async with gateway(broker, [toy]) as client:
        assert (200, {"account": "one"}) == await told(await client.get("/account", headers=ANY))


async def test_several_dialects_are_below_their_names(broker, toy):
    async with gateway(broker, [toy, OtherToy()]) as client:
        for path in ("/toy/account", "/other/account"):
            assert (200, {"account": "one"}) == await told(await client.get(path, headers=ANY))
        assert 404 == (await client.get("/account", headers=ANY)).status


async def test_a_dialect_is_served_over_the_brokers_of_its_mount():
    async with brokers("east:one", "west:one") as (east, west):
        mounts = [Mount(dialect=ToyDialect(), prefix="/w/v1", brokers=west), ToyDialect()]
        async with gateway([east, west], mounts) as client:
            assert (west,) == mounts[0].dialect.host.brokers
            assert (east, west) == mounts[1].host.brokers
            assert 200 == (await client.get("/w/v1/account", headers=ANY)).status


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/nothing", "toy"),
        ("/", "toy"),
        ("/desk/nothing", "other"),
        ("/desk", "other"),
        ("/deskless", "toy"),
        ("/livez/nothing", "toy"),
    ],
)
async def test_a_refusal_is_in_the_words_of_the_dialect_whose_path_it_is(broker, toy, path, word):
    mounts = [toy, Mount(dialect=OtherToy(), prefix="/desk")]
    async with gateway(broker, mounts) as client:
        missing = await client.get(path)
        foreign = await client.get(path, headers={"Origin": "https://evil.example"})

        assert (404, {word: "Not Found"}) == await told(missing)
        message = "what a browser sends for another page is refused"
        assert (403, {word: message}) == await told(foreign)


async def test_where_no_dialect_is_the_gateway_itself_answers(broker):
    mounts = [Mount(dialect=OtherToy(), prefix="/desk")]
    async with gateway(broker, mounts) as client:
        assert (404, {"error": "Not Found"}) == await told(await client.get("/nothing"))
        assert (200, {"status": "ok"}) == await told(await client.get("/livez"))


async def test_what_a_root_dialect_serves_itself_is_its_own(broker):
    class Lively(ToyDialect):
        def mount(self, app, host):
            super().mount(app, host)
            app.router.add_get("/livez", self.livez)

        async def livez(self, request):
            return web.json_response({"mine": True})

    async with gateway(broker, [Lively()], native=True) as client:
        assert (200, {"mine": True}) == await told(await client.get("/livez"))
        assert (200, {"status": "ok"}) == await told(await client.get("/native/livez"))


async def test_it_can_be_part_of_another_application(broker, toy):
    outer = web.Application()
    mounts = [toy, Mount(dialect=OtherToy(), prefix="/desk")]
    outer.add_subapp("/x/y", make_app(broker, mounts, native=False, page=False))

    async def hello(request):
        return web.Response(text="hello")

    outer.router.add_get("/hello", hello)
    async with listening(outer) as client:
        assert "hello" == await (await client.get("/hello")).text()
        assert (200, {"account": "one"}) == await told(
            await client.get("/x/y/account", headers=ANY)
        )
        assert (200, {"account": "one"}) == await told(
            await client.get("/x/y/desk/account", headers=ANY)
        )
        assert (404, {"other": "Not Found"}) == await told(await client.get("/x/y/desk/no"))
        assert (404, {"toy": "Not Found"}) == await told(await client.get("/x/y/no"))
        assert (200, {"status": "ok"}) == await told(await client.get("/x/y/livez"))
    assert ["startup", "cleanup"] == toy.lifetime


async def test_within_another_application_bodies_are_still_limited(broker, toy):
    outer = web.Application()
    limits = HostLimits(body_bytes=1000)
    outer.add_subapp("/x", make_app(broker, [toy], limits=limits, native=False, page=False))

    async def in_pieces(size):
        yield bytes(size)

    async with listening(outer) as client:
        bodies = [bytes(1000), bytes(1001), in_pieces(1000), in_pieces(1001)]
        found = [(await client.post("/x/echo", data=body)).status for body in bodies]

    assert [200, 413, 200, 413] == found


async def test_brokers_outlive_the_application(broker, toy):
    async with gateway(broker, [toy]) as client:
        await client.get("/account", headers=ANY)

    assert "one" == (await broker.fetch_account()).account_id


async def test_a_key_reaches_its_provider_and_its_account():
    async with brokers("east:one", "east:two", "west:one") as served:
        keys = [
            CAPTAIN,
            AccessKey(key_id="west", secret="key-of-the-west", provider="west"),
            AccessKey(key_id="two", secret="key-of-number-two", account_id="two"),
            AccessKey(key_id="ones", secret="key-of-the-ones", account_id="one"),
        ]
        toy = ToyDialect()
        async with gateway(served, [toy], keys=keys):
            reached = {}
            for key in keys:
                access = await toy.host.authenticate(key.key_id, key.secret.reveal())
                reached[key.key_id] = (access.broker, access.brokers, access.client)

    east_one, east_two, west = served
    assert {
        "captain": (east_one, served, "captain"),
        "west": (west, (west,), "west"),
        "two": (east_two, (east_two,), "two"),
        "ones": (east_one, (east_one, west), "ones"),
    } == reached


async def test_a_key_opens_nothing_where_its_account_is_not_served():
    async with brokers("east:one", "west:two") as (east, west):
        key = AccessKey(key_id="two", secret="key-of-number-two", account_id="two")
        mount = Mount(dialect=ToyDialect(), brokers=east)
        async with gateway([east, west], [mount], keys=[key]) as client:
            answer = await client.get("/account", headers=shown(key))

            assert (401, {"toy": "the key opens no account that is served here"}) == await told(
                answer
            )


async def test_scopes_hold(broker):
    async with gateway(broker, [TokenToy()], keys=[CAPTAIN, LOOKOUT]) as client:
        mine, its = (bearer(key.secret.reveal()) for key in (CAPTAIN, LOOKOUT))
        order = {"symbol": "AAPL", "id": "c1"}

        assert 200 == (await client.get("/account", headers=its)).status
        assert 403 == (await client.post("/orders", headers=its, json=order)).status
        assert 200 == (await client.post("/orders", headers=mine, json=order)).status
        assert 401 == (await client.get("/account", headers=bearer("key-of-nobody"))).status
        assert 401 == (await client.get("/account")).status


async def test_a_key_in_the_query_is_none(broker):
    async with gateway(broker, [TokenToy()], keys=[CAPTAIN]) as client:
        query = {"api_key": CAPTAIN.secret.reveal(), "X-API-Key": CAPTAIN.secret.reveal()}

        assert 401 == (await client.get("/account", params=query)).status


async def test_other_names_and_origins_are_let_in_where_allowed(broker, toy):
    settings = {"allow_hosts": ["desk.example"], "allow_origins": ["https://desk.example"]}
    async with gateway(broker, [toy], keys=[CAPTAIN], **settings) as client:
        its = shown(CAPTAIN)
        named = {**its, "Host": "desk.example:8443"}

        assert 200 == (await client.get("/account", headers=named)).status
        page = {**named, "Origin": "https://desk.example"}
        assert 200 == (await client.get("/account", headers=page)).status
        assert 403 == (await client.get("/account", headers={**its, "Host": "x.example"})).status
        foreign = {**named, "Origin": "https://evil.example"}
        assert 403 == (await client.get("/account", headers=foreign)).status
        assert 403 == (await client.get("/stream", headers=foreign)).status


def test_what_can_not_be_served_is_refused(broker, toy):
    twice = AccessKey(key_id="captain", secret="key-of-another")
    abroad = AccessKey(key_id="abroad", secret="key-of-abroad", account_id="nine")
    refused = [
        ((broker, [toy, Mount(dialect=OtherToy())]), {}, "are both served at '/'"),
        ((broker, [toy, Mount(dialect=toy, prefix="/x")]), {}, "mounted twice"),
        ((broker, [Mount(dialect=toy, prefix="/native")]), {}, "native protocol"),
        (([], [toy]), {}, "needs a broker"),
        (([broker, broker], [toy]), {}, "for the same account"),
        ((broker, [toy]), {"keys": []}, "nobody could enter"),
        ((broker, [toy]), {"keys": [CAPTAIN, twice]}, "two access keys"),
        ((broker, [toy]), {"keys": [abroad]}, "'nine', which is not served; served: fake one"),
        ((broker, [toy]), {"allow_hosts": ["desk.example"]}, "configure keys"),
        ((broker, [toy]), {"keys": [CAPTAIN], "allow_hosts": ["a/b"]}, "a name without a port"),
        ((broker, [toy]), {"allow_origins": ["desk.example"]}, "an origin is such as"),
        ((broker, ["no such"]), {}, "no dialect 'no such'"),
    ]
    for arguments, settings, words in refused:
        with pytest.raises(ConfigurationError, match=words):
            make_app(*arguments, native=False, **settings)


@pytest.mark.parametrize("prefix", ["x", "/x/", "//", "/a b", "/{a}", "/../x", "/x/.", "", "/é"])
def test_a_prefix_is_a_plain_path(toy, prefix):
    with pytest.raises(ConfigurationError, match="a prefix is"):
        Mount(dialect=toy, prefix=prefix)


def test_a_dialect_without_brokers_is_refused(toy):
    with pytest.raises(ConfigurationError, match="no broker"):
        Mount(dialect=toy, brokers=())


def test_it_is_imported_without_the_client_of_prometheus():
    script = (
        "import sys; sys.modules['prometheus_client'] = None; import dragoman_gateway;"
        "from dragoman_gateway.measures import make_measures;"
        "print(make_measures(is_wanted=None).render());"
        "make_measures(is_wanted=True)"
    )
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert "None\n" == ran.stdout
    assert "pip install 'dragoman[prometheus]'" in ran.stderr.splitlines()[-1]


async def test_one_key_of_a_client_serves_for_each_account_it_names():
    named = {"Idempotency-Key": "same"}
    async with (
        brokers("east:one", "west:two") as served,
        gateway(served, native=True) as client,
    ):
        for path in ("east/one", "west/two"):
            answer = await client.delete(f"/native/v1/{path}/orders", headers=named)
            assert (200, None) == (answer.status, answer.headers.get("Idempotent-Replayed"))
