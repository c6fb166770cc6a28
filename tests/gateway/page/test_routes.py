"""The page's routes: what is sent, under which headers, and below a prefix as well."""

import aiohttp
import pytest
from aiohttp import web
from tests.gateway.page.fake_native import served

import dragoman
from dragoman.dialects import AccessKey
from dragoman_gateway import make_app
from dragoman_gateway.page import add_page
from dragoman_gateway.page.files import INDEX, load_files

FILES = {file.name: file for file in load_files()}
ADDRESSES = ["/", *(f"/page/{name}" for name in FILES if name != INDEX)]
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}


@pytest.fixture
async def client():
    app = web.Application()
    add_page(app)
    async with served(app) as url, aiohttp.ClientSession(url) as client:
        yield client


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_file_is_sent_with_the_headers_that_keep_it_harmless(client, address):
    answer = await client.get(address)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )

    assert 200 == answer.status
    assert POLICY == policy
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "DENY" == answer.headers["X-Frame-Options"]
    assert "no-referrer" == answer.headers["Referrer-Policy"]
    assert "same-origin" == answer.headers["Cross-Origin-Resource-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/", "text/html"),
        ("/page/page.css", "text/css"),
        ("/page/page.js", "text/javascript"),
        ("/page/icon.svg", "image/svg+xml"),
    ],
)
async def test_a_file_says_what_it_is(client, address, kind):
    answer = await client.get(address)

    assert (kind, "utf-8") == (answer.content_type, answer.charset)
    assert await answer.read() == FILES[address.rpartition("/")[2] or INDEX].body


async def test_the_document_is_never_kept_and_its_parts_are_asked_for_again(client):
    document = await client.get("/")
    part = await client.get("/page/page.js")

    assert "no-store" == document.headers["Cache-Control"]
    assert "no-cache" == part.headers["Cache-Control"]


@pytest.mark.parametrize("address", ["/", "/page/page.js"])
async def test_what_a_client_has_already_is_not_sent_again(client, address):
    first = await client.get(address)
    again = await client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    other = await client.get(address, headers={"If-None-Match": '"something-else"'})

    assert (304, b"") == (again.status, await again.read())
    assert first.headers["ETag"] == again.headers["ETag"]
    assert "Content-Security-Policy" in again.headers
    assert 200 == other.status


async def test_a_head_request_has_no_body(client):
    answer = await client.head("/")

    assert (200, b"") == (answer.status, await answer.read())


@pytest.mark.parametrize(
    "address", ["/page/", "/page/index.html", "/page/%2e%2e/routes.py", "/page/nothing.js"]
)
async def test_nothing_else_is_there(client, address):
    answer = await client.get(address)

    assert 404 == answer.status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_can_be_changed(client, method):
    answer = await client.request(method, "/")

    assert 405 == answer.status


async def test_it_works_below_a_prefix_and_adds_the_slash_that_it_needs():
    inner, outer = web.Application(), web.Application()
    add_page(inner)
    outer.add_subapp("/desk/", inner)
    async with served(outer) as url, aiohttp.ClientSession(url) as client:
        bare = await client.get("/desk", allow_redirects=False)
        document = await client.get("/desk")
        part = await client.get("/desk/page/page.js")

    assert (308, "desk/") == (bare.status, bare.headers["Location"])
    assert (200, "/desk/") == (document.status, document.url.path)
    assert 200 == part.status


@pytest.mark.parametrize("prefix", ["", "/desk"])
async def test_a_gateway_sends_it_to_whoever_has_no_key_and_speaks_beside_it(prefix):
    keys = [AccessKey(key_id="desk", secret="at-least-8")]
    async with dragoman.connect("mock") as broker:
        app = make_app(broker, keys=keys)
        outer = web.Application()
        if prefix:
            outer.add_subapp(prefix, app)
        async with (
            served(outer if prefix else app) as url,
            aiohttp.ClientSession(url) as client,
        ):
            document = await client.get(f"{prefix}/")
            part = await client.get(f"{prefix}/page/page.js")
            refused = await client.get(f"{prefix}/native/v1/accounts")
            async with client.ws_connect(f"{prefix}/native/v1/stream") as socket:
                hello = await socket.receive_json()

    assert (200, 200, 401) == (document.status, part.status, refused.status)
    assert "frame-ancestors 'none'" in document.headers["Content-Security-Policy"]
    assert "hello" == hello["type"]


async def test_a_gateway_can_do_without_it():
    async with dragoman.connect("mock") as broker:
        app = make_app(broker, page=False)
        async with served(app) as url, aiohttp.ClientSession(url) as client:
            answer = await client.get("/")

    assert 404 == answer.status
