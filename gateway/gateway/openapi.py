"""OpenAPI 3.0 from the endpoints: bodies and queries from their marshmallow schemas, answers from their types.

3.0 and not 3.1, which the packaged Swagger UI cannot show.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from gateway.endpoint import Endpoint
from shared.contracts.schema import schema_of

_PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number"}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "code", "detail", "request_id")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {n: {"type": "string"} for n in ("field", "code", "message")}},
        },
    },
}
_ERRORS = {
    400: "Not strict JSON, or a required header is missing",
    401: "No valid token",
    403: "Not allowed",
    404: "Absent, or somebody else's",
    409: "The present state does not allow it",
    413: "Body too large",
    415: "Not application/json",
    422: "Fields are refused",
    429: "Too many requests",
    503: "A service is missing; repeat with the same idempotency key",
}
_HEADERS = {
    "Location": {"description": "The path of what was made", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "The key was seen before: this is what it made then, as it is now",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _: "")
    spec = APISpec(title="Nexus", version="1", openapi_version="3.0.3", plugins=[plugin])
    spec.components.schema("Problem", _PROBLEM)
    for status, text in _ERRORS.items():
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        spec.components.response(str(status), {"description": text, "content": content})
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    converter = plugin.converter
    assert converter is not None  # noqa: S101  # set by APISpec above
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, converter)
    document = spec.to_dict()
    document["paths"] = paths
    return document


def _operation(endpoint: Endpoint, converter: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint, converter), *_headers(endpoint)],
        "responses": {
            **_done(endpoint),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in _ERRORS},
        },
    }
    if endpoint.who != "anyone":
        operation["security"] = [{"bearer": []}]
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": not endpoint.body_may_be_empty,
            "content": {"application/json": {"schema": _fields(endpoint.body, converter)}},
        }
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    # The same handlers answer load balancers outside the API's base.
    return endpoint.handler.__name__ + ("" if endpoint.path.startswith("/api/") else "_probe")


def _done(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {"description": "Done"}
    if endpoint.headers:
        found["headers"] = {name: _HEADERS[name] for name in endpoint.headers}
    if endpoint.answer is not None:
        found["content"] = {"application/json": {"schema": _type(endpoint.answer)}}
    if endpoint.status_again is None:
        return {str(endpoint.status): found}
    return {str(endpoint.status): found, str(endpoint.status_again): {**found, "description": "It was there before"}}


def _fields(cls: type, converter: Any) -> dict[str, Any]:
    """JSON Schema of a body or a query: closed, with its defaults, its patterns as JavaScript spells them."""
    shape: dict[str, Any] = converter.schema2jsonschema(schema_of(cls, closed=True))
    properties = shape.setdefault("properties", {})
    for field in dataclasses.fields(cls):
        described = properties[field.name]
        if isinstance(field.default, str | int):
            described["default"] = field.default
        if "pattern" in described:
            described["pattern"] = described["pattern"].replace(r"\Z", "$")
    return {**shape, "additionalProperties": False}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    id_: dict[str, Any] = {"type": "string", "format": "uuid"}
    return [
        {"name": name, "in": "path", "required": True, "schema": id_ if name.endswith("_id") else {"type": "string"}}
        for name in endpoint.parameters
    ]


def _query_parameters(endpoint: Endpoint, converter: Any) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    described = _fields(endpoint.query, converter)
    required = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(shape)}
        for name, shape in described["properties"].items()
    ]


def _not_null(shape: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is left out or has a value."""
    present = {name: value for name, value in shape.items() if name != "nullable"}
    if "enum" in present:
        present["enum"] = [value for value in present["enum"] if value is not None]
    return present


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.key == "none":
        return []
    shape = {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"}
    return [{"name": "Idempotency-Key", "in": "header", "required": endpoint.key == "required", "schema": shape}]


def _type(annotation: Any) -> dict[str, Any]:
    """JSON Schema of what an answer is annotated with."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (NotRequired, Required):
        return _type(arguments[0])
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        shape = _type(members[0]) if len(members) == 1 else {"anyOf": [_type(member) for member in members]}
        return {**shape, "nullable": True} if len(members) < len(arguments) else shape
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _type(arguments[0])}
    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation, include_extras=True)
        return {
            "type": "object",
            "required": sorted(annotation.__required_keys__),
            "properties": {name: _type(hint) for name, hint in hints.items()},
        }
    if annotation in _PLAIN:
        return {"type": _PLAIN[annotation]}
    return {"type": "object"}
