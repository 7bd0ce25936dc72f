"""A ladder as a table, as a picture, and as a page of its own that needs nothing from elsewhere."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.workshop.ladder import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("method", "accuracy", "95 % interval", "macro-F1", "parameters", "bytes", "seconds", "ms a text")
# What a method costs: the axis' name and how it is read from a record. All on logarithmic scales.
COSTS: tuple[tuple[str, Callable[[Record], float]], ...] = (
    ("trained parameters", lambda record: record.parameters),
    ("stored bytes", lambda record: record.bytes),
    ("training seconds", lambda record: record.seconds),
    ("milliseconds a text", lambda record: record.latency),
)
MARKERS = "osD^vP*X"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ padding: .35rem .6rem; border-bottom: 1px solid #ccc; text-align: right }}
th:first-child, td:first-child {{ text-align: left }}
svg {{ width: 100%; height: auto }}
</style>
<h1>{title}</h1>
<p>{caption}</p>
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
{plot}
</html>
"""


def table(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """A row of texts for each record, under `COLUMNS`."""
    return [
        (
            record.name,
            f"{record.accuracy.value:.3f}",
            f"{record.accuracy.low:.3f} to {record.accuracy.high:.3f}",
            f"{record.metrics['macro_f1'].value:.3f}",
            f"{record.parameters:,}",
            f"{record.bytes:,}",
            f"{record.seconds:.1f}",
            f"{record.latency:.1f}",
        )
        for record in records
    ]


def figure(records: Sequence[Record]) -> Figure:
    """Accuracy with its interval over each of the four costs."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(10, 6.5), layout="constrained")
    axes = drawn.subplots(2, 2, sharey=True)
    lowest = min(record.accuracy.low for record in records)
    highest = max(record.accuracy.high for record in records)
    for place, (name, cost) in zip(axes.flat, COSTS, strict=True):
        values = [cost(record) for record in records]
        for number, (record, value) in enumerate(zip(records, values, strict=True)):
            metric = record.accuracy
            # A percentile interval need not hold the value itself.
            reach = [[max(0.0, metric.value - metric.low)], [max(0.0, metric.high - metric.value)]]
            place.errorbar(
                [value],
                [metric.value],
                yerr=reach,
                marker=MARKERS[number % len(MARKERS)],
                capsize=3,
                color=f"C{number % 10}",
                label=record.name if place is axes.flat[0] else None,
            )
        _scale(place, values)
        place.set_xlabel(name)
        place.set_ylabel("accuracy on dev")
        place.set_ylim(max(0.0, lowest - 0.05), min(1.03, highest + 0.05))
        place.grid(alpha=0.3)
    legend = drawn.legend(loc="outside lower center", ncols=min(3, max(1, len(records))), frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a dollar sign in a method's title is a dollar sign
    return drawn


def _scale(axis: Axes, values: Sequence[float]) -> None:
    """A logarithmic scale with a place of its own for zero, where a method costs nothing."""
    positive = [value for value in values if value > 0] or [1.0]
    first, last = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive) * 1.05))
    if min(values) > 0:
        axis.set_xscale("log")
        axis.set_xlim(min(positive) / 1.6, max(positive) * 1.6)
        return
    least = 10.0**first
    axis.set_xscale("symlog", linthresh=least, linscale=0.7)
    axis.set_xticks([0, *(10.0**power for power in range(first, last + 1))])
    axis.set_xlim(-0.3 * least, max(positive) * 1.6)


def image(records: Sequence[Record], kind: Literal["png", "svg"]) -> bytes:
    """The figure as a file; an SVG, which comes into a page, has no background of its own."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure(records).savefig(buffer, format=kind, dpi=144, metadata=metadata, transparent=kind == "svg")
    return buffer.getvalue()


def page(records: Sequence[Record], caption: str) -> str:
    """Table and figure as one HTML file."""
    svg = image(records, "svg").decode("utf-8")
    head = "".join(f"<th>{escape(column)}</th>" for column in COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table(records)
    )
    title = escape(f"Methods on {records[0].data}")
    # Without the XML declaration, which has no place within a page.
    plot = svg[svg.index("<svg") :]
    return _PAGE.format(title=title, caption=escape(caption), head=head, rows=rows, plot=plot)


def caption(record: Record) -> str:
    """What was measured on what."""
    return (
        f"{record.rows:,} rows to learn from, {record.dev_rows:,} dev rows to measure on, {record.labels} labels; "
        "accuracy with 95 % bootstrap intervals."
    )


def write(records: Sequence[Record], folder: Path) -> tuple[Path, Path]:
    """Write `ladder.png` and `ladder.html`, each whole or not at all."""
    contents = {
        "ladder.png": image(records, "png"),
        "ladder.html": page(records, caption(records[0])).encode("utf-8"),
    }
    for name, content in contents.items():
        temporary = folder / (name + ".tmp")
        temporary.write_bytes(content)
        temporary.replace(folder / name)
    return folder / "ladder.png", folder / "ladder.html"
