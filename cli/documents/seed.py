"""Reads the inventory of the monolith (docs/seed-inventory.txt): every name in it, by the heading it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cli import common

PATH = "docs/seed-inventory.txt"
_NOT_VALUES = frozenset({"FK", "FKs", "JSON"})


@dataclass(frozen=True)
class Name:
    """A name, and what the inventory says of it; `model` for a field or one of its values, `field` for a value."""

    heading: str
    text: str
    model: str | None = None
    field: str | None = None
    more: str = ""

    @property
    def key(self) -> str:
        """Its name under its heading: `Trade.status.OPEN`."""
        return ".".join(part for part in (self.model, self.field, self.text) if part)


def names() -> list[Name]:
    """All of them, in order; each heading that is a file is a name itself."""
    found: list[Name] = []
    heading, model, block = "", None, False
    for line in (common.ROOT / PATH).read_text().splitlines():
        if line.startswith("##"):
            heading, model = _heading(line), None
            if line.startswith("###"):
                found.append(Name(heading, heading))
        elif line.startswith("```"):
            block = not block
        elif block:
            found += [Name(heading, one) for one in _in_block(line)]
        elif re.match(r"\s+- ", line) and model is not None:
            found += _fields(heading, model, line.strip(" -"))
        elif line.startswith(("- ", "✅ ")):
            made = _bullet(heading, line[2:].strip())
            model = made.text
            found.append(made)
        elif named := re.match(r"\*\*(?:Class|Content):\*\* `(\w+)", line):
            found.append(Name(heading, named[1]))
    return found


def _heading(line: str) -> str:
    return re.sub(r"^#+\s*[^\w./\[]*\s*", "", line).strip()


def _in_block(line: str) -> list[str]:
    """Of a list of variables each one, and the paths of a router; other blocks show names that are listed anyway."""
    return re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", line) if _is_list(line) else re.findall(r'path\("([^"]+)"', line)


def _is_list(line: str) -> bool:
    """A block of names between commas, and not code."""
    return re.fullmatch(r"[A-Z_]+(, ?[A-Z_]+)*,? ?", line) is not None


def _bullet(heading: str, text: str) -> Name:
    if found := re.match(r"`(?:python )?([^`]+)`", text):
        quoted = found[1]
        return Name(heading, re.sub(r"\(.*", "", quoted), more=text[found.end() :].strip(" -"))
    plain = text.replace("**", "")
    head, _, rest = plain.partition(":" if ":" in plain else " = ")
    return Name(heading, head.strip(), more=rest.strip())


def _fields(heading: str, model: str, text: str) -> Iterator[Name]:
    head, _, rest = text.partition("(")
    first = ""
    for one in head.split(","):
        first = first or one.strip()
        yield Name(heading, one.strip(), model, more=f"({rest}" if rest else "")
    values = [word for word in re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", rest) if len(word) > 1 and word not in _NOT_VALUES]
    if first == "level":
        values = [word.strip(" )") for word in rest.split(",")]
    for value in values:
        yield Name(heading, value, model, field=first)
