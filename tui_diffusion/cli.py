"""The console script ``diffusion-tui``: the lab, and every headless command.

Results go to standard output, one JSON object alone with ``--json``; progress goes to standard
error. Bad input is one line that names what is wrong and what is allowed, with exit code 2. Heavy
libraries are imported inside the commands that need them, so that help and the lab open at once.
"""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import CompletionItem

from . import __version__, completion
from .bar import with_bar
from .core.experiment import ConfigError, Experiment, parse_settings
from .core.manifest import RunError, shown
from .core.own_presets import all_presets, own_presets
from .core.presets import PRESETS, get_preset

if TYPE_CHECKING:
    from .core.checkpoints import Checkpointer
    from .core.datasets import Scaling
    from .core.manifest import State
    from .core.methods import Denoiser
    from .core.runs import Run
    from .core.store import Summary
    from .core.training import Progress, Trainer
    from .core.trajectory import Trajectory


_REPORT = 0.1
"""Seconds between two reports of a training: how long Ctrl-C may wait."""


class Exit(IntEnum):
    """Exit codes."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    DIVERGED = 3
    INTERRUPTED = 130


class _Commands(click.Group):
    """A group whose first word may be an experiment: ``diffusion-tui ddpm-1d`` opens the lab."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0].partition("=")[0] if args else ""
        own = ("--help", "-h", "--version", "--install-completion")
        # While a shell completes, the word in question is not among these yet.
        if first not in (*self.commands, *own) and (args or not ctx.resilient_parsing):
            args = ["lab", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        return [*found, *completion.experiments(ctx, self.params[0], incomplete)]


def _install(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is None or ctx.resilient_parsing:
        return
    file, then = completion.install(cli, shell)
    print(f"{file}: written; {then}")
    ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="diffusion-tui")
@click.option(
    "--install-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value="auto",
    is_eager=True,
    expose_value=False,
    callback=_install,
    help="Complete commands, experiments and fields in bash, zsh or fish (or the shell in use).",
)
def cli() -> None:
    """A diffusion laboratory in a terminal.

    Without a command, open the lab.
    """


_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_settings: _Decorator = click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    shell_complete=completion.fields,
    help="Set a hyperparameter, such as training.lr=1e-3. May be given many times.",
)
_as_json: _Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)
_points: _Decorator = click.option("--points", metavar="N", help="Points denoised together.")
_sampler: _Decorator = click.option(
    "--sampler", metavar="S", help="Sampler, where another than the run's is wanted."
)
_levels: _Decorator = click.option(
    "--levels", metavar="N", help="Noise levels, where another number than the run's is wanted."
)
_ideal: _Decorator = click.option(
    "--ideal", is_flag=True, help="Put the exact denoiser in place of the network."
)
_seed: _Decorator = click.option("--seed", metavar="N", help="Seed of weights, data and sampling.")


def _experiment(name: str, settings: tuple[str, ...], **overrides: str | None) -> Experiment:
    """The preset with what the command line changes."""
    changes: dict[str, Any] = dict(parse_settings(settings))
    changes.update({field: value for field, value in overrides.items() if value is not None})
    return get_preset(name).experiment.with_settings(changes)


@cli.command()
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@_settings
@_points
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters alone.")
@click.option(
    "--low-bandwidth", is_flag=True, help="Two drawings a second at most, in 256 colours."
)
@click.option("--theme", metavar="T", help="A theme of the lab, such as textual-light or nord.")
@click.option(
    "--resume",
    metavar="[RUN]",
    is_flag=False,
    flag_value="",
    help="Go on with a run; without a name, with the latest that can.",
)
def lab(
    experiment: str | None,
    settings: tuple[str, ...],
    points: str | None,
    no_mouse: bool,
    ascii_only: bool,
    low_bandwidth: bool,
    theme: str | None,
    resume: str | None,
) -> None:
    """Open the lab, with EXPERIMENT chosen, or where it was left."""
    from .lab.start import Options, open_lab

    asked = any(setting.partition("=")[0].strip() == "sampling.points" for setting in settings)

    def make(name: str, usual: str | None) -> Experiment:
        number = points if points is not None or asked else usual
        return _experiment(name, settings, **{"sampling.points": number})

    run = None
    if resume is not None:
        from .core.store import run_to_resume

        if settings or points:
            raise ConfigError("--resume does not go with --set or --points; allowed: one of them")
        run = run_to_resume(resume)
    changed = bool(settings or points)
    options = Options(theme, ascii_only, not no_mouse, low_bandwidth, run, changed)
    open_lab(experiment, make, options)


@cli.command("list")
@_as_json
def list_(as_json: bool) -> None:
    """List the experiments, and the presets of one's own."""
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
        _complain(problem)
    if as_json:
        _print_json({"experiments": rows})
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

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
    names = ("experiment", "title", "script", "steps", "levels")
    widths = [max(map(len, cells)) for cells in zip(names, *lines, strict=True)]
    console = Console()
    # In a narrow terminal the title gives way; a name that is cut could not be typed.
    title = max(8, console.width - sum(widths) + widths[1] - 3 * len(names) + 2)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, width in zip(names, widths, strict=True):
        number = name in ("steps", "levels")
        table.add_column(
            name,
            no_wrap=True,
            min_width=None if name == "title" else width,
            max_width=title if name == "title" else None,
            justify="right" if number else "left",
        )
    for name, *others in lines:
        table.add_row(f"[bold]{name}[/]", *others)
    console.print(table)


@cli.command()
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@_settings
@_seed
@click.option("--device", metavar="D", help="auto, cpu, cuda[:i] or mps.")
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Folder to write the run to."
)
@click.option("--no-save", is_flag=True, help="Write nothing to disk.")
@click.option(
    "--resume", metavar="RUN", help="Go on with a run; more steps by --set training.steps=N."
)
@_as_json
def train(
    experiment: str | None,
    settings: tuple[str, ...],
    seed: str | None,
    device: str | None,
    out: Path | None,
    no_save: bool,
    resume: str | None,
    as_json: bool,
) -> None:
    """Train EXPERIMENT without the lab, sample from it, and write the run to disk.

    The run is written every few seconds, and on Ctrl-C or another signal to end; --resume goes on
    with it, and EXPERIMENT may then be left out.
    """
    if out is not None and (no_save or resume is not None):
        other = "--no-save" if no_save else "--resume"
        raise ConfigError(f"{other} does not go with --out; allowed: one of them")
    with _Interruption() as interruption:
        if resume is None:
            trainer, folder = _begin(experiment, settings, seed, device, out)
        else:
            trainer, folder = _go_on(experiment, settings, seed, device, resume)
        interruption.at_once = False
        if not (no_save or resume is not None):
            from .core.runs import check_writable

            check_writable(folder)
        _train(trainer, None if no_save else folder, interruption, as_json)


def _begin(
    experiment: str | None,
    settings: tuple[str, ...],
    seed: str | None,
    device: str | None,
    out: Path | None,
) -> tuple[Trainer, Path]:
    """A new training, and the folder that it is to be written to."""
    if experiment is None:
        raise ConfigError(f"no experiment is given; allowed: {', '.join(all_presets())}")
    chosen = _experiment(experiment, settings, seed=seed, device=device)
    from .core.runs import new_name, store
    from .core.training import Trainer

    trainer = Trainer(chosen)
    return trainer, (out if out is not None else store() / new_name(chosen)).absolute()


def _go_on(
    experiment: str | None,
    settings: tuple[str, ...],
    seed: str | None,
    device: str | None,
    name: str,
) -> tuple[Trainer, Path]:
    """A run's training where it was left, and the run's folder."""
    changes: dict[str, Any] = dict(parse_settings(settings))
    changes.update({k: v for k, v in (("seed", seed), ("device", device)) if v is not None})
    from .core.resuming import continued, resume
    from .core.runs import open_run

    run = open_run(name)
    if experiment not in (None, run.experiment.name):
        raise ConfigError(
            f"experiment: {experiment!r} is not that of the run; allowed: "
            f"{run.experiment.name}, or none"
        )
    return resume(run, continued(run, changes)), run.folder.absolute()


def _train(
    trainer: Trainer, folder: Path | None, interruption: _Interruption, as_json: bool
) -> None:
    """Train to the end or to a signal, with checkpoints in ``folder``; then report."""
    from .core.checkpoints import Checkpointer
    from .core.report import training_report

    keeper = Checkpointer(trainer, folder) if folder is not None else None
    try:
        _train_with_progress(trainer, keeper, interruption)
        interruption.at_once = True
        if trainer.status == "training":
            _leave(trainer, keeper, interruption.asked)
        fault = _kept(keeper, trainer.status, None)
        report = {"run": str(folder) if folder else None, **training_report(trainer)}
        fault = _kept(keeper, trainer.status, report)
    finally:
        if keeper is not None:
            keeper.close()
    if fault:
        report["run"] = None
    if as_json:
        _print_json(report)
    else:
        _print_report(report)
    if fault:
        _complain(f"not saved: {fault}")
        sys.exit(Exit.FAILED)
    if trainer.status == "diverged":
        _complain(
            f"training diverged: the loss of step {trainer.step:,} is not finite; "
            "a lower training.lr may help"
        )
        sys.exit(Exit.DIVERGED)


@cli.command()
@_as_json
def doctor(as_json: bool) -> None:
    """Say what the terminal and the machine can do, and what would make them better."""
    from .doctor import examine, text

    if not as_json and sys.stderr.isatty():
        print("asking torch for its devices (a few seconds) ...", file=sys.stderr, flush=True)
    report = examine()
    if as_json:
        _print_json(report)
    else:
        print(text(report, sys.stdout))


def _leave(trainer: Trainer, keeper: Checkpointer | None, number: int) -> NoReturn:
    """Write down a training that a signal ended, say how to go on with it, and end."""
    told = f"interrupted at step {trainer.step:,}/{trainer.steps:,}"
    fault = _kept(keeper, "stopped", None)
    if keeper is None or fault:
        _complain(f"{told}; run: not saved{': ' if fault else ''}{fault}")
    else:
        from .core.store import in_store

        name = keeper.folder.name if in_store(keeper.folder) else str(keeper.folder)
        command = f"diffusion-tui train --resume {shlex.quote(name)}"
        _complain(f"{told}; go on with: {command}; run: {keeper.folder}")
    sys.exit(128 + number)


def _kept(keeper: Checkpointer | None, state: State, report: dict[str, Any] | None) -> str:
    """Write a training that has ended; what went wrong, or nothing."""
    try:
        if keeper is not None:
            keeper.finish(state, report)
    except RunError as error:
        return str(error)
    return ""


class _Interruption:
    """Signals that ask to end, heeded between two reports, where weights and losses agree.

    ``asked`` is the signal's number, or 0. A second Ctrl-C, and any signal while ``at_once`` is
    set, ends at once. What whoever started this had ignored, such as a hang-up, stays ignored.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.at_once = True
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Interruption:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _ask(self, number: int, *_: object) -> None:
        if self.at_once or (self.asked and number == signal.SIGINT):
            raise _Interrupted(number)
        self.asked = self.asked or number


class _Interrupted(KeyboardInterrupt):
    """A signal that ends the program at once."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _train_with_progress(
    trainer: Trainer, keeper: Checkpointer | None, interruption: _Interruption
) -> None:
    """Pull the training to its end, or to a signal; a bar with rate and time left for a person."""
    pulled = _pull(trainer, keeper, interruption)
    if sys.stderr.isatty():
        # The terminal may go away; the training does not go with it.
        with suppress(OSError):
            _show_progress(trainer, pulled)
    for _ in pulled:
        pass


def _pull(
    trainer: Trainer, keeper: Checkpointer | None, interruption: _Interruption
) -> Iterator[Progress]:
    """The training's reports until its end or a signal, with a checkpoint now and then."""
    told = ""
    for progress in trainer.run(interval=_REPORT):
        yield progress
        if interruption.asked:
            return
        if keeper is not None:
            keeper.offer()
            if keeper.fault and not told:
                told = keeper.fault
                _complain(f"not saved so far, training goes on: {told}")


def _show_progress(trainer: Trainer, pulled: Iterator[Progress]) -> None:
    """Draw a bar as the reports come."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(trainer.experiment.name, total=trainer.steps, rate="", loss="")
        for progress in pulled:
            bar.update(
                task,
                completed=progress.step,
                rate=f"{progress.step / max(progress.seconds, 1e-9):,.0f} steps/s",
                loss=f"loss {float(progress.losses.mean()):.3g}",
            )


@cli.command()
@_as_json
def runs(as_json: bool) -> None:
    """List the runs on disk, the latest first."""
    from .core.store import list_runs

    found = list_runs()
    if as_json:
        _print_json({"runs": [_run_row(summary) for summary in found]})
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not found:
        _complain("no runs so far; diffusion-tui train EXPERIMENT writes one")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "state", "steps", "energy distance", "age"):
        table.add_column(name, overflow="fold")
    for summary in found:
        about = summary.about
        if about is None:
            cells = [summary.label, f"{summary.standing}: {summary.reason}", "", "", ""]
        else:
            energy = (about.quality or {}).get("energy_distance")
            cells = [
                summary.label,
                str(summary.standing),
                f"{about.step:,}/{about.steps:,}",
                "–" if energy is None else f"{energy:.3g}",
                _age(summary.age()),
            ]
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False).print(table)


def _run_row(summary: Summary) -> dict[str, Any]:
    about = summary.about
    return {
        "run": summary.label,
        "folder": shown(str(summary.folder)),
        "state": summary.standing,
        "reason": summary.reason or None,
        "experiment": about.experiment if about else None,
        "step": about.step if about else None,
        "steps": about.steps if about else None,
        "seconds": about.seconds if about else None,
        "seed": about.seed if about else None,
        "device": about.device if about else None,
        "started": about.started.isoformat() if about else None,
        "written": about.written.isoformat() if about else None,
        "quality": dict(about.quality) if about and about.quality else None,
    }


def _age(seconds: float) -> str:
    """Such as ``3 min``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:,.0f} {unit}"
    return "now"


@cli.command()
@click.argument("run")
@_points
@_sampler
@_levels
@_ideal
@_seed
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="File.npz to write points to."
)
@_as_json
def sample(
    run: str,
    points: str | None,
    sampler: str | None,
    levels: str | None,
    ideal: bool,
    seed: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Draw a fresh sample from the network of RUN (a run's name or folder).

    Sampler and number of levels may be others than those it was trained with.
    """
    from .core.datasets import scaling_of
    from .core.devices import choose, use_threads
    from .core.report import sample_report
    from .core.runs import open_run
    from .core.trajectory import denoise

    opened = open_run(run)
    experiment = _resampled(opened.experiment, points, sampler, levels, seed)
    if out is not None:
        _check_npz(out)
    device = choose(experiment).device
    use_threads(experiment)
    denoiser = _denoiser(opened, device, ideal)
    trajectory = with_bar(
        "sampling", lambda tell: denoise(experiment, denoiser, device=device, progress=tell)
    )
    report: dict[str, Any] = {
        "run": str(opened.folder),
        "experiment": experiment.name,
        "seed": experiment.seed,
        "levels": trajectory.levels,
        "out": str(out) if out is not None else None,
        "ideal": ideal,
        **sample_report(experiment, trajectory),
    }
    if out is not None:
        _write_npz(out, trajectory, scaling_of(experiment.data))
    if as_json:
        _print_json(report)
    else:
        _print_report(report)


def _resampled(
    experiment: Experiment,
    points: str | None,
    sampler: str | None,
    levels: str | None,
    seed: str | None,
) -> Experiment:
    """The experiment of a run with another way to sample."""
    wanted = {
        "sampling.points": points,
        "sampling.sampler": sampler,
        "sampling.levels": levels,
        "seed": seed,
    }
    return experiment.with_settings({f: value for f, value in wanted.items() if value is not None})


def _denoiser(opened: Run, device: Any, ideal: bool) -> Denoiser:
    """The network of a run, or the exact denoiser in its place."""
    from .core.datasets import make_mixture
    from .core.methods import IdealDenoiser, make_method

    if not ideal:
        return opened.denoiser(device)
    mixture = make_mixture(opened.experiment.data, device)
    return IdealDenoiser(mixture, make_method(opened.experiment.method, mixture))


@cli.command()
@click.argument("run")
@_points
@_sampler
@_levels
@_ideal
@_seed
@_as_json
def evaluate(
    run: str,
    points: str | None,
    sampler: str | None,
    levels: str | None,
    ideal: bool,
    seed: str | None,
    as_json: bool,
) -> None:
    """Say how good RUN is: quality, loss above its floor, and where the error comes from.

    The error of a sample is its energy distance to the true distribution. It is split by putting
    the exact start, then the exact denoiser, in place of the run's own; what is left then comes
    from the number of levels and the rule of the sampler.
    """
    from .core.devices import choose, use_threads
    from .core.report import evaluation
    from .core.runs import open_run

    opened = open_run(run)
    experiment = _resampled(opened.experiment, points, sampler, levels, seed)
    device = choose(experiment).device
    use_threads(experiment)
    denoiser = _denoiser(opened, device, ideal)
    evaluated = with_bar(
        "sampling", lambda tell: evaluation(experiment, denoiser, device=device, progress=tell)
    )
    report = {
        "run": str(opened.folder),
        "experiment": experiment.name,
        "seed": experiment.seed,
        "sampler": experiment.sampling.sampler,
        "ideal": ideal,
        **evaluated,
    }
    if as_json:
        _print_json(report)
    else:
        _print_evaluation(report)


def _print_evaluation(report: dict[str, Any]) -> None:
    """An evaluation as a person reads it."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from .core.glossary import of_key

    console = Console(highlight=False)

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3g}"

    who = "exact denoiser" if report["ideal"] else "network"
    console.print(
        f"{report['experiment']}, {who}, {report['sampler']}, {len(report['levels'])} levels\n"
    )
    quality = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("metric", "sample", "real data"):
        quality.add_column(name, justify="left" if name == "metric" else "right")
    metrics, target = report["metrics"], report["target"]
    for name in ("mean", "std"):
        pairs = zip(metrics[name], target[name], strict=True)
        for axis, (value, goal) in zip("xy", pairs, strict=False):
            quality.add_row(f"{name} {axis}", number(value), number(goal))
    for key in (name for name in metrics if f"{name}_real" in metrics):
        if metrics[key] is not None:
            row = (number(metrics[key]), number(metrics[f"{key}_real"]))
            quality.add_row(of_key(key).name, *row)
    console.print(quality)

    columns = ("sigma", "alpha", "loss", "floor", "excess", "amplification", "amplification_out")
    levels = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("level", *columns[:-2], "eps error x", "in the end x"):
        levels.add_column(name, justify="right")
    for row in report["levels"]:
        levels.add_row(str(row["level"]), *(number(row[name]) for name in columns))
    console.print(levels)

    parts = report["attribution"]
    shown = ", ".join(f"{n} {number(parts[n])}" for n in ("start", "network", "discretisation"))
    console.print(f"error {number(parts['total'])}: {shown}; mainly {parts['main']}")
    start = report["start"]
    console.print(
        f"start: alpha_bar {number(start['alpha_bar'])}, data's std over the noise's "
        f"{number(start['signal'])}, energy distance to the noisiest level "
        f"{number(start['distance'])}"
    )


def _check_npz(file: Path) -> None:
    """Raise `ConfigError` unless points can be written there."""
    if file.suffix != ".npz":
        raise ConfigError(f"--out {file}: suffix {file.suffix!r} is not known; allowed: .npz")
    try:
        fits = file.absolute().parent.is_dir() and not file.is_dir()
    except OSError:  # a name too long, or a folder that may not be read
        fits = False
    if not fits:
        raise ConfigError(f"--out {file}: cannot be written; allowed: a file in a folder there is")


def _write_npz(file: Path, trajectory: Trajectory, scaling: Scaling) -> None:
    """Points at every level with alphas and sigmas, whole or not at all; at the data's own size."""
    import numpy as np

    x0_hat, eps_hat = trajectory.every("x0_hat", "eps_hat")
    arrays: dict[str, Any] = {
        "x": scaling.back(trajectory.x.cpu()).numpy(),
        "x0_hat": scaling.back(x0_hat.cpu()).numpy(),
        "eps_hat": eps_hat.cpu().numpy(),
        "alphas": trajectory.schedule.alphas.numpy(),
        "sigmas": trajectory.schedule.sigmas.numpy(),
    }
    temporary = file.with_name(f".{file.name}.tmp.npz")
    try:
        np.savez_compressed(temporary, **arrays)
        temporary.replace(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise ConfigError(
            f"--out {file}: cannot be written ({error.strerror}); allowed: a file you may write"
        ) from None


@cli.command("export")
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--points", metavar="N", help="Points denoised together.")
@click.option("--size", metavar="WxH", help="Size of a film or a picture, such as 640x480.")
@click.option("--fps", metavar="N", help="Frames a second of a film.")
@click.option("--seconds", metavar="S", help="Length of a film.")
@click.option("--seed", metavar="N", help="Seed of the sampling, where not the run's.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@_as_json
def export_(
    run: str,
    file: Path,
    points: str | None,
    size: str | None,
    fps: str | None,
    seconds: str | None,
    seed: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write RUN (a run's name or folder) to FILE: .gif .mp4 .png .svg .csv .npz or .py.

    A film or a picture of the denoising, its numbers, or a script of its own that trains and
    samples the same.
    """
    from .export.formats import Options, check, export, read_number, read_size, samples

    options = Options(
        size=read_size(size),
        fps=read_number("fps", fps),
        seconds=read_number("seconds", seconds),
        force=force,
    )
    check(file, options)
    sampled = samples(file)
    if seed is not None and not sampled:
        raise ConfigError("--seed does not go with .py, which trains with the run's own seed")
    from .core.devices import choose, use_threads
    from .core.runs import open_run
    from .core.trajectory import denoise
    from .export.exhibit import Exhibit

    opened = open_run(run)
    wanted = {"sampling.points": points, "seed": seed}
    changed = opened.experiment.with_settings(
        {field: value for field, value in wanted.items() if value is not None}
    )
    if sampled:
        use_threads(changed)
        device = choose(changed).device
        denoiser = opened.denoiser(device)
        trajectory = with_bar(
            "sampling", lambda tell: denoise(changed, denoiser, device=device, progress=tell)
        )
        exhibit = Exhibit(opened.experiment, trajectory, opened.losses())
    else:
        exhibit = Exhibit(changed)
    files = with_bar(file.suffix, lambda tell: export(exhibit, file, options, tell))
    written = [{"file": str(path), "bytes": path.stat().st_size} for path in files]
    if as_json:
        _print_json(
            {"run": str(opened.folder), "experiment": opened.experiment.name, "files": written}
        )
        return
    for entry in written:
        print(f"{shown(str(entry['file']))}  {entry['bytes']:,} bytes")


def _print_report(report: dict[str, Any]) -> None:
    """A report as a person reads it."""
    from rich.console import Console
    from rich.table import Table

    from .core.experiment import format_value

    def joined(values: Any) -> str:
        if values is None:
            return "–"
        items = values if isinstance(values, list) else [values]
        return ", ".join("–" if v is None else f"{v:.4f}" for v in items)

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    sampled, target = report["sample"], report["target"]
    table.add_row("experiment", f"{report['experiment']}, seed {report['seed']}")
    if "steps" in report:
        threads = f"{report['threads']} thread{'s' if report['threads'] > 1 else ''}"
        rate = f"{report['steps_per_second']:,.0f} steps/s on {report['device']}, {threads}"
        table.add_row("training", f"{report['steps']:,} steps in {report['seconds']:.1f} s, {rate}")
        final = report["loss"]["final"]
        floor, excess = report["loss"]["floor"], report["loss"]["excess"]
        above = f", {excess:.3g} above the floor of {floor:.3g}" if excess is not None else ""
        table.add_row("loss", "–" if final is None else f"{format_value(final)}{above}")
    table.add_row("mean", f"{joined(sampled['mean'])}   goal {joined(target['mean'])}")
    table.add_row("std", f"{joined(sampled['std'])}   goal {joined(target['std'])}")
    distance = sampled["nearest_mode_distance"]
    if distance is not None:
        table.add_row("squared distance to the nearest mode", f"{distance:.3g}")
    energy = sampled["energy_distance"]
    table.add_row(
        "energy distance",
        f"{'–' if energy is None else f'{energy:.3g}'}"
        f"   real data {sampled['energy_distance_real']:.3g}",
    )
    if report["run"]:
        table.add_row("run", report["run"])
    Console(highlight=False).print(table)


def _print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=False), flush=True)


def _complain(message: str) -> None:
    """One line on standard error, where there is still somebody to read it."""
    with suppress(OSError):
        print(f"diffusion-tui: {' '.join(message.split())}", file=sys.stderr, flush=True)


def main() -> None:
    """Entry point: run a command and turn every fault into one line and an exit code."""
    try:
        cli(prog_name="diffusion-tui", standalone_mode=False)
    except click.ClickException as error:
        _complain(error.format_message())
        sys.exit(Exit.BAD_INPUT)
    except (click.Abort, KeyboardInterrupt) as error:
        _complain("interrupted")
        sys.exit(128 + getattr(error, "number", signal.SIGINT))
    except (ConfigError, RunError) as error:
        # Any other ValueError is a defect and shows.
        _complain(str(error))
        sys.exit(Exit.BAD_INPUT)
    except (RuntimeError, MemoryError) as error:
        fault = _device_fault(error)
        if fault is None:
            raise
        _complain(fault)
        sys.exit(Exit.FAILED)


def _device_fault(error: BaseException) -> str | None:
    """A fault of the device or of the memory as one line; None for a defect."""
    devices = sys.modules.get("tui_diffusion.core.devices")
    fault: str | None = devices.fault_of(error) if devices is not None else None
    return fault


if __name__ == "__main__":
    main()
