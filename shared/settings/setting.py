"""What a declaration of a setting says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "whole number", "number", "decimal", "yes or no", "list", "path", "URL"]


@dataclass(frozen=True)
class Setting:
    """One variable; `*` in its name stands for a service, in capitals.

    `default` is as it would stand in the environment, None where there is none; `default_dev` in dev and test, where it
    differs. `readers`: services, `gateway`, `relay`, `tests`, `benchmarks`; `all` is every running process, `beside`
    are programs that use `shared/database`; `cli` where nobody else reads it.
    """

    name: str
    kind: Kind
    default: str | None
    readers: tuple[str, ...]
    meaning: str
    unit: str = ""
    default_dev: str | None = None


@dataclass(frozen=True)
class Section:
    """Settings that are looked at together; `by_hand`: people set them, else whatever starts the process does."""

    title: str
    settings: tuple[Setting, ...]
    by_hand: bool = True


def declare(
    name: str, kind: Kind, default: str | None, readers: str, meaning: str, *, unit: str = "", dev: str | None = None
) -> Setting:
    """A setting on one line; `readers` are separated by blanks."""
    return Setting(name, kind, default, tuple(readers.split()), meaning, unit, dev)
