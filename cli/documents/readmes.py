"""The middle of each service's README: what it answers, announces and hears. What is outside the marks is by hand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from textwrap import fill

from cli import common
from cli.documents import sources
from shared.devstack.registry import SERVICES

BEGIN, END = "<!-- written by ./nexus docs: {} -->", "<!-- end -->"


class Unmarked(LookupError):
    """A README that does not say where a part is to be written."""


def written() -> Iterator[tuple[str, str]]:
    """The README of each service, with its three parts in place. Raises Unmarked."""
    for service in SERVICES:
        path = f"services/{service}/README.md"
        text = (common.ROOT / path).read_text()
        for part, write in PARTS.items():
            text = replaced(text, part, write(service), path)
        yield path, text


def replaced(text: str, part: str, written: str, path: str) -> str:
    """`text` with `written` between the marks of a part. Raises Unmarked."""
    begin = BEGIN.format(part)
    pattern = re.compile(rf"{re.escape(begin)}\n.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise Unmarked(f"{path} must have one {begin} and {END} behind it")
    return pattern.sub(lambda _: f"{begin}\n{written}\n{END}", text)


def answers(service: str) -> str:
    """The names of its methods, and where they are described."""
    names = " ".join(f"`{method.name}`" for method in sources.methods(service))
    described = f"[what each takes, gives and raises](../../docs/reference/calls.md#{service})"
    return _filled(f"{names}: {described}.") if names else "Nothing but `health`."


def announces(service: str) -> str:
    """Its events, what they say, and who hears them."""
    told = [event for event in sources.events() if event.owner == service]
    if not told:
        return "Nothing."
    lines = ["| event | says | heard by |", "|---|---|---|"]
    for event in told:
        first = (inspect.getdoc(event) or "").split("\n\n")[0].replace("\n", " ")
        lines.append(f"| `{event.type}` | {first} | {', '.join(event.readers) or '-'} |")
    return "\n".join(lines)


def listens(service: str) -> str:
    """What it hears, by owner."""
    heard: dict[str, list[str]] = {}
    for event in sources.events():
        if service in event.readers:
            heard.setdefault(event.owner, []).append(f"`{event.type}`")
    return "\n".join(_filled(f"- of {owner}: {' '.join(types)}") for owner, types in heard.items()) or "To nobody."


def _filled(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    return fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


PARTS: dict[str, Callable[[str], str]] = {"answers": answers, "announces": announces, "listens": listens}
