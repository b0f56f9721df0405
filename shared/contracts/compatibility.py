"""Whether published contracts may follow earlier ones: what was sent must stay readable, by old and by new readers.

Pure functions over the documents in `published/`. A request is read by its owner and sent by older callers; an answer
is the other way round; an event goes both ways: older readers get new events, and new readers get those of last year.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_LOWER, _UPPER = ("minimum", "minLength"), ("maximum", "maxLength")
_NEWER = ("the owner", "readers of after the change")
_OLDER = ("older callers", "readers of before the change")


def breaks(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> list[str]:
    """Why the contracts `after` must not follow those `before`, each by its name; empty when they may."""
    found: list[str] = []
    for name, old in sorted(before.items()):
        if name not in after:
            if not old.get("deprecated"):
                found.append(f"{name}: taken away without having been deprecated before")
        else:
            found += [f"{name}: {problem}" for problem in _of(name, old, after[name])]
    return found


def _of(name: str, old: Schema, new: Schema) -> Iterator[str]:
    if ".event." in name:
        yield from event(old, new)
        return
    before, after = old["$defs"], new["$defs"]
    yield from request(before["request"], after["request"])
    yield from answer(before["answer"], after["answer"])


def event(old: Schema, new: Schema) -> Iterator[str]:
    """Both ways: nothing about its fields may change, but an optional one may come."""
    yield from removed(old, new, "readers wait for it")
    yield from unreadable(old, new, _NEWER[1])
    yield from unreadable(new, old, _OLDER[1])


def request(old: Schema, new: Schema) -> Iterator[str]:
    """What older callers send must be taken, and mean the same."""
    yield from removed(old, new, "callers still send it")
    yield from unreadable(old, new, _NEWER[0])
    for field, shape in old["properties"].items():
        now = new["properties"].get(field, shape)
        if "default" in shape and "default" in now and shape["default"] != now["default"]:
            yield f"{field}: left out it meant {shape['default']!r}, and now {now['default']!r}"


def answer(old: Schema, new: Schema) -> Iterator[str]:
    """Older callers must be able to read it."""
    yield from removed(old, new, "callers read it")
    yield from unreadable(new, old, _OLDER[0])


def removed(old: Schema, new: Schema, why: str, path: str = "") -> Iterator[str]:
    """Fields that are gone, at any depth."""
    for field, shape in old.get("properties", {}).items():
        now = new.get("properties", {}).get(field)
        if now is None:
            yield f"{path}{field}: removed, and {why}"
        else:
            yield from removed(shape, now, why, f"{path}{field}.")
    if "items" in old and "items" in new:
        yield from removed(old["items"], new["items"], why, f"{path}[].")


def unreadable(sent: Schema, read: Schema, reader: str, path: str = "") -> Iterator[str]:
    """What may be sent by `sent` and is not taken by a reader who goes by `read`."""
    here = path.removesuffix(".") or "the whole"
    if surplus := sorted(_types(sent) - _types(read)):
        yield f"{here}: {' or '.join(surplus)} is not taken by {reader}"
        return
    yield from (f"{here}: {problem} {reader}" for problem in _limits(sent, read))
    have, must = set(sent.get("required", ())), set(read.get("required", ()))
    known = set(sent.get("properties", {}))
    for field in sorted(must - have):
        how = "not always there" if field in known else "not there"
        # What a new sender has no more is said by `removed`.
        if field in known or reader in _NEWER:
            yield f"{path}{field}: {how}, and required by {reader}"
    for field, shape in sent.get("properties", {}).items():
        if field in read.get("properties", {}):
            yield from unreadable(shape, read["properties"][field], reader, f"{path}{field}.")
    if "items" in sent and "items" in read:
        yield from unreadable(sent["items"], read["items"], reader, f"{path}[].")


def _types(shape: Schema) -> set[str]:
    """The JSON types that a schema takes; all of them where it says nothing."""
    said = shape.get("type", ["object", "array", "string", "integer", "number", "boolean", "null"])
    found = {said} if isinstance(said, str) else set(said)
    return found | {"integer"} if "number" in found else found


def _limits(sent: Schema, read: Schema) -> Iterator[str]:
    if "enum" in read:
        values = [v for v in sent.get("enum", ()) if v not in read["enum"]] if "enum" in sent else ["any other value"]
        if values:
            yield f"{', '.join(map(str, values))} is refused by"
    if "pattern" in read and read["pattern"] != sent.get("pattern"):
        yield f"other than {read['pattern']} is refused by"
    for limit in _LOWER:
        if limit in read and sent.get(limit, float("-inf")) < read[limit]:
            yield f"less than {limit} {read[limit]} is refused by"
    for limit in _UPPER:
        if limit in read and sent.get(limit, float("inf")) > read[limit]:
            yield f"more than {limit} {read[limit]} is refused by"
