"""Contracts are frozen dataclasses; their marshmallow schemas are derived from the annotations.

`Annotated[str, SomeValidator(...)]` adds marshmallow validators. Readers ignore unknown fields
(`load`), the public edge refuses them (`load_closed`).
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, Union, cast, get_args, get_origin

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate

from shared.contracts.errors import FieldError, ValidationFailed
from shared.contracts.quick import Unsure, reader_of

T = TypeVar("T")


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"


UNSET: Final[Any] = Unset.UNSET
"""Default of a field that may be left out and may be null, where the two mean different things."""

_CODES = {
    "Missing data for required field.": "required",
    "Unknown field.": "unknown_field",
    "Field may not be null.": "null",
    "Not a valid string.": "invalid",
    "Not a valid integer.": "invalid",
    "Not a valid boolean.": "invalid",
    "Invalid input type.": "invalid",
}


class _StrictBoolean(fields.Boolean):
    """JSON true and false only; marshmallow would also take "yes" and 1."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class _StrictInteger(fields.Integer):
    """JSON integers only: no booleans, no strings, no floats."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class _Object(fields.Dict):
    """Any JSON object, taken as it is."""


class _ContractSchema(Schema):
    """Builds the contract's own class from validated fields."""

    contract: ClassVar[type]

    @post_load
    def _build(self, values: dict[str, Any], **_: Any) -> Any:
        return self.contract(**values)


def _field(annotation: Any, options: dict[str, Any]) -> fields.Field[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *validators = get_args(annotation)
        return _field(inner, {**options, "validate": [*options.get("validate", ()), *validators]})
    if origin in (Union, types.UnionType):
        members = [a for a in get_args(annotation) if a is not type(None)]
        if len(members) != 1:
            raise TypeError(f"only `X | None` unions are possible in contracts, not {annotation}")
        return _field(members[0], {**options, "allow_none": True})
    if origin is Literal:
        return fields.String(**{**options, "validate": [validate.OneOf(get_args(annotation))]})
    if origin in (list, tuple):
        return fields.List(_field(get_args(annotation)[0], {}), **options)
    if annotation is dict or origin in (dict, Mapping) or annotation is Mapping:
        return _Object(**options)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return fields.Nested(schema_of(annotation, closed=False), **options)
    plain: dict[Any, type[fields.Field[Any]]] = {str: fields.String, int: _StrictInteger, bool: _StrictBoolean}
    return plain[annotation](**options)


@cache
def schema_of(cls: type, *, closed: bool) -> Schema:
    """The marshmallow schema of a contract dataclass; `closed` refuses unknown fields."""
    hints = typing.get_type_hints(cls, include_extras=True)
    declared: dict[str, Any] = {}
    for item in dataclasses.fields(cls):
        has_default = item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING
        declared[item.name] = _field(hints[item.name], {} if has_default else {"required": True})
    made: type[Schema] = _ContractSchema.from_dict(declared, name=f"{cls.__name__}Schema")
    made.contract = cls  # type: ignore[attr-defined]  # of _ContractSchema; from_dict is typed as the base
    return made(unknown=RAISE if closed else EXCLUDE)


def _flatten(messages: Any, path: str = "") -> list[FieldError]:
    if isinstance(messages, Mapping):
        found: list[FieldError] = []
        for key, value in messages.items():
            name = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            found += _flatten(value, name)
        return found
    return [FieldError(field=path, code=_CODES.get(str(m), "invalid"), message=str(m)) for m in messages]


def _load(cls: type[T], data: Any, *, closed: bool) -> T:
    try:
        return cast("T", reader_of(cast("Hashable", cls), closed=closed)(data))
    except Unsure:
        pass
    try:
        return cast("T", schema_of(cast("Hashable", cls), closed=closed).load(data))
    except ValidationError as error:
        raise ValidationFailed(errors=_flatten(error.messages)) from None


def load(cls: type[T], data: Any) -> T:
    """An instance from plain JSON data, ignoring unknown fields. Raises ValidationFailed."""
    return _load(cls, data, closed=False)


def load_closed(cls: type[T], data: Any) -> T:
    """The same for the public edge: an unknown field is an error. Raises ValidationFailed."""
    return _load(cls, data, closed=True)


def dump(instance: Any) -> dict[str, Any]:
    """Plain JSON data of a contract instance, without what is UNSET."""
    return {
        name: value if type(value) in _SCALARS else _plain(value)
        for name in _names(cast("Hashable", type(instance)))
        if (value := getattr(instance, name)) is not UNSET
    }


_SCALARS = frozenset({str, int, bool, type(None)})


@cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(cls))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dump(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
