"""Rows as they are shown, with their JSON, kept for as long as they do not change.

Most of what is listed never changes again. A list then asks the database which rows it has and in which version, and
fetches and writes out only those that are not here. What is here is never a guess: the version is the database's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from shared.chassis import wire
from shared.chassis.pagination import Listing

View = Mapping[str, Any]
Fetch = Callable[[list[str]], Iterable[tuple[str, "str | None", View]]]
"""From some ids to (id, version, view), in any order; the version is None for what is not to be kept."""
SIZE = 20_000


class Views:
    """The views of one table in this process, the most recently used ones."""

    def __init__(self, *, size: int = SIZE) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[str, str], tuple[View, bytes]] = OrderedDict()

    def page(
        self,
        listing: Listing,
        rows: Sequence[RowMapping],
        limit: int,
        *,
        position: Callable[[RowMapping], Sequence[str | int | bool]],
        fetch: Fetch,
    ) -> wire.Written:
        """The public page of `rows`, which have an `id` and a `mark`, their version. Rows of such a table never go."""
        found = self._find(rows[:limit], fetch)
        frame = listing.page(rows, limit, position=position, view=lambda row: found[row["id"]][0])
        results = b"[" + b",".join(found[row["id"]][1] for row in rows[:limit]) + b"]"
        rest = {name: wire.dumps(frame[name]) for name in ("has_more", "next")}
        return wire.Written(frame, {"results": results, **rest})

    def _find(self, rows: Sequence[RowMapping], fetch: Fetch) -> dict[str, tuple[View, bytes]]:
        found: dict[str, tuple[View, bytes]] = {}
        marks: dict[str, str | None] = {}
        for row in rows:
            key = (row["id"], row["mark"])
            kept = self._kept.get(key)
            if kept is None:
                marks[row["id"]] = row["mark"]
            else:
                self._kept.move_to_end(key)
                found[row["id"]] = kept
        for id_, mark, view in fetch(list(marks)) if marks else ():
            found[id_] = made = (view, wire.dumps(view))
            # A row that has changed since the first look is shown as it is now, under no version.
            if mark is not None and mark == marks[id_]:
                self._kept[id_, mark] = made
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return found


def first_pages(pages: Mapping[str, Any]) -> wire.Written:
    """One object with the results of several pages, by name."""
    results = {name: page["results"] for name, page in pages.items()}
    texts = {
        name: page.texts["results"] if isinstance(page, wire.Written) else wire.dumps(page["results"])
        for name, page in pages.items()
    }
    return wire.Written(results, texts)
