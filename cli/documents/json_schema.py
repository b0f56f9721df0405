"""JSON Schema (2020-12) of contracts: dataclasses with their validators, and the types of answers."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from marshmallow import validate

from shared.contracts.schema import UNSET

Schema = dict[str, Any]

_PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number"}


def schema_of(annotation: Any) -> Schema:
    """The schema of a type as contracts write it; `{}` where anything goes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *validators = arguments
        return {**schema_of(inner), **{k: v for one in validators for k, v in _restriction(one).items()}}
    if origin in (NotRequired, Required):
        return schema_of(arguments[0])
    if origin in (Union, types.UnionType):
        return _or_null(annotation, arguments)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (list, tuple):
        return {"type": "array", "items": schema_of(arguments[0])}
    if annotation is dict or origin in (dict, Mapping) or annotation is Mapping:
        return {"type": "object"}
    if typing.is_typeddict(annotation):
        return _object(annotation, sorted(annotation.__required_keys__))
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _dataclass(annotation)
    return {"type": _PLAIN[annotation]} if annotation in _PLAIN else {}


def _or_null(annotation: Any, arguments: tuple[Any, ...]) -> Schema:
    members = [member for member in arguments if member is not type(None)]
    if len(members) != 1:
        raise TypeError(f"only `X | None` unions are possible in contracts, not {annotation}")
    shape = schema_of(members[0])
    if "type" in shape:
        shape["type"] = [shape["type"], "null"]
    if "enum" in shape:
        shape["enum"] = [*shape["enum"], None]
    return shape


def _dataclass(cls: type) -> Schema:
    fields = dataclasses.fields(cls)
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    shape = _object(cls, sorted(required))
    for field in fields:
        if field.default not in (dataclasses.MISSING, UNSET):
            shape["properties"][field.name]["default"] = field.default
    return shape


def _object(cls: type, required: list[str]) -> Schema:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        "type": "object",
        "properties": {
            name: schema_of(hint) for name, hint in hints.items() if get_origin(hint) is not typing.ClassVar
        },
        "required": required,
    }


def _restriction(validator: Any) -> Schema:
    """What a marshmallow validator says; a function of our own says nothing that JSON Schema could."""
    if isinstance(validator, validate.Regexp):
        return {"pattern": str(validator.regex.pattern).replace(r"\Z", "$")}
    if isinstance(validator, validate.Range):
        return _present(minimum=validator.min, maximum=validator.max)
    if isinstance(validator, validate.Length):
        return _present(minLength=validator.min, maxLength=validator.max)
    if isinstance(validator, validate.OneOf):
        return {"enum": list(validator.choices)}
    return {}


def _present(**limits: Any) -> Schema:
    return {name: limit for name, limit in limits.items() if limit is not None}
