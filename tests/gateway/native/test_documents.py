"""The documents describe what is served: they are current, sound, and no request breaks a route."""

import json
from pathlib import Path

import pytest

from dragoman.models import Order, Subscription
from dragoman_gateway.native.documents import (
    asyncapi,
    asyncapi_bytes,
    openapi,
    openapi_bytes,
    write_documents,
)
from dragoman_gateway.native.routes import ROUTES
from dragoman_gateway.native.schema import Schemas

FOLDER = Path(__file__).parents[3] / "docs" / "native"


@pytest.mark.parametrize(
    ("name", "made"), [("openapi.json", openapi_bytes), ("asyncapi.json", asyncapi_bytes)]
)
def test_the_documents_in_docs_are_current(name, made):
    """`python -m dragoman_gateway.native docs/native` writes them."""
    assert (FOLDER / name).read_bytes() == made()


def test_the_documents_are_written(tmp_path):
    assert ["openapi.json", "asyncapi.json"] == [one.name for one in write_documents(tmp_path)]


def test_every_route_is_described_once():
    described = {
        (method.upper(), path)
        for path, operations in openapi()["paths"].items()
        for method in operations
    }
    names = [
        one["operationId"]
        for operations in openapi()["paths"].values()
        for one in operations.values()
    ]

    assert {(route.method, route.path) for route in ROUTES} <= described
    assert len(names) == len(set(names))


@pytest.mark.parametrize("document", [openapi, asyncapi], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document):
    whole = document()

    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    for reference in references(whole):
        found = whole
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]


def test_what_goes_out_has_every_key_and_what_comes_in_no_other():
    schemas = Schemas()
    schemas.of(Order)
    schemas.of(Subscription, is_input=True)
    order = schemas.components["Order"]

    assert set(order["required"]) == set(order["properties"])
    assert "created_at" in order["properties"]
    assert False is schemas.components["SubscriptionInput"]["additionalProperties"]
    assert "required" not in schemas.components["SubscriptionInput"]


async def test_they_are_served_to_everybody(serve, keys):
    async with serve(keys=keys) as client:
        for name, made in (("openapi", openapi), ("asyncapi", asyncapi)):
            answer = await client.get(f"/v1/{name}.json")
            assert (200, json.loads(json.dumps(made()))) == (answer.status, await answer.json())
