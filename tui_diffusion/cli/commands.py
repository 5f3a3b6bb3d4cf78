"""The console script ``diffusion-tui``: the lab, and every headless command.

Results go to standard output, one JSON object alone with ``--json``; progress goes to standard
error. Bad input is one line that names what is wrong and what is allowed, with exit code 2. Heavy
libraries are imported inside the commands that need them, so that help and the lab open at once.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..core.config.catalog import all_presets, get_preset
from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment, parse_settings
from ..core.config.presets import PRESETS
from ..core.config.user_presets import own_presets
from ..core.faults import check_room_for_torch
from ..core.nearest import did_you_mean, nearest
from ..core.runs.lock import claimed
from ..core.text import shown
from . import completion, streams
from .examples import examples
from .options import (
    Decorator,
    given,
    ideal_option,
    json_option,
    levels_option,
    points_option,
    sampler_option,
    seed_option,
    settings_option,
)
from .progress import with_bar
from .signals import Exit, Interruption, complain

if TYPE_CHECKING:
    from torch import device as Device

    from ..core.methods import Denoiser
    from ..core.runs.changes import Changes
    from ..core.runs.run import Run
    from ..core.runs.store import Summary
    from ..core.trajectory import Trajectory


_WITHOUT_TORCH = ("list", "runs", "docs")
"""Commands that need no working folder: without one MKL ends the process as torch is imported."""


class _Commands(click.Group):
    """A group whose first word may be an experiment: ``diffusion-tui ddpm-1d`` opens the lab."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0].partition("=")[0] if args else ""
        own = ("--help", "-h", "--version", "--install-completion")
        # While a shell completes, the word in question is not among these yet.
        if first not in (*self.commands, *own) and (args or not ctx.resilient_parsing):
            near = nearest(first, self.commands) if first[:1] != "-" else []
            if near and not ctx.resilient_parsing and first not in all_presets():
                raise ConfigError(
                    f"{shown(first)!r} is no command and no experiment; {did_you_mean(near)}"
                    f"allowed: {', '.join(self.commands)}, or an experiment"
                )
            args = ["lab", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        light = name in _WITHOUT_TORCH or ctx.resilient_parsing or {"-h", "--help"} & {*rest}
        if not light and streams.is_lost():
            complain("the working folder has been removed; allowed: cd to one that is there")
            sys.exit(Exit.FAILED)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # Click would put an empty line before ours, and forget which signal it was.
            complain("interrupted")
            sys.exit(128 + getattr(error, "number", signal.SIGINT))

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
    epilog=examples(),
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
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A diffusion laboratory in a terminal.

    Without a command, open the lab.
    """
    if ctx.invoked_subcommand in _WITH_TORCH:
        check_room_for_torch()


_WITH_TORCH = ("lab", "train", "sample", "evaluate", "export")


_run: Decorator = click.argument("run", shell_complete=completion.runs)


@cli.command(epilog=examples("lab"))
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@settings_option
@points_option
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters alone.")
@click.option(
    "--low-bandwidth", is_flag=True, help="Two drawings a second at most, in 256 colours."
)
@click.option(
    "--theme",
    metavar="T",
    shell_complete=completion.themes,
    help="A theme of the lab, such as textual-light or nord.",
)
@click.option(
    "--resume",
    metavar="[RUN]",
    is_flag=False,
    flag_value="",
    shell_complete=completion.runs,
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
    from ..lab.launch import Options, open_lab

    asked = any(setting.partition("=")[0].strip() == "sampling.points" for setting in settings)

    def make(name: str, usual: str | None) -> Experiment:
        number = points if points is not None or asked else usual
        changes = parse_settings(settings) | given({"sampling.points": number})
        return get_preset(name).experiment.with_settings(changes)

    run = None
    if resume is not None:
        from ..core.runs.naming import run_to_resume

        if settings or points:
            raise ConfigError("--resume does not go with --set or --points; allowed: one of them")
        run = run_to_resume(resume)
        of = run.about.experiment if run.about is not None else None
        if experiment not in (None, of):
            raise ConfigError(
                f"experiment: {shown(experiment)!r} is not that of the run; allowed: "
                f"{shown(of)}, or none"
            )
    changed = bool(settings or points)
    options = Options(theme, ascii_only, not no_mouse, low_bandwidth, run, changed)
    open_lab(experiment, make, options)


@cli.command("list", epilog=examples("list"))
@json_option
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
        complain(problem)
    if as_json:
        _print_json({"experiments": rows})
        return
    from .tables import print_presets

    print_presets(rows)


@cli.command(epilog=examples("train"))
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
    help="Go on with a run; more steps by --set training.steps=N.",
)
@json_option
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
    """Train EXPERIMENT without the lab, and write the run to disk.

    A sample is drawn at the end and measured. The run is written every few seconds, at once on
    SIGUSR1 or SIGUSR2, and on Ctrl-C or another signal to end; --resume goes on with it, and
    EXPERIMENT may then be left out.
    """
    if out is not None and (no_save or resume is not None):
        other = "--no-save" if no_save else "--resume"
        raise ConfigError(f"{other} does not go with --out; allowed: one of them")
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
        interruption.at_once = False
        report, fault = headless.train(trainer, None if no_save else folder, interruption)
        _print_report(report, as_json)
    if fault:
        complain(f"not saved: {fault}")
        sys.exit(Exit.FAILED)
    if trainer.status == "diverged":
        complain(
            f"training diverged: the loss of step {trainer.step:,} is not finite; "
            "a lower training.lr may help"
        )
        sys.exit(Exit.DIVERGED)
    _end_unless_finite(report)


@cli.command(epilog=examples("docs"))
@click.argument("topic", required=False, shell_complete=completion.topics)
@json_option
def docs(topic: str | None, as_json: bool) -> None:
    """Print the reference on a TOPIC.

    TOPIC is fields (which --set takes), keys (of the lab), numbers, python, files or extending.
    Without it, list the topics.
    """
    from .docs import TOPICS, printed, topics

    if topic is not None and topic not in TOPICS:
        hint = did_you_mean(nearest(topic, TOPICS))
        raise ConfigError(
            f"docs: topic {shown(topic)!r} is unknown; {hint}allowed: {', '.join(TOPICS)}"
        )
    if as_json:
        _print_json({topic or "topics": topics() if topic is None else TOPICS[topic]()})
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
        print(printed(topic, max(min(width, 100), 40)))


@cli.command(epilog=examples("doctor"))
@json_option
def doctor(as_json: bool) -> None:
    """Say what terminal and machine can do, and what would help."""
    from .doctor import examine, text

    if not as_json and sys.stderr.isatty():
        print("asking torch for its devices (a few seconds) ...", file=sys.stderr, flush=True)
    report = examine()
    if as_json:
        _print_json(report)
    else:
        print(text(report, sys.stdout))


@cli.command(epilog=examples("runs"))
@click.argument("words", nargs=-1)
@json_option
def runs(words: tuple[str, ...], as_json: bool) -> None:
    """List the runs on disk, and what differs from their presets.

    The latest comes first. With WORDS, list those that have all of them: in the name, the
    experiment, the state or the changes, or as FIELD=VALUE.
    """
    from ..core.runs.changes import changes_of, matches
    from ..core.runs.naming import all_runs

    found = all_runs()
    changes = changes_of(found)
    chosen = [run for run in found if matches(run, changes.get(run.folder), words)]
    if as_json:
        _print_json({"runs": [_run_row(run, changes.get(run.folder)) for run in chosen]})
        return
    if not chosen:
        none = "no runs so far; diffusion-tui train EXPERIMENT writes one"
        complain(f"none of {len(found)} runs has these words" if found else none)
        return
    from .tables import print_runs

    print_runs(chosen, changes)


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


@cli.command(epilog=examples("sample"))
@_run
@points_option
@sampler_option
@levels_option
@ideal_option
@seed_option
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="File.npz to write points to."
)
@json_option
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
    """Draw a fresh sample from the network of a run.

    RUN is a name, the beginning of one, a folder, or latest. Sampler and number
    of levels may be others than those it was trained with.
    """
    from ..core.analysis.report import sample_report
    from ..core.assemble import scaling_of
    from ..core.runs.run import open_run
    from ..core.trajectory import denoise
    from ..export.tables import check_points, write_points

    opened = open_run(run)
    experiment = _resampled(opened, points, sampler, levels, seed)
    if out is not None:
        check_points(out)
    denoiser, device = _denoiser(opened, experiment, ideal)
    trajectory = with_bar(
        "sampling", lambda tell: denoise(experiment, denoiser, device=device, progress=tell)
    )
    report: dict[str, Any] = {
        "run": str(opened.folder),
        "experiment": experiment.name,
        "seed": experiment.seed,
        "sampler": experiment.sampling.sampler,
        "levels": trajectory.levels,
        "out": str(out) if out is not None else None,
        "ideal": ideal,
        **with_bar("measuring", lambda tell: sample_report(experiment, trajectory, tell)),
    }
    if out is not None:
        scaling = scaling_of(experiment.data)
        with_bar("writing", lambda tell: write_points(trajectory, scaling, out, tell))
    _print_report(report, as_json)
    _end_unless_finite(report)


def _resampled(
    run: Run,
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
    return run.experiment.with_settings(given(wanted))


def _denoiser(run: Run, experiment: Experiment, ideal: bool) -> tuple[Denoiser, Device]:
    """The network of a run, or the exact denoiser in its place; and where to sample with it."""
    from ..core.assemble import make_method, make_mixture
    from ..core.methods import IdealDenoiser
    from ..core.training.devices import choose, use_threads

    device = choose(experiment).device
    use_threads(experiment)
    if not ideal:
        return run.denoiser(device), device
    mixture = make_mixture(run.experiment.data, device)
    return IdealDenoiser(mixture, make_method(run.experiment.method, mixture)), device


@cli.command(epilog=examples("evaluate"))
@_run
@points_option
@sampler_option
@levels_option
@ideal_option
@seed_option
@json_option
def evaluate(
    run: str,
    points: str | None,
    sampler: str | None,
    levels: str | None,
    ideal: bool,
    seed: str | None,
    as_json: bool,
) -> None:
    """Say how good a run is, and where its error comes from.

    RUN is a name, the beginning of one, a folder, or latest. The quality of a sample stands beside
    what real data score, and the loss of every level beside its floor.

    The error of a sample is its energy distance to the true distribution. It is split by putting
    the exact start, then the exact denoiser, in place of the run's own; what is left then comes
    from the number of levels and the rule of the sampler.
    """
    from ..core.analysis.report import evaluation
    from ..core.runs.run import open_run

    opened = open_run(run)
    experiment = _resampled(opened, points, sampler, levels, seed)
    denoiser, device = _denoiser(opened, experiment, ideal)
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
        from .tables import print_evaluation

        print_evaluation(report)
    _end_unless_finite(report)


@cli.command("export", epilog=examples("export"))
@_run
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--points", metavar="N", help="Points denoised together.")
@click.option("--size", metavar="WxH", help="Size of a film or a picture, such as 640x480.")
@click.option("--fps", metavar="N", help="Frames a second of a film.")
@click.option("--seconds", metavar="S", help="Length of a film.")
@click.option("--seed", metavar="N", help="Seed of the sampling, where not the run's.")
@click.option(
    "--view",
    metavar="V",
    help="What a picture shows: grid, a view of the lab such as scatter or score-field, or loss, "
    "excess, error, schedule.",
)
@click.option("--level", metavar="K", help="The level a view shows, from 0 (noise) to N (clean).")
@click.option("--light", is_flag=True, help="On a light ground.")
@click.option("--transparent", is_flag=True, help="Without a ground: .png and .svg.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def export_(
    run: str,
    file: Path,
    points: str | None,
    size: str | None,
    fps: str | None,
    seconds: str | None,
    seed: str | None,
    view: str | None,
    level: str | None,
    light: bool,
    transparent: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write a film, a picture, the numbers or a script of a run.

    RUN is a name, the beginning of one, a folder, or latest; FILE ends in .gif .mp4 .png .svg .csv
    .npz or .py, which is a script of its own that trains and samples the same.
    """
    from ..export import formats
    from ..export.formats import check, samples
    from ..export.options import Options, read_level, read_number, read_size
    from ..export.write import export

    options = Options(
        view=view,
        level=read_level(level),
        light=light,
        transparent=transparent,
        size=read_size(size),
        fps=read_number("fps", fps),
        seconds=read_number("seconds", seconds),
        force=force,
    )
    check(file, options)
    sampled = samples(file) and formats.needs_points(view)
    if seed is not None and not samples(file):
        raise ConfigError(
            "--seed does not go with .py, which trains with the run's own seed; allowed: none"
        )
    from ..core.analysis.report import not_finite
    from ..core.runs.run import open_run
    from ..core.trajectory import denoise
    from ..export.scene import Exhibit

    opened = open_run(run)
    experiment = _resampled(opened, points, None, None, seed)
    formats.check_view(experiment, options)
    exhibit = Exhibit(experiment)
    if samples(file):
        denoiser, device = _denoiser(opened, experiment, False)

        def sample(tell: Callable[[int, int], None]) -> Trajectory:
            return denoise(experiment, denoiser, device=device, progress=tell)

        trajectory = with_bar("sampling", sample) if sampled else None
        exhibit = Exhibit(
            opened.experiment,
            trajectory,
            opened.losses(),
            denoiser=denoiser,
            seed=experiment.seed,
        )
    with Interruption():  # so that no half of a file is left
        files = with_bar(
            f"writing {file.suffix}", lambda tell: export(exhibit, file, options, tell)
        )
    written = [{"file": str(path), "bytes": path.stat().st_size} for path in files]
    if as_json:
        _print_json(
            {"run": str(opened.folder), "experiment": opened.experiment.name, "files": written}
        )
    else:
        for entry in written:
            print(f"{shown(str(entry['file']))}  {entry['bytes']:,} bytes")
    if exhibit.trajectory is not None:
        finite = int(exhibit.trajectory.result.isfinite().all(1).sum())
        _end_if_diverged(
            not_finite(experiment.sampling.points - finite, experiment.sampling.points)
        )


def _end_unless_finite(report: dict[str, Any]) -> None:
    """End with exit code 3 where a number of a report is missing."""
    from ..core.analysis.report import unknown

    _end_if_diverged(unknown(report))


def _end_if_diverged(what: str) -> None:
    """End with exit code 3 where this says that something is not finite."""
    if what:
        complain(
            f"sampling diverged: {what}; try another sampler, more levels or a lower training.lr"
        )
        sys.exit(Exit.DIVERGED)


def _print_report(report: dict[str, Any], as_json: bool) -> None:
    """What a training or a sample came to."""
    if as_json:
        _print_json(report)
    else:
        from .tables import print_report

        print_report(report)


def _print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=False), flush=True)
