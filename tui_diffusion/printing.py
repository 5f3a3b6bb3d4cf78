"""What the commands print for a person, where they are not asked for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .core.glossary import of_key
from .core.store import Summary, age_text
from .core.values import coordinate, format_value, shown, threads_text


def print_presets(rows: Iterable[Mapping[str, Any]]) -> None:
    """The experiments, as ``list --json`` has them."""
    words, numbers = ("experiment", "title", "script"), ("steps", "levels")
    lines = [
        (
            str(row["id"]),
            str(row["title"]),
            "your own" if row["own"] else str(row["script"] or "–"),
            f"{row['steps']:,}",
            str(row["levels"]),
        )
        for row in rows
    ]
    table = _table(words, numbers)
    console = Console()
    widths = [max(map(len, cells)) for cells in zip((*words, *numbers), *lines, strict=True)]
    for column, width in zip(table.columns, widths, strict=True):
        column.no_wrap, column.min_width = True, width
    # In a narrow terminal the title gives way; a name that is cut could not be typed.
    title = table.columns[1]
    title.min_width = None
    title.max_width = max(8, console.width - sum(widths) + widths[1] - 3 * len(widths) + 2)
    for name, *others in lines:
        table.add_row(f"[bold]{name}[/]", *others)
    console.print(table)


def print_runs(found: Sequence[Summary]) -> None:
    """The runs on disk, and what is wrong with those that cannot be opened."""
    console = Console(highlight=False)
    rows = []
    for summary in found:
        about, cells = summary.about, [summary.label, str(summary.standing), "", "", ""]
        if about is not None:
            energy = _number((about.quality or {}).get("energy_distance"))
            cells[2:] = f"{about.step:,}/{about.steps:,}", energy, age_text(summary.age())
        rows.append(cells)
    heads = ["run", "state", "steps", "energy", "age"]
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)]
    # A name that is broken could not be copied: in a narrow terminal the energy gives way.
    if sum(widths) + 2 * len(heads) > console.width:
        for cells in (heads, *rows):
            del cells[3]
    table = _table(heads, overflow="fold")
    table.padding = (0, 1, 0, 0)
    table.columns[0].min_width = min(widths[0], console.width // 2)
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    for summary in found:
        if summary.about is None:
            console.print(f" {summary.label}: {summary.reason}", markup=False, soft_wrap=True)


def print_report(report: Mapping[str, Any]) -> None:
    """A training or a sample."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    sampled, target = report["sample"], report["target"]
    name = shown(report["experiment"])
    table.add_row("experiment", Text(f"{name}, seed {report['seed']}"))
    if "steps" in report:
        threads = threads_text(report["threads"])
        rate = f"{report['steps_per_second']:,.0f} steps/s"
        table.add_row("training", f"{report['steps']:,} steps in {report['seconds']:.1f} s, {rate}")
        why = shown(report["device_reason"])
        table.add_row("device", Text(f"{report['device']}, {threads} ({why})"))
        final = report["loss"]["final"]
        floor, excess = report["loss"]["floor"], report["loss"]["excess"]
        table.add_row(
            "loss", "–" if final is None else f"{format_value(final)}, the last steps' mean"
        )
        if excess is not None:
            expected = f"{floor + excess:.3g}, {excess:.3g} above its floor of {floor:.3g}"
            table.add_row("expected loss", expected)
    for name in ("mean", "std"):
        seen, goal = (_coordinates(of[name], target["std"]) for of in (sampled, target))
        table.add_row(name, f"{seen}   goal {goal}")
    distance = sampled["nearest_mode_distance"]
    if distance is not None:
        table.add_row("squared distance to the nearest mode", _number(distance))
    table.add_row(
        "energy distance",
        f"{_number(sampled['energy_distance'])}"
        f"   real data {_number(sampled['energy_distance_real'])}",
    )
    if report["run"]:
        table.add_row("run", Text(shown(report["run"])))
    Console(highlight=False).print(table)


def print_evaluation(report: Mapping[str, Any]) -> None:
    """How good a run is: quality, loss at every level, and where the error comes from."""
    console = Console(highlight=False)
    who = "exact denoiser" if report["ideal"] else "network"
    name = shown(report["experiment"])
    console.print(
        f"{name}, {who}, {report['sampler']}, {len(report['levels'])} levels\n", markup=False
    )
    quality = _table(("metric",), ("sample", "real data"))
    metrics, target = report["metrics"], report["target"]
    for name in ("mean", "std"):
        rows = zip("xy", metrics[name], target[name], target["std"], strict=False)
        for axis, value, goal, std in rows:
            texts = (_coordinates([number], [std]) for number in (value, goal))
            quality.add_row(f"{name} {axis}", *texts)
    for key in (name for name in metrics if f"{name}_real" in metrics):
        if metrics[key] is not None:
            row = (_number(metrics[key]), _number(metrics[f"{key}_real"]))
            quality.add_row(of_key(key).name, *row)
    console.print(quality)

    columns = ("sigma", "alpha", "loss", "floor", "excess", "amplification", "amplification_out")
    levels = _table((), ("level", *columns[:-2], "eps error x", "in the end x"))
    for row in report["levels"]:
        levels.add_row(str(row["level"]), *(_number(row[name]) for name in columns))
    console.print(levels)
    console.print(
        "eps error x: how many times as large an error in eps_hat is after its step;\n"
        "in the end x: in the sample, where the ideal denoiser takes all later steps.\n"
    )

    parts = report["attribution"]
    shares = ", ".join(f"{n} {_number(parts[n])}" for n in ("start", "network", "discretisation"))
    console.print(f"error {_number(parts['total'])}: {shares}; mainly {parts['main']}")
    start = report["start"]
    console.print(
        f"start: alpha_bar {_number(start['alpha_bar'])}, data's std over the noise's "
        f"{_number(start['signal'])}, energy distance to the noisiest level "
        f"{_number(start['distance'])}"
    )


def _table(
    words: Iterable[str],
    numbers: Iterable[str] = (),
    *,
    overflow: Literal["fold", "ellipsis"] = "ellipsis",
) -> Table:
    """An empty table with columns of words, and then of numbers at their right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in words:
        table.add_column(name, overflow=overflow)
    for name in numbers:
        table.add_column(name, overflow=overflow, justify="right")
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _coordinates(values: Sequence[float | None], stds: Sequence[float]) -> str:
    """Each to four decimals, or to what a coordinate of so wide or narrow data calls for."""
    pairs = zip(values, stds, strict=True)
    return ", ".join(
        "–" if value is None else coordinate(value, 4, 1.0 if 1e-2 <= std <= 1e3 else std)
        for value, std in pairs
    )
