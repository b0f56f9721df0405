"""Strict JSON, the only language between processes.

Stock kombu turns `{"__type__": …}` into objects and Python's own parser takes NaN, Infinity, 1e999
and repeated keys; all of these are refused here, in both directions. So are lone surrogates and
NUL, which PostgreSQL cannot store, and bodies that are too large or too deep.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
SERIALIZER = "strictjson"
CONTENT_TYPE = "application/json"

# RFC 8259 §7 escapes that decode to NUL or to half of a surrogate pair.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class WireError(ValueError):
    """The bytes are not strict JSON, or the value cannot be written as such."""


class Written(dict[str, Any]):
    """An object whose members are written already, by `dumps` or out of what it wrote: an answer may be one."""

    __slots__ = ("texts",)

    def __init__(self, values: Mapping[str, Any], texts: Mapping[str, bytes]) -> None:
        super().__init__(values)
        self.texts = texts

    @property
    def json(self) -> bytes:
        """The object's own JSON; names are plain words."""
        return b"{" + b",".join(b'"%s":%s' % (name.encode(), text) for name, text in self.texts.items()) + b"}"


def loads(data: bytes | str) -> Any:
    """Reads one JSON document; raises WireError."""
    text = _decode(data)
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise WireError("too deep") from None
    except WireError:
        raise
    except ValueError as error:
        raise WireError(f"not JSON: {error}") from None
    # No more opening brackets than levels allowed, so it cannot be too deep: nearly every message ends here.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
    if "\\u" in text and _SUSPECT.search(text):
        _check_text(value)
    return value


def dumps(value: Any) -> bytes:
    """Writes `value` as compact UTF-8 JSON; raises WireError."""
    try:
        data = _encoder.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"cannot be written as JSON: {error}") from None
    return sized(data)


def sized(data: bytes) -> bytes:
    """The same bytes; raises WireError when they are too many for a message."""
    if len(data) > MAX_BYTES:
        raise WireError(f"larger than {MAX_BYTES} bytes")
    return data


def nameko_config() -> dict[str, Any]:
    """The part of nameko's configuration that makes this module its only serializer."""
    return {
        "SERIALIZERS": {
            SERIALIZER: {
                "encoder": "shared.chassis.wire.dumps",
                "decoder": "shared.chassis.wire.loads",
                "content_type": CONTENT_TYPE,
                "content_encoding": "utf-8",
            }
        },
        "serializer": SERIALIZER,
        "ACCEPT": [SERIALIZER],
    }


def _decode(data: bytes | str) -> str:
    if len(data) > MAX_BYTES:
        raise WireError(f"larger than {MAX_BYTES} bytes")
    if isinstance(data, str):
        return data
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        raise WireError("not UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("repeated key")
    return result


def _no_constant(name: str) -> Any:
    raise WireError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise WireError("number out of range")
    return value


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        if containers:
            depth += 1
            if depth > MAX_DEPTH:
                raise WireError("too deep")
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]


def _check_text(value: Any) -> None:
    # Written out without escapes, everything that the escapes stood for is visible.
    try:
        plain = _encoder.encode(value).encode()
    except UnicodeEncodeError:
        raise WireError("lone surrogate") from None
    if b"\\u0000" in plain.replace(rb"\\", b""):
        raise WireError("NUL in text")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
_encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
