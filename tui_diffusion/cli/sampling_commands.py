"""The commands that sample from a run: ``sample`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .examples import examples
from .options import (
    ideal_of_option,
    ideal_option,
    json_option,
    levels_option,
    names,
    nfe_option,
    parts_option,
    points_option,
    run_argument,
    sampler_option,
    samplers_option,
    seed_option,
    settings_option,
    whole_numbers,
)
from .progress import with_bar
from .resampling import asked_of, denoiser_of, resampled
from .results import end_unless_finite, print_json, print_result

if TYPE_CHECKING:
    from ..core.training_set import Optimum


@click.command(epilog=examples("sample"))
@run_argument
@settings_option
@points_option
@sampler_option
@levels_option
@ideal_option
@ideal_of_option
@seed_option
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="File.npz to write points to."
)
@parts_option
@json_option
def sample(
    run: str,
    settings: tuple[str, ...],
    points: str | None,
    sampler: str | None,
    levels: str | None,
    ideal: bool,
    ideal_of: Optimum | None,
    seed: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Draw a fresh sample from the network of a run.

    RUN is a name, the beginning of one, a folder, or latest. The sampler and the number of levels
    may differ from those of the training.
    """
    from ..core.analysis.report import sample_report
    from ..core.assemble import scaling_of
    from ..core.runs.run import open_run
    from ..core.trajectory import denoise
    from ..export.tables import check_points, write_points

    opened = open_run(run)
    experiment = resampled(opened, points, sampler, levels, seed, settings)
    if out is not None:
        check_points(out)
    ideal_of = ideal_of or ("population" if ideal else None)
    denoiser, device = denoiser_of(opened, experiment, ideal_of)
    trajectory = with_bar(
        "sampling", lambda progress: denoise(experiment, denoiser, device=device, progress=progress)
    )
    report: dict[str, Any] = {
        "run": str(opened.folder),
        "experiment": experiment.name,
        "seed": experiment.seed,
        "sampler": experiment.sampling.sampler,
        **asked_of(experiment),
        "levels": trajectory.levels,
        "out": str(out) if out is not None else None,
        "ideal": ideal_of is not None,
        "ideal_of": ideal_of,
        **with_bar("measuring", lambda progress: sample_report(experiment, trajectory, progress)),
    }
    if out is not None:
        scaling = scaling_of(experiment.data)
        with_bar("writing", lambda progress: write_points(trajectory, scaling, out, progress))
    print_result(report, as_json)
    end_unless_finite(report)


@click.command(epilog=examples("evaluate"))
@run_argument
@settings_option
@points_option
@sampler_option
@levels_option
@ideal_option
@ideal_of_option
@nfe_option
@samplers_option
@seed_option
@parts_option
@json_option
def evaluate(
    run: str,
    settings: tuple[str, ...],
    points: str | None,
    sampler: str | None,
    levels: str | None,
    ideal: bool,
    ideal_of: Optimum | None,
    nfe: str | None,
    samplers: str | None,
    seed: str | None,
    as_json: bool,
) -> None:
    """Measure the quality of a run and the sources of its error.

    RUN is a name, the beginning of one, a folder, or latest. The quality of a sample is printed
    beside the score of real data, and the loss at every level beside its floor.

    The error of a sample is its energy distance to the true distribution. To split it, the exact
    start and then the exact denoiser replace the run's own; the rest of the error comes from the
    number of levels and the sampler.

    Of a run with data.train_points, the copies in a sample are counted, and the distance of the
    network to the two exact denoisers is measured: of the population, and of the training set.

    The likelihood of the data is given in nats a point: the network's (nll), the least of any
    network (entropy), and the difference (kl). With --nfe the error of samplers is measured for
    several numbers of evaluations, each for the network and for the ideal denoiser.
    """
    from ..core.analysis.evaluations import COUNTS
    from ..core.analysis.report import evaluation, evaluations
    from ..core.runs.run import open_run
    from ..core.training_set import make_training_set

    counts = COUNTS if nfe is None else whole_numbers("--nfe", nfe)
    opened = open_run(run)
    experiment = resampled(opened, points, sampler, levels, seed, settings)
    chosen = names(samplers) if samplers is not None else None
    for name in chosen or ():  # a wrong name is an error before the work
        experiment.with_settings({"sampling.sampler": name, "sampling.levels": 0})
    ideal_of = ideal_of or ("population" if ideal else None)
    denoiser, device = denoiser_of(opened, experiment, ideal_of)
    evaluated = with_bar(
        "sampling",
        lambda progress: evaluation(
            experiment,
            denoiser,
            device=device,
            progress=progress,
            finite=make_training_set(opened.experiment),
        ),
    )
    report = {
        "run": str(opened.folder),
        "experiment": experiment.name,
        "seed": experiment.seed,
        "sampler": experiment.sampling.sampler,
        **asked_of(experiment),
        "ideal": ideal_of is not None,
        "ideal_of": ideal_of,
        **evaluated,
    }
    if nfe is not None or samplers is not None:
        report |= with_bar(
            "comparing samplers",
            lambda progress: evaluations(experiment, denoiser, counts, chosen, progress=progress),
        )
    if as_json:
        print_json(report)
    else:
        from .tables import print_evaluation

        print_evaluation(report)
    end_unless_finite(report)
