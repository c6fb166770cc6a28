"""The protocol described for machines: OpenAPI for its routes, AsyncAPI for its stream.

Both are made of the models, the routes and the messages themselves, so they can't say anything else
than what is served. `python -m dragoman_gateway.native FOLDER` writes them.
"""

from __future__ import annotations

import inspect
import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from . import examples
from .problems import Problem
from .routes import ROUTES, VERSION
from .schema import Schemas
from .stream.messages import ANSWERS, RECEIVED, SENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import attrs

    from .parameters import Parameter
    from .routes import Route

__all__ = ["asyncapi", "asyncapi_bytes", "openapi", "openapi_bytes", "write_documents"]

_ABOUT: Final = (
    "Trade any broker that dragoman reaches, in one vocabulary. Amounts are decimals as text, "
    "instants RFC 3339 in UTC, `null` is not known. Every failed command says its `outcome`: "
    "NOT_SENT, REJECTED or UNKNOWN; what is UNKNOWN may be live, look before asking again."
)
_STATUSES: Final[Mapping[int, str]] = {
    400: "The request can't be read.",
    401: "No key, or one that is not known.",
    403: "The key lacks the scope, or the request came from elsewhere.",
    404: "No such account, order, position or instrument.",
    405: "Not with this method.",
    408: "The request came too slowly.",
    409: "The order has ended, or its name is taken by another; or this request is running.",
    413: "The body is too large.",
    422: "A part of the request is wrong, or not offered, or the venue refused it.",
    423: "The account takes no orders now: halted, not in step with the venue, or read-only.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "What was asked for may have been done: look before asking again.",
    502: "The venue's answer made no sense.",
    503: "The venue, or this server, takes no requests now; nothing was done.",
    504: "A read took too long.",
}
_KEYS: Final[Mapping[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_IDEMPOTENCY_KEY: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Names the request, so that it may be repeated: the answer of the first is given again, "
        "with `Idempotent-Replayed: true`, and nothing is done twice. Kept for a day."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
_CORRELATION: Final[Mapping[str, Any]] = {
    "description": "The request's own id, or one made for it: it is in the server's log.",
    "schema": {"type": "string"},
}
_STREAM_ABOUT: Final = (
    "One WebSocket for every account: text frames, one JSON object each. Private events carry "
    "`sequence`; subscribe with `since` to get what was missed first. Who can set no header "
    "authenticates by the first message."
)


def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the routes."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    for name in ("openapi", "asyncapi"):
        paths[f"{VERSION}/{name}.json"] = {"get": _document_operation(name)}
    error = {"type": "object", "properties": {"error": schemas.of(Problem)}, "required": ["error"]}
    schemas.components["ErrorAnswer"] = error
    return {
        "openapi": "3.1.0",
        "info": {"title": "dragoman native protocol", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/native"}],
        "security": [{}, *[{name: []} for name in _KEYS]],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": dict(_KEYS),
            "responses": {str(status): _error(said) for status, said in _STATUSES.items()},
        },
    }


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    summary, _, more = (inspect.getdoc(route.handler) or "").partition("\n\n")
    parameters = [_parameter(one) for one in route.parameters]
    if route.method != "GET":
        parameters.append(dict(_IDEMPOTENCY_KEY))
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": summary,
        "description": f"{more}\n\nNeeds the scope {route.scope}.".strip(),
        "parameters": parameters,
        "responses": _answers(route, schemas),
    }
    if route.body is not None:
        content: dict[str, Any] = {"schema": schemas.of(route.body, is_input=True)}
        shown = examples.BODIES.get(route.body.__name__)
        if shown:
            content["examples"] = {name: {"value": value} for name, value in shown.items()}
        operation["requestBody"] = {
            "required": not route.is_body_optional,
            "content": {"application/json": content},
        }
    return operation


def _answers(route: Route, schemas: Schemas) -> dict[str, Any]:
    good = {
        "description": (inspect.getdoc(route.answer) or "").partition("\n\n")[0],
        "headers": {"X-Correlation-ID": dict(_CORRELATION)},
        "content": {"application/json": {"schema": schemas.of(route.answer)}},
    }
    errors = {str(status): {"$ref": f"#/components/responses/{status}"} for status in _STATUSES}
    return {str(route.status): good, **errors}


def _parameter(one: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": one.name,
        "in": one.place,
        "required": one.is_required,
        "description": one.description,
        "schema": dict(one.schema),
    }
    if one.schema.get("type") == "array":
        described |= {"style": "form", "explode": True}
    return described


def _document_operation(name: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": f"get_{name}",
        "summary": "Answer with a document of this protocol.",
        "security": [],
        "responses": {
            "200": {"description": "The document.", "content": content},
            **{str(one): {"$ref": f"#/components/responses/{one}"} for one in (400, 403, 405, 503)},
        },
    }


def _error(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorAnswer"}
    return {
        "description": description,
        "headers": {"X-Correlation-ID": dict(_CORRELATION)},
        "content": {"application/json": {"schema": schema}},
    }


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document of the stream."""
    schemas = Schemas()
    sent = {name: _message(name, kind, schemas, is_input=False) for name, kind in SENT.items()}
    received = {
        name: _message(name, kind, schemas, is_input=True) for name, kind in RECEIVED.items()
    }
    every = {**sent, **received}
    channel = "#/channels/stream"
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "dragoman native stream", "version": "1", "description": _STREAM_ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "stream": {
                "address": f"/native{VERSION}/stream",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in every},
            }
        },
        "operations": {
            action: {
                "action": action,
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
            }
            for action, names in (("send", sent), ("receive", received))
        },
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "messages": every,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "httpApiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _message(
    name: str, kind: type[attrs.AttrsInstance], schemas: Schemas, *, is_input: bool
) -> dict[str, Any]:
    reference = schemas.of(kind, is_input=is_input)
    component = schemas.components.pop(reference["$ref"].rpartition("/")[2])
    properties: dict[str, Any] = {"type": {"const": name}}
    if is_input or name in ANSWERS:
        properties["id"] = {"type": ["string", "integer", "null"]}
    payload = {**component, "properties": {**properties, **component["properties"]}}
    payload["required"] = ["type", *component.get("required", ())]
    message: dict[str, Any] = {
        "name": name,
        "summary": (inspect.getdoc(kind) or "").partition("\n\n")[0],
        "payload": payload,
    }
    shown = examples.MESSAGES.get(name)
    if shown is not None:
        message["examples"] = [{"payload": shown}]
    return message


@cache
def openapi_bytes() -> bytes:
    """Return the OpenAPI document as it is served."""
    return _text(openapi()).encode()


@cache
def asyncapi_bytes() -> bytes:
    """Return the AsyncAPI document as it is served."""
    return _text(asyncapi()).encode()


def write_documents(folder: Path) -> tuple[Path, ...]:
    """Write both documents into a folder, and return their paths."""
    made = (
        (folder / "openapi.json", openapi_bytes()),
        (folder / "asyncapi.json", asyncapi_bytes()),
    )
    for path, content in made:
        path.write_bytes(content)
    return tuple(path for path, _ in made)


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
