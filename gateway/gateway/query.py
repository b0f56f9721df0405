"""Query parameters, as strictly as bodies: unknown, repeated and ill-formed ones are field errors."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache, lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from shared.contracts import schema
from shared.contracts.errors import FieldError, ValidationFailed

T = TypeVar("T")


def read_query(cls: type[T] | None, query_string: bytes) -> T | None:
    """An instance of `cls` from the query string. Raises ValidationFailed; without `cls` every parameter is unknown.

    Instances are immutable: the same question gets the same one.
    """
    found: T | None = _kept(cls, query_string) if len(query_string) <= _SHORT else _read(cls, query_string)
    return found


def _read(cls: type[T] | None, query_string: bytes) -> T | None:
    if not query_string and cls is None:
        return None
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except (UnicodeDecodeError, ValueError):
        raise ValidationFailed.of("query", "invalid", "Not a query string.") from None
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    kinds = _kinds(cls) if cls is not None else {}  # type: ignore[arg-type]  # a class is hashable
    for name, text in pairs:
        if name not in kinds:
            errors.append(FieldError(field=name[:100], code="unknown_field", message="Unknown query parameter."))
        elif name in values:
            errors.append(FieldError(field=name, code="repeated", message="Given more than once."))
        else:
            values[name] = _value(kinds[name], text)
    if errors:
        raise ValidationFailed(errors=errors)
    return None if cls is None else schema.load_closed(cls, values)


_kept: Any = lru_cache(maxsize=1024)(_read)
_SHORT = 256


@cache
def _kinds(cls: type) -> dict[str, type]:
    hints = typing.get_type_hints(cls)
    found = {}
    for field in dataclasses.fields(cls):
        members = [m for m in typing.get_args(hints[field.name]) if m is not type(None)]
        found[field.name] = members[0] if members else hints[field.name]
    return found


def _value(kind: type, text: str) -> Any:
    if kind is int and text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    if kind is bool and text in ("true", "false"):
        return text == "true"
    # Left as text where it does not fit: the schema names the field.
    return text if "\0" not in text else "\N{REPLACEMENT CHARACTER}"
