"""The plot: an SVG written by hand, a panel of horizontal bars for each case."""

from collections.abc import Sequence
from html import escape

from benchmarks.cases.imports import DEPENDENCIES
from benchmarks.clients import BOUND, SUBJECT
from benchmarks.results import Result
from benchmarks.summary import Row
from benchmarks.table import figure

_WIDTH = 860
_NAME = 130
_BAR = 440
_LINE = 24
_HEAD = 46
_GAP = 22
_MARGIN = 24

_KINDS = {SUBJECT: "subject", BOUND: "bound", DEPENDENCIES: "bound"}
"""The style of a bar; a peer's where none is given."""

_STYLE = """\
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
.page { fill: #ffffff; }
.title { font-size: 15px; font-weight: 600; }
.note { fill: #57606a; font-size: 12px; }
.name { text-anchor: end; }
.subject-name { font-weight: 600; }
.axis { stroke: #d0d7de; }
.peer { fill: #9aa7b4; }
.bound { fill: #e3e7eb; }
.subject { fill: #1f6feb; }
.failed { fill: #cf222e; font-size: 12px; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .page { fill: #0d1117; }
  .note { fill: #9198a1; }
  .axis { stroke: #3d444d; }
  .peer { fill: #5b6672; }
  .bound { fill: #2a313a; }
  .subject { fill: #4493f8; }
  .failed { fill: #f85149; }
}"""


def draw(results: Sequence[Result], reference: str) -> str:
    """Return the whole SVG document; each bar tells its figure and its ratio to `reference`."""
    panels, top = [], _MARGIN
    for result in results:
        panels.append(_panel(result, top, reference))
        top += _HEAD + _LINE * len(result.rows) + _GAP
    height = top + _MARGIN - _GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>{escape(f'{SUBJECT} beside its peers')}</title>",
            f"<style>\n{_STYLE}\n</style>",
            '<rect class="page" width="100%" height="100%"/>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(result: Result, top: int, reference: str) -> str:
    case = result.case
    better = "more is better" if case.higher_is_better else "less is better"
    note = ", ".join(word for word in (case.unit, better, result.loop) if word)
    note += f" (in brackets: how many times better than {reference})"
    longest = max((row.median for row in result.rows if row.median is not None), default=0.0)
    first = top + _HEAD
    bottom = first + _LINE * len(result.rows) - 4
    return "\n".join(
        [
            f'<text class="title" x="{_MARGIN}" y="{top + 14}">{escape(case.title)}</text>',
            f'<text class="note" x="{_MARGIN}" y="{top + 32}">{escape(note)}</text>',
            *(
                _line(row, first + _LINE * number, longest, reference)
                for number, row in enumerate(result.rows)
            ),
            f'<line class="axis" x1="{_NAME}" y1="{first - 4}" x2="{_NAME}" y2="{bottom}"/>',
        ]
    )


def _line(row: Row, y: int, longest: float, reference: str) -> str:
    kind = _KINDS.get(row.client, "peer")
    name = (
        f'<text class="name {kind}-name" x="{_NAME - 8}" y="{y + 13}">{escape(row.client)}</text>'
    )
    if row.median is None:
        text = escape(f"failed: {row.failure}"[:100])
        return f'{name}\n<text class="failed" x="{_NAME + 8}" y="{y + 13}">{text}</text>'
    length = max(1.0, _BAR * max(row.median, 0.0) / longest) if longest > 0 else 1.0
    label = figure(row.median)
    if row.to_reference is not None:
        label += f" ({row.to_reference:.2f})"
    return (
        f"{name}\n"
        f'<rect class="{kind}" x="{_NAME}" y="{y}" width="{length:.1f}" height="17" rx="2"/>\n'
        f'<text x="{_NAME + length + 8:.1f}" y="{y + 13}">{escape(label)}</text>'
    )
