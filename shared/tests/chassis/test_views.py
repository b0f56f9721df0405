"""Views that are kept are those of the database's own version, and page and JSON say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.chassis import wire
from shared.chassis.pagination import Listing
from shared.chassis.rpc import envelope
from shared.chassis.views import Views

LISTING = Listing("things", "somebody", {})


class Table:
    """Rows by id, and which of them were fetched whole."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.fetched: list[list[str]] = []
        self.views = Views(size=3)

    def put(self, id_: str, mark: str | None, colour: str) -> None:
        self.rows[id_] = {"id": id_, "mark": mark, "colour": colour}

    def fetch(self, ids: list[str]) -> Iterator[tuple[str, str | None, dict[str, str]]]:
        self.fetched.append(ids)
        for id_ in reversed(ids):
            yield id_, self.rows[id_]["mark"], {"id": id_, "colour": self.rows[id_]["colour"]}

    def page(self, *ids: str, limit: int = 10) -> wire.Written:
        keys: Any = [{"id": id_, "mark": self.rows[id_]["mark"]} for id_ in ids]
        return self.views.page(LISTING, keys, limit, position=lambda row: (row["id"],), fetch=self.fetch)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret of the tests")


def test_only_what_is_new_or_has_changed_is_fetched() -> None:
    table = Table()
    table.put("a", "1", "red")
    table.put("b", "1", "blue")
    assert [row["colour"] for row in table.page("a", "b")["results"]] == ["red", "blue"]
    assert [row["colour"] for row in table.page("b", "a")["results"]] == ["blue", "red"]
    table.put("b", "2", "green")
    assert [row["colour"] for row in table.page("a", "b")["results"]] == ["red", "green"]
    assert table.fetched == [["a", "b"], ["b"]]


def test_a_row_without_a_version_is_never_kept() -> None:
    table = Table()
    table.put("a", None, "red")
    table.page("a")
    table.put("a", None, "blue")
    assert table.page("a")["results"] == [{"id": "a", "colour": "blue"}]
    assert table.fetched == [["a"], ["a"]]


def test_a_row_that_changes_between_the_two_looks_is_not_kept_under_its_old_version() -> None:
    table = Table()
    table.put("a", "1", "red")
    keys: Any = [{"id": "a", "mark": "1"}]
    table.put("a", "2", "blue")
    for _ in range(2):
        page = table.views.page(LISTING, keys, 10, position=lambda row: (row["id"],), fetch=table.fetch)
        assert page["results"][0]["colour"] == "blue"
    assert table.fetched == [["a"], ["a"]]


def test_the_least_recently_used_go_first() -> None:
    table = Table()
    for id_ in "abcd":
        table.put(id_, "1", "red")
        table.page(id_)
        table.page("b") if id_ != "a" else None
    table.fetched.clear()
    table.page("a", "b", "d")
    assert table.fetched == [["a"]]


def test_the_json_is_that_of_the_page() -> None:
    table = Table()
    for id_ in "abc":
        table.put(id_, "1", 'r"e\u00e4d')
    for limit in (2, 3):
        page = table.page("a", "b", "c", limit=limit)
        assert json.loads(page.json) == page
        assert page["has_more"] is (limit == 2)
        assert envelope.success(page) == wire.dumps({"result": dict(page), "error": None})
        assert envelope.result_text(envelope.success(page)) == page.json
    assert json.loads(table.page().json) == {"results": [], "has_more": False, "next": None}


def test_a_page_that_is_too_large_for_a_message_is_refused() -> None:
    table = Table()
    table.put("a", "1", "x" * wire.MAX_BYTES)
    with pytest.raises(wire.WireError):
        envelope.success(table.page("a"))


def test_only_a_reply_of_our_own_form_is_passed_on_as_it_is() -> None:
    assert envelope.result_text(b'{"result":{"a":1},"error":null}') == b'{"a":1}'
    assert envelope.result_text(b'{"result": {"a": 1}, "error": null}') is None
    assert envelope.result_text(envelope.failure(ValueError())) is None
