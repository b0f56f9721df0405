"""Bars as SVG: one panel for what is done in a second, one for the CPU that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

_BAR, _GAP, _HEAD, _LABEL, _PANEL, _MARGIN = 16, 6, 46, 120, 300, 20
_COLOURS = ("#2f6f9f", "#b5651d")


@dataclass(frozen=True)
class Panel:
    """Bars from zero; `mark` is a line across all of them: what they are compared with."""

    title: str
    bars: Sequence[tuple[str, float]]
    mark: float | None = None


def panels(rows: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """Ratios where two targets were measured, else the figures of the one."""
    label = {id(one): f"{one['scenario']}, {one['clients']}" for one in rows}
    if all("ratio" in one for one in rows):
        ours, theirs = rows[0]["targets"]
        return [
            Panel(
                f"{title}: {ours} ÷ {theirs}",
                [(label[id(one)], one["ratio"][key]) for one in rows if key in one["ratio"]],
                mark=1.0,
            )
            for key, title in (("rate", "done in a second"), ("cpu_ms_total", "CPU for each"))
        ]
    (name,) = rows[0]["targets"]
    return [
        Panel(title, [(label[id(one)], one["targets"][name][key]) for one in rows if key in one["targets"][name]])
        for key, title in (("rate", f"{name}: done in a second"), ("cpu_ms_total", "ms of CPU for each"))
    ]


def draw(found: Sequence[Panel]) -> str:
    """The panels side by side."""
    height = _HEAD + max(len(panel.bars) for panel in found) * (_BAR + _GAP) + _MARGIN
    width = _MARGIN + len(found) * (_LABEL + _PANEL + _MARGIN)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(found):
        left = _MARGIN + number * (_LABEL + _PANEL + _MARGIN)
        parts += _panel(panel, left, height, _COLOURS[number % len(_COLOURS)])
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, left: int, height: int, colour: str) -> list[str]:
    zero = left + _LABEL
    # The longest bar leaves room for its figure.
    scale = (_PANEL - 50) / max([value for _, value in panel.bars] + [panel.mark or 0.0, 1e-9])
    parts = [f'<text x="{zero}" y="{_HEAD - 20}" font-weight="bold">{escape(panel.title)}</text>']
    for number, (label, value) in enumerate(panel.bars):
        top, length = _HEAD + number * (_BAR + _GAP), max(1.0, value * scale)
        middle = top + _BAR - 4
        parts.append(f'<text x="{zero - 8}" y="{middle}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="{zero}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{zero + length + 5:.1f}" y="{middle}">{value:.4g}</text>')
    if panel.mark is not None:
        at = zero + panel.mark * scale
        parts.append(
            f'<line x1="{at:.1f}" y1="{_HEAD - 8}" x2="{at:.1f}" y2="{height - _MARGIN + 4}" stroke="#222222"'
            ' stroke-dasharray="4 3"/>'
        )
    return parts
