"""The ``train`` command: train without the lab."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..core.config.catalog import all_presets, get_preset
from ..core.config.errors import ConfigError
from ..core.runs.lock import claimed
from ..core.training.divergence import what_diverged
from ..interface.command_line import parse_settings
from . import completion
from .examples import examples
from .logs import open_logs, parse_logs
from .options import given, json_option, parts_option, seed_option, settings_option
from .results import end_unless_finite, print_result
from .signals import Exit, Interruption, complain


@click.command(epilog=examples("train"))
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@settings_option
@seed_option
@click.option(
    "--device",
    metavar="D",
    shell_complete=completion.devices,
    help="auto, cpu, cuda[:i] or mps.",
)
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Folder to write the run to."
)
@click.option("--no-save", is_flag=True, help="Write nothing to disk.")
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=completion.runs,
    help="Resume a run; add steps with --set training.steps=N.",
)
@click.option(
    "--log",
    "logs",
    metavar="KIND[:PATH]",
    multiple=True,
    shell_complete=completion.logs,
    help="Write a live log, csv or tensorboard, into the run's folder or to PATH.",
)
@parts_option
@json_option
def train(
    experiment: str | None,
    settings: tuple[str, ...],
    seed: str | None,
    device: str | None,
    out: Path | None,
    no_save: bool,
    resume: str | None,
    logs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Train EXPERIMENT without the lab, and write the run to disk.

    A sample is drawn and measured at the end. Checkpoints are written every few seconds, at once on
    SIGUSR1 or SIGUSR2, and when Ctrl-C or another signal ends the training. --resume continues such
    a run; EXPERIMENT may then be omitted.
    """
    if out is not None and (no_save or resume is not None):
        other = "--no-save" if no_save else "--resume"
        raise ConfigError(f"{other} does not go with --out; allowed: one of them")
    wanted = parse_logs(logs, save=not no_save)
    with Interruption() as interruption, claimed(out) as out:
        changes = parse_settings(settings) | given({"seed": seed, "device": device})
        if resume is None:
            if experiment is None:
                raise ConfigError(f"no experiment is given; allowed: {', '.join(all_presets())}")
            chosen = get_preset(experiment).experiment.with_settings(changes)
            from . import training as headless

            trainer, folder = headless.begin(chosen, out, save=not no_save)
        else:
            from . import training as headless

            trainer, folder = headless.go_on(resume, experiment, changes)
        opened = open_logs(wanted, trainer, folder)
        interruption.at_once = False
        kept = None if no_save else folder
        report, fault = headless.train_to_end(trainer, kept, interruption, opened)
        print_result(report, as_json)
    if fault:
        complain(f"not saved: {fault}")
        sys.exit(Exit.FAILED)
    if trainer.status == "diverged":
        what = what_diverged(float(trainer.losses[trainer.step - 1]), trainer.step)
        complain(f"training diverged: {what}; a lower training.lr may help")
        sys.exit(Exit.DIVERGED)
    end_unless_finite(report)
