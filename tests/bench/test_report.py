"""From runs to figures, table and picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.bench import parts, picture, report

SVG = "{http://www.w3.org/2000/svg}"


def figures(rate: float, *, complete: bool = True, **changes: Any) -> dict[str, Any]:
    found = {
        "complete": complete,
        "rate": rate,
        "p50": 1000 / rate,
        "p99": 3000 / rate,
        "cpu_ms": {"app": 500 / rate, "postgres": 100 / rate},
        "cpu_ms_total": 600 / rate,
        "memory_mb": {"app": 60.0, "postgres": 40.0},
        "most_waiting": {},
        "errors": {},
        "repeated": 0,
    }
    return found | changes


@pytest.fixture
def rows() -> list[Mapping[str, Any]]:
    ours, theirs = [figures(rate) for rate in (190, 200, 260)], [figures(rate) for rate in (90, 100, 120)]
    return [report.row("read", 8, {"nexus": ours, "monolith": theirs})]


def test_medians_are_of_complete_runs_only() -> None:
    runs = [figures(100), figures(9000, complete=False), figures(120), figures(110)]
    found = report.medians(runs)
    assert (found["rate"], found["runs"], found["incomplete_runs"]) == (110, 3, 1)
    assert found["rate_range"] == [100, 120]


def test_runs_of_which_none_is_complete_have_measured_nothing() -> None:
    found = report.row("lifecycle", 8, {"nexus": [figures(5, complete=False)], "monolith": [figures(5)]})
    assert "rate" not in found["targets"]["nexus"]
    assert found["ratio"] == {}
    assert "NOT COMPLETE" in report.table([found])


def test_places_where_nothing_waited_in_some_runs() -> None:
    runs = [
        figures(1, most_waiting={"outbox of trades": 40}),
        figures(1),
        figures(1, most_waiting={"queue of audit": 6}),
    ]
    assert report.medians(runs)["most_waiting"] == {"outbox of trades": 0, "queue of audit": 0}


def test_ratios_are_the_first_to_the_second(rows: list[Mapping[str, Any]]) -> None:
    assert rows[0]["ratio"] == {"rate": 2.0, "p50": 0.5, "p99": 0.5, "cpu_ms_total": 0.5, "memory_mb_total": 1.0}


def test_the_table_has_both_and_their_ratio(rows: list[Mapping[str, Any]]) -> None:
    lines = report.table(rows).splitlines()
    assert lines[1].split()[:4] == ["read", "8", "nexus", "200.0"]
    assert lines[2].split()[:2] == ["monolith", "100.0"]
    assert lines[3].split()[:2] == ["ratio", "2.00"]


def test_the_table_says_what_went_wrong() -> None:
    found = report.row("open", 8, {"nexus": [figures(5, errors={"open 503": 2}, repeated=3, other_cores=1.5)]})
    text = report.table([found])
    assert all(words in text for words in ("2 x open 503", "3 repeated", "others used 1.5 cores"))


def test_bars_are_as_long_as_their_figures(rows: list[Mapping[str, Any]]) -> None:
    rows = [*rows, report.row("open", 8, {"nexus": [figures(400)], "monolith": [figures(100)]})]
    drawn = ET.fromstring(picture.draw(picture.panels(rows)))  # noqa: S314  # it is our own
    bars = [float(bar.attrib["width"]) for bar in drawn.iter(f"{SVG}rect")][1:]
    assert bars[1] == pytest.approx(2 * bars[0], rel=0.01)
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert "done in a second: nexus ÷ monolith" in texts
    assert {"read, 8", "open, 8", "2", "4", "0.5", "0.25"} <= set(texts)


def test_one_target_alone_is_drawn_in_its_own_figures() -> None:
    found = picture.panels([report.row("read", 8, {"nexus": [figures(200)]})])
    assert [panel.bars for panel in found] == [[("read, 8", 200)], [("read, 8", 3.0)]]


def test_parts_are_measured_by_their_targets() -> None:
    hop = {"width": 32, "client_ms": 0.2}
    found = parts.parts(
        rpc_hop=[
            {**hop, "hop": "raw kombu <- raw kombu", "sum_ms": 0.5},
            {**hop, "hop": "chassis <- chassis", "sum_ms": 0.7},
            {**hop, "hop": "chassis <- gateway", "sum_ms": 0.6},
        ],
        gateway_request={"gateway_ms": 0.9, "bare_ms": 0.1},
        events={"handled in batches": {"own_ms": 0.2}, "relay": {"events_per_s": 6000}},
        ledger={"postings on one house account": {"per_second": 2400, "p99_ms": 20}},
    )
    assert [part.ok for part in found] == [False, True, True, False, True, True]
    assert found[1].figure == pytest.approx(0.6)
