"""The commands that list and describe: ``list``, ``runs``, ``docs`` and ``doctor``."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from ..core.config.errors import ConfigError
from ..core.config.presets import PRESETS
from ..core.config.user_presets import own_presets
from ..core.nearest import did_you_mean, nearest
from ..core.text import shown
from . import completion
from .examples import examples
from .options import json_option
from .results import print_json
from .signals import Exit, complain
from .speeds import measure_speeds

if TYPE_CHECKING:
    from ..core.runs.changes import Changes
    from ..core.runs.store import Summary


@click.command("list", epilog=examples("list"))
@json_option
def list_(as_json: bool) -> None:
    """List the experiments, including user presets."""
    own, problems = own_presets()
    rows = [
        {
            "id": preset.id,
            "title": preset.title,
            "script": preset.script,
            "data": preset.experiment.data.name,
            "method": preset.experiment.method.name,
            "dim": preset.experiment.dim,
            "steps": preset.experiment.training.steps,
            "levels": preset.experiment.levels,
            "own": preset.own,
        }
        for preset in (*PRESETS.values(), *own.values())
    ]
    for problem in problems:
        complain(problem)
    if as_json:
        print_json({"experiments": rows})
        return
    from .tables import print_presets

    print_presets(rows)


@click.command(epilog=examples("docs"))
@click.argument("topic", required=False, shell_complete=completion.topics)
@json_option
def docs(topic: str | None, as_json: bool) -> None:
    """Print the reference on a TOPIC.

    TOPIC is fields (which --set takes), keys (of the lab), numbers, python, sweeps, files, gpu or
    extending. Without it, list the topics.
    """
    from .docs import TOPIC_ROWS, printed, topic_rows

    if topic is not None and topic not in TOPIC_ROWS:
        hint = did_you_mean(nearest(topic, TOPIC_ROWS))
        raise ConfigError(
            f"docs: topic {shown(topic)!r} is unknown; {hint}allowed: {', '.join(TOPIC_ROWS)}"
        )
    if as_json:
        print_json({topic or "topics": topic_rows() if topic is None else TOPIC_ROWS[topic]()})
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
        print(printed(topic, max(min(width, 100), 40)))


@click.command(epilog=examples("doctor"))
@click.option(
    "--measure",
    is_flag=True,
    help="Train on the CPU and on each CUDA device for 3 s, and keep the speeds for device auto.",
)
@json_option
def doctor(measure: bool, as_json: bool) -> None:
    """Report what the terminal and the machine support, and how to improve it."""
    from .doctor import examine, report_text

    # Before anything asks torch for its GPUs, so that their start is measured too.
    faults = measure_speeds() if measure else []
    if not as_json and sys.stderr.isatty():
        print("asking torch for its devices (a few seconds) ...", file=sys.stderr, flush=True)
    report = examine()
    if as_json:
        print_json(report)
    else:
        print(report_text(report, sys.stdout))
    for fault in faults:
        complain(fault)
    if faults:
        sys.exit(Exit.FAILED)


@click.command(epilog=examples("runs"))
@click.argument("words", nargs=-1)
@json_option
def runs(words: tuple[str, ...], as_json: bool) -> None:
    """List the runs on disk, and how they differ from their presets.

    The latest run comes first. WORDS restrict the list to runs that match all of them: in the name,
    the experiment, the state or the changes, or as FIELD=VALUE.
    """
    from ..core.runs.changes import changes_of, matches
    from ..core.runs.naming import all_runs
    from ..core.sweeps.store import sweep_folders

    every = all_runs()
    changes = changes_of(every)
    chosen = [run for run in every if matches(run, changes.get(run.folder), words)]
    if as_json:
        print_json({"runs": [_run_row(run, changes.get(run.folder)) for run in chosen]})
        return
    if not chosen:
        none = "no runs so far; diffusion-tui train EXPERIMENT writes one"
        complain(f"none of {len(every)} runs has these words" if every else none)
    else:
        from .tables import print_runs

        print_runs(chosen, changes)
    if count := len(sweep_folders()):
        complain(f"{count} sweep{'' if count == 1 else 's'} with more runs: diffusion-tui sweeps")


def _run_row(summary: Summary, changes: Changes | None) -> dict[str, Any]:
    about = summary.about
    return {
        "run": summary.label,
        "folder": shown(str(summary.folder)),
        "state": summary.standing,
        "reason": summary.reason or None,
        "experiment": about.experiment if about else None,
        "preset": changes.preset if changes else None,
        "changes": dict(changes.values) if changes else None,
        "step": about.step if about else None,
        "steps": about.steps if about else None,
        "seconds": about.seconds if about else None,
        "seed": about.seed if about else None,
        "device": about.device if about else None,
        "started": about.started.isoformat() if about else None,
        "written": about.written.isoformat() if about else None,
        "quality": dict(about.quality) if about and about.quality else None,
    }
