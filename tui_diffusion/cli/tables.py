"""The output of commands as tables, for use without ``--json``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..core.analysis.glossary import of_key
from ..core.config.value_types import coordinate, format_value
from ..core.conformance.check import Conformance, Verdict
from ..core.runs.changes import Changes
from ..core.runs.store import Summary, age_text, in_store
from ..core.text import shown, threads_text

_UNBROKEN = 100_000
"""Cells in a line of output that is not a terminal."""


def print_presets(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the experiments, with the columns of ``list --json``."""
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
    table = empty_table(words, numbers)
    out = console(highlight=True)
    widths = [max(map(len, cells)) for cells in zip((*words, *numbers), *lines, strict=True)]
    for column, width in zip(table.columns, widths, strict=True):
        column.no_wrap, column.min_width = True, width
    # In a narrow terminal the title is cut; a cut name could not be typed.
    title = table.columns[1]
    title.min_width = None
    title.max_width = max(8, out.width - sum(widths) + widths[1] - 3 * len(widths) + 2)
    for name, *others in lines:
        table.add_row(f"[bold]{name}[/]", *others)
    out.print(table)


def print_runs(runs: Sequence[Summary], changes: Mapping[Path, Changes]) -> None:
    """Print the runs on disk, with their changes from the presets, or why they cannot be opened.

    Names are never broken, so that they can be copied. In a narrow terminal, long changes take a
    line of their own, then the energy column is omitted.
    """
    out = console()
    heads = ("run", "state", "steps", "energy", "age", "changes")
    rows = [_run_cells(run, changes.get(run.folder)) for run in runs]
    widths = [max(map(cell_len, cells)) for cells in zip(heads, *rows, strict=True)]
    shown_columns, room = [0, 1, 2, 3, 4, 5], out.width
    if sum(widths) + 2 * len(heads) > room:
        shown_columns.remove(5)
    if sum(widths[:5]) + 2 * 5 > room:
        shown_columns.remove(3)

    def line(cells: Sequence[str], style: str = "") -> None:
        parts = [
            set_cell_size(cells[i], widths[i]) if i in (0, 1, 5) else cells[i].rjust(widths[i])
            for i in shown_columns
        ]
        out.print(Text("  ".join(parts).rstrip(), style), soft_wrap=True)

    line(heads, "bold")
    for cells in rows:
        line(cells)
        if 5 not in shown_columns and cells[5]:
            out.print(Text(f"    {cells[5]}", "dim"), soft_wrap=True)


def _run_cells(run: Summary, changes: Changes | None) -> tuple[str, ...]:
    about = run.about
    notes = [changes.text if changes is not None else run.reason, run.missing]
    if not in_store(run.folder):
        notes.append(f"in {shown(str(run.folder))}")
    note = "  ".join(filter(None, notes))
    if about is None:
        return run.label, str(run.standing), "", "", "", note
    energy = number_text((about.quality or {}).get("energy_distance"))
    steps = f"{about.step:,}/{about.steps:,}"
    return run.label, str(run.standing), steps, energy, age_text(run.age()), note


def print_report(report: Mapping[str, Any]) -> None:
    """Print the report of a training or a sampling."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    sample, target = report["sample"], report["target"]
    name = shown(report["experiment"])
    table.add_row("experiment", Text(f"{name}, seed {report['seed']}"))
    if "sampler" in report:
        table.add_row("sampler", f"{report['sampler']}, {report['levels']} levels")
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
        value, goal = (_coordinates(of[name], target["std"]) for of in (sample, target))
        table.add_row(name, f"{value}   goal {goal}")
    for key in ("nearest_mode_distance", "energy_distance", "off_mode", "in_mode_std_ratio"):
        if sample[key] is not None:
            real = number_text(sample[f"{key}_real"])
            table.add_row(of_key(key).name, f"{_with_chance(sample, key)}   real data {real}")
    out = console()
    if not report["run"]:
        out.print(table)
        return
    # This belongs into the first column, but must stay in one piece at any length.
    label = table.columns[0]
    label.min_width = max(cell_len(str(cell)) for cell in label.cells)
    out.print(table)
    run = Text.assemble(("run".ljust(label.min_width + 2), "dim"), shown(report["run"]))
    out.print(run, soft_wrap=True)


def print_evaluation(report: Mapping[str, Any]) -> None:
    """Print the quality, the loss at every level, and the sources of the error."""
    out = console()
    who = "network"
    if report["ideal"]:
        own = report["ideal_of"] == "training set"
        who = f"exact denoiser{' of the training set' if own else ''}"
    name, asked = shown(report["experiment"]), ""
    if report["label"] is not None:
        asked += f", label {report['label']}"
    if guided := report["guidance"]:
        asked += f", guidance {guided['weight']:g} by {shown(guided['guide'])}"
    steps = f"{report['sampler']}, {len(report['levels'])} levels"
    out.print(f"{name}, {who}, {steps}{asked}\n", markup=False)
    quality = empty_table(("metric",), ("sample", "real data"))
    metrics, target = report["metrics"], report["target"]
    for name in ("mean", "std"):
        rows = zip("xy", metrics[name], target[name], target["std"], strict=False)
        for axis, value, goal, std in rows:
            texts = (_coordinates([number], [std]) for number in (value, goal))
            quality.add_row(f"{name} {axis}", *texts)
    for key in (name for name in metrics if f"{name}_real" in metrics):
        if metrics[key] is not None:
            row = (_with_chance(metrics, key), number_text(metrics[f"{key}_real"]))
            quality.add_row(of_key(key).name, *row)
    out.print(quality)

    columns = (
        *("sigma", "alpha", "loss", "floor", "excess", "nats"),
        *("amplification", "amplification_out"),
    )
    levels = empty_table((), ("level", *columns[:-2], "eps error x", "in the end x"))
    for row in report["levels"]:
        levels.add_row(str(row["level"]), *(number_text(row[name]) for name in columns))
    out.print(levels)
    out.print(
        "nats: the level's share of the bound on kl, below;\n"
        "eps error x: how many times as large an error in eps_hat is after its step;\n"
        "in the end x: in the sample, where the ideal denoiser takes all later steps.\n"
    )

    parts, start = report["attribution"], report["start"]
    names = ("start", "network", "discretisation", "total")
    split = empty_table(("error of the sample",), ("energy distance", "± by chance"))
    for name in names:
        split.add_row(name, number_text(parts[name]), number_text(parts[f"{name}_chance"]))
        if name == "discretisation" and parts["guidance"] is not None:
            split.add_row("  of it guidance", number_text(parts["guidance"]), "")
    split.add_row("true points", "0", number_text(parts["chance"]))
    out.print(split)
    for sentence in parts["verdict"]:
        out.print(sentence, markup=False)
    out.print(
        f"Noisiest level: alpha_bar {number_text(start['alpha_bar'])}, the data's std over the "
        f"noise's {number_text(start['signal'])}.\n"
    )
    _print_likelihood(out, report["likelihood"], who)
    if report["memorisation"] is not None:
        _print_memorisation(out, report["memorisation"])
    if report["guidance"] is not None:
        _print_guidance(out, report)
    if "nfe" in report:
        _print_evaluations(out, report)


def _print_likelihood(out: Console, found: Mapping[str, Any], who: str) -> None:
    """Print the likelihood of the data, or why there is none."""
    if found["reason"]:
        out.print(f"No likelihood: {found['reason']}.", markup=False)
        return
    table = empty_table(("likelihood of the data",), ("nats a point", "± error"))
    table.add_row(f"nll of the {who}", number_text(found["nll"]), number_text(found["error"]))
    table.add_row("entropy, the least nll", number_text(found["entropy"]), "")
    table.add_row("kl, the difference", number_text(found["kl"]), number_text(found["error"]))
    table.add_row("part of the start in kl", number_text(found["start"]), "")
    table.add_row("bound on kl with noise in every step", number_text(found["bound"]), "")
    out.print(table)
    if found["sigma"]:
        out.print(
            f"Of data with noise of std {number_text(found['sigma'])}, the least that the network "
            "was trained with."
        )


def _print_memorisation(out: Console, found: Mapping[str, Any]) -> None:
    """Print what was learned of the training set: copies, losses, and the nearer optimum."""
    count = f"{found['train_points']:,} training points"
    table = empty_table((count,), ("sample", "true points"))
    table.add_row("copied", number_text(found["copied"]), number_text(found["copied_real"]))
    out.print(table)
    losses = empty_table(("expected loss",), ("network", "floor"))
    for name, key in (("on the training set", "train"), ("on held-out data", "heldout")):
        values = (number_text(found[f"{key}_{what}"]) for what in ("loss", "floor"))
        losses.add_row(name, *values)
    out.print(losses)
    distances = empty_table(("distance to the exact denoiser",), ("all levels", "nearer at level"))
    for name, key in (("of the population", "to_population"), ("of the set", "to_training_set")):
        distances.add_row(name, number_text(found[key]), _levels_text(found["levels"], key))
    distances.add_row("of one from the other", number_text(found["apart"]), "")
    out.print(distances)
    if found["reason"]:
        held_out = found["held_out"]
        rows = f"its {held_out:,} held-out rows" if held_out else "no rows, as none are held out"
        out.print(f"{found['reason']}; held-out data and true points are {rows}.".capitalize())
        out.print("Other numbers compare with the mixture of narrow Gaussians at all rows.")


def _levels_text(levels: Sequence[Mapping[str, Any]], key: str) -> str:
    """Return the levels at which the denoiser is nearer to one optimum, such as 0–3, 8."""
    ranges: list[list[int]] = []
    for at in levels:
        distances = {k: at[k] for k in ("to_population", "to_training_set")}
        if None in distances.values() or min(distances, key=lambda k: distances[k]) != key:
            continue
        if ranges and ranges[-1][1] == at["level"] - 1:
            ranges[-1][1] = at["level"]
        else:
            ranges.append([at["level"]] * 2)
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in ranges) or "–"


def _print_guidance(out: Console, report: Mapping[str, Any]) -> None:
    """Print what a guided sample follows, and the guidance at every level."""
    found = report["guidance"]
    labels = {None: "all points", "all": "every class"}
    label = labels.get(found["label"], f"class {found['label']}")
    interval = f", for sigma/alpha from {found['from']:g} to {found['to']:g}"
    out.print(
        f"Guidance of {label} with weight {found['weight']:g}, guide {shown(found['guide'])}"
        f"{interval if (found['from'], found['to']) != (0, 1e6) else ''}.\n",
        markup=False,
    )
    table = empty_table(("distance of the sample from",), ("energy distance",))
    for key, name in _FOLLOWED.items():
        table.add_row(name, number_text(found[key]))
    table.add_row("true points score", number_text(found["real"]))
    out.print(table)
    if found["reason"]:
        out.print(f"{found['reason'].capitalize()}.", markup=False)
    levels = empty_table((), ("level", "sigma", "angle", "ratio", "length", "exact"))
    for row in report["levels"]:
        at = row["guidance"]
        numbers = ["–"] * 4 if at is None else [
            number_text(at[name]) for name in ("angle", "ratio", "length", "exact")
        ]  # fmt: skip
        levels.add_row(str(row["level"]), number_text(row["sigma"]), *numbers)
    out.print(levels)
    out.print(
        "angle: of the guidance to what it should be, in degrees; length: of the guidance;\n"
        "exact: of what it should be; ratio: length over exact.\n"
    )


_FOLLOWED = {
    "conditional": "conditional, p(x|c)",
    "tilted": "tilted, p(x|c)^w p(x)^(1-w)",
    "guided": "guided ODE of exact denoisers",
}
"""The distributions that a guided sample is compared with."""

_VERDICT_STYLES = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.NOT_APPLICABLE: "dim",
}


def print_conformance(report: Conformance) -> None:
    """Print the checks of a part, each with its verdict, and the reasons below."""
    out = console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("check", "measured", "expected", "verdict"):
        table.add_column(head, overflow="fold", no_wrap=head == "verdict")
    for check in report.checks:
        verdict = Text(check.verdict, _VERDICT_STYLES[check.verdict])
        table.add_row(*map(Text, (check.name, check.value, check.expected)), verdict)
    out.print(Text(f"{report.kind} {shown(report.name)}", "bold"))
    out.print(table)
    notes: dict[str, list[str]] = {}
    for check in filter(lambda check: check.note, report.checks):
        notes.setdefault(check.note, []).append(check.name)
    for note, names in notes.items():
        out.print(Text(f"{'; '.join(names)}: {shown(note)}", "dim"))
    failed, counted = len(report.failures), len(report.checks)
    if failed:
        out.print(Text(f"{failed} of {counted} checks failed.", "bold red"))
    else:
        out.print(Text(f"All {counted} checks passed or do not apply.", "green"))


def _print_evaluations(out: Console, report: Mapping[str, Any]) -> None:
    """Print the error of each sampler against evaluations, and the best ones."""
    from ..core.analysis.evaluations import FROM_GUIDED

    heads = ("levels", "evaluations", "network", "ideal", "true points")
    table, before = empty_table(("error of a sampler",), heads), ""
    for row in report["nfe"]:
        name = row["sampler"] if row["sampler"] != before else ""
        before = row["sampler"]
        counts = (str(row["levels"]), str(row["evaluations"]))
        errors = (
            _with_chance(row, "network"),
            _with_chance(row, "ideal"),
            number_text(row["real"]),
        )
        table.add_row(name, *counts, *errors)
    out.print(table)
    if report["guidance"]:
        out.print(f"The error is the distance {FROM_GUIDED}.")
    for best in report["nfe_best"]:
        out.print(
            f"Best within {best['within']} evaluations: {best['sampler']} with "
            f"{best['evaluations']}.",
            markup=False,
        )


def _with_chance(metrics: Mapping[str, Any], key: str) -> str:
    """Format a metric with its chance variation, if that is known."""
    chance = metrics.get(f"{key}_chance")
    return number_text(metrics[key]) + ("" if chance is None else f" ± {number_text(chance)}")


def console(*, highlight: bool = False) -> Console:
    """Return a console for standard output; without a terminal it cuts and wraps nothing."""
    return Console(highlight=highlight, width=None if sys.stdout.isatty() else _UNBROKEN)


def empty_table(words: Iterable[str], numbers: Iterable[str] = ()) -> Table:
    """Return an empty table with text columns, then right-aligned number columns."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in words:
        table.add_column(name, overflow="ellipsis")
    for name in numbers:
        table.add_column(name, overflow="ellipsis", justify="right")
    return table


def number_text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _coordinates(values: Sequence[float | None], stds: Sequence[float]) -> str:
    """Format coordinates with four decimals, or as many as the std of the data needs."""
    pairs = zip(values, stds, strict=True)
    return ", ".join(
        "–" if value is None else coordinate(value, 4, 1.0 if 1e-2 <= std <= 1e3 else std)
        for value, std in pairs
    )
