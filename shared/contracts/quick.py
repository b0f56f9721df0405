"""Reading what is right without marshmallow's detours; whatever is not plainly right is left to it.

A contract's annotations are turned once into functions that check a value and hand it on. Anything that they do not
accept raises `Unsure`, and marshmallow decides and words the refusal: there is one place that says what is wrong.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from marshmallow import ValidationError

Read = Callable[[Any], Any]


class Unsure(Exception):
    """Not plainly right."""


@cache
def reader_of(cls: type, *, closed: bool) -> Read:
    """From plain JSON data to an instance of a contract; raises Unsure."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {item.name: _read(hints[item.name]) for item in dataclasses.fields(cls)}
    required = frozenset(item.name for item in dataclasses.fields(cls) if not _has_default(item))

    def read(data: Any) -> Any:
        if type(data) is not dict or not required <= data.keys() or (closed and not data.keys() <= fields.keys()):
            raise Unsure
        return cls(**{name: one(data[name]) for name, one in fields.items() if name in data})

    return read


def _has_default(item: dataclasses.Field[Any]) -> bool:
    return item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING


def _read(annotation: Any) -> Read:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _validated(*get_args(annotation))
    if origin in (Union, types.UnionType):
        (inner,) = (member for member in get_args(annotation) if member is not type(None))
        return _nullable(_read(inner))
    if origin is Literal:
        return _one_of(frozenset(get_args(annotation)))
    if origin in (list, tuple):
        return _list(_read(get_args(annotation)[0]))
    if annotation in (dict, Mapping) or origin in (dict, Mapping):
        return _exactly(dict)
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return reader_of(annotation, closed=False)
    return _exactly(annotation)


def _exactly(kind: type) -> Read:
    # JSON's own types have no subclasses, and true is no integer.
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise Unsure
        return value

    return read


def _validated(inner: Any, *validators: Callable[[Any], Any]) -> Read:
    plain = _read(inner)

    def read(value: Any) -> Any:
        found = plain(value)
        try:
            for validator in validators:
                validator(found)
        except ValidationError:
            raise Unsure from None
        return found

    return read


def _nullable(inner: Read) -> Read:
    return lambda value: None if value is None else inner(value)


def _one_of(choices: frozenset[Any]) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not str or value not in choices:
            raise Unsure
        return value

    return read


def _list(inner: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise Unsure
        return [inner(item) for item in value]

    return read
