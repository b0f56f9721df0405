"""Where each name of the monolith's inventory is: docs/inventory.toml says it, this checks it and writes it down."""

from __future__ import annotations

import re
import tomllib
import typing
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from cli import common
from cli.documents import sources
from cli.documents.seed import Name, names
from shared.devstack.registry import SERVICES
from shared.settings.checked import is_declared

PLACES = "docs/inventory.toml"
_OPEN, _OTHER = "open: ", "instead: "


class Lost(LookupError):
    """A name without a place, or a place that is not there."""


def written() -> Iterator[tuple[str, str]]:
    """The one document. Raises Lost."""
    places = tomllib.loads((common.ROOT / PLACES).read_text())
    known = names()
    if surplus := _surplus(places, known):
        raise Lost(f"{PLACES} places what the inventory does not name: {', '.join(surplus)}")
    rows = [(name, place(name, places)) for name in known]
    if problems := [f"{name.heading}: {name.key}: {one}" for name, text in rows for one in missing(text)]:
        raise Lost(f"{PLACES} names what is not there. {'; '.join(problems)}")
    yield "docs/inventory.md", "\n".join(_lines(rows)) + "\n"


def place(name: Name, places: Mapping[str, Any]) -> str:
    """What the file says of a name, else where the model's field or value is found. Raises Lost."""
    said = places.get(name.heading, {}).get(name.key)
    if said is not None:
        return str(said)
    if name.model in places["models"]:
        model = places["models"][name.model]
        if name.field is None:
            return _field(name, model)
        if file := model.get("values", {}).get(name.field):
            return f"`{file}:{name.text}`"
    raise Lost(f"{PLACES} has no place for {name.key} under {name.heading}")


def missing(text: str) -> list[str]:
    """What a place names and what is not there: routes, verbs, files and words in them, tables, events, calls."""
    return [f"there is no {token}" for token in re.findall(r"`([^`]+)`", text) if not _there(token)]


def _there(token: str) -> bool:
    if route := re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (/\S+)", token):
        return (route[1], route[2].partition("?")[0]) in _routes()
    if verb := re.match(r"\./nexus (\S+)", token):
        return verb[1] in {*import_module("manage").VERBS, "help"}
    if re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+", token):
        return is_declared(token)
    if re.fullmatch(r"[a-z]+(\.[a-z_]+){1,2}", token) and token.partition(".")[0] in SERVICES:
        return token in _known()
    path, _, word = token.partition(":")
    file = common.ROOT / path
    return file.exists() and (not word or re.search(rf"\b{re.escape(word)}\b", file.read_text()) is not None)


@cache
def _routes() -> set[tuple[str, str]]:
    from gateway.routes import ENDPOINTS

    return {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


@cache
def _known() -> set[str]:
    """Events, calls, tables and columns, each with its owner before it."""
    found = {f"{event.owner}.{event.type}" for event in sources.events()}
    for service in SERVICES:
        found |= {f"{service}.{method.name}" for method in sources.methods(service)}
        for table in import_module(f"{service}.models").metadata.tables.values():
            found |= {f"{service}.{table.name}"} | {f"{service}.{table.name}.{one.name}" for one in table.columns}
    return found


def _field(name: Name, model: Mapping[str, Any]) -> str:
    """A column, and what the API calls it; a reference to something else ends in `_id`."""
    owner, _, view = model["view"].partition(".")
    shown = typing.get_type_hints(getattr(import_module(f"shared.contracts.{owner}.rpc"), view))
    for field in (name.text, f"{name.text}_id"):
        if f"{model['table']}.{field}" in _known() and field in shown:
            return f"`{model['table']}.{field}`, {field} in the API"
    raise Lost(f"{name.key} is no column of {model['table']} that {model['view']} shows; say in {PLACES} where it is")


def _surplus(places: Mapping[str, Any], known: list[Name]) -> list[str]:
    have = {(name.heading, name.key) for name in known}
    said = {(heading, key) for heading, keys in places.items() if heading != "models" for key in keys}
    models = {name.model for name in known}
    return [f"{heading}: {key}" for heading, key in sorted(said - have)] + sorted(set(places["models"]) - models)


def _lines(rows: list[tuple[Name, str]]) -> Iterator[str]:
    counts = Counter(_state(text) for _, text in rows)
    yield "# Where the monolith's names are"
    yield ""
    yield f"Generated from `{Path(PLACES).name}` by `./nexus docs`, which refuses a name of [the inventory][seed]"
    yield "without a place, and a place that is not there. `service.table.column` is a column; references end in `_id`."
    yield ""
    yield "[seed]: seed-inventory.txt"
    yield ""
    yield f"{counts['here']} names are here, {counts['otherwise']} are solved otherwise, {counts['open']} are open."
    heading = ""
    for name, text in rows:
        if name.heading != heading:
            heading = name.heading
            yield from ("", f"## {heading}", "", "| name | place | |", "|---|---|---|")
        state = _state(text)
        shown = text.removeprefix(_OPEN).removeprefix(_OTHER)
        said = f" {name.more}" if name.more and name.model is None and not name.more.startswith("(") else ""
        yield f"| `{name.key.replace('`', '')}`{said} | {shown} | {'' if state == 'here' else f'**{state}**'} |"


def _state(text: str) -> str:
    return "open" if text.startswith(_OPEN) else "otherwise" if text.startswith(_OTHER) else "here"
