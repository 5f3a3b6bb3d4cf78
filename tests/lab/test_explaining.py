"""What the help says depends on the experiment as it is set, and on where it stands."""

import itertools

from tui_diffusion.core.assemble import make_method, make_mixture
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.parts.methods import METHOD_PARTS
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.parts.schedules import SCHEDULE_PARTS
from tui_diffusion.core.trajectory import denoise
from tui_diffusion.lab.screens.explanations import (
    LOSSES,
    cause,
    current_advice,
    formulas,
    papers,
    seen,
    where,
)
from tui_diffusion.lab.screens.look_for import AFTER, BEFORE, DURING
from tui_diffusion.lab.session.records import SessionState, Training
from tui_diffusion.lab.workspace import Workspace

from ..cases import for_each
from ..changed import changed


def driver(name="naive-1d", state=None, ideal=False, **changes):
    experiment = PRESETS[name].experiment
    training = None
    if state is not None:
        training = Training(experiment, state, step=700, error="no memory")
        training.snapshot = (700, object())
    return Workspace(
        changed(experiment, **changes), training, ideal_of="population" if ideal else None
    )


@for_each("name", PRESETS)
def test_every_experiment_says_something_of_its_own_at_every_moment(name):
    texts_by_state = [
        dict(current_advice(driver(name, state)))
        for state in (None, SessionState.TRAINING, SessionState.FINISHED)
    ]
    texts = [text for moment in texts_by_state for text in moment.values()]
    assert texts == [BEFORE[name], DURING[name], AFTER[name]]
    assert all(text.endswith(".") for text in texts)
    assert len({key for moment in texts_by_state for key in moment}) == 3
    assert set(BEFORE) == set(DURING) == set(AFTER) == set(PRESETS)


def test_what_is_most_pressing_comes_first():
    assert (
        next(iter(current_advice(driver(state=SessionState.DIVERGED, training__lr="1e9"))))[0]
        == "Diverged"
    )
    text = dict(current_advice(driver(state=SessionState.DIVERGED)))["Diverged"]
    assert "step 700" in text and "training.lr" in text
    assert "no memory" in dict(current_advice(driver(state=SessionState.FAILED)))["Failed"]
    ideal = [*current_advice(driver(state=SessionState.FINISHED, ideal=True))]
    assert "ideal" in ideal[0][0] and len(ideal) == 2
    changed = [
        title
        for title, _ in current_advice(driver(state=SessionState.FINISHED, network__width="16"))
    ]
    assert changed == ["Changed since it was trained", "Before training, look for"]
    assert "p goes on" in next(iter(current_advice(driver(state=SessionState.PAUSED))))[0]
    assert "stopped" in next(iter(current_advice(driver(state=SessionState.STOPPED))))[0]


def test_why_it_trains_where_it_does_is_told_once_it_is_known():
    assert where(None) == where(driver(state=SessionState.LOADING).training) == ""
    training = Training(PRESETS["naive-1d"].experiment, device="cpu", threads=1)
    training.reason = "no GPU is here; with autograd"
    assert where(training) == "cpu, 1 thread: no GPU is here; with autograd."
    training.threads = 3
    assert where(training).startswith("cpu, 3 threads: ")


def test_what_is_seen_depends_on_source_and_level():
    texts = {
        seen(driver(), source, level, 10)
        for source, level in itertools.product(("forward", "ideal", "network"), (0, 5, 10))
    }
    assert len(texts) == 9


def test_every_choice_has_a_formula():
    assert set(LOSSES) == set(field_table()["training.loss"].choices)
    assert all(part.formula for part in (*SCHEDULE_PARTS.values(), *SAMPLER_PARTS.values()))
    assert all(part.learns for part in METHOD_PARTS.values())


def test_the_formulas_are_those_of_what_is_set():
    for name, sampler, loss in itertools.product(PRESETS, SAMPLER_PARTS, LOSSES):
        try:
            settings = {"sampling.sampler": sampler, "training.loss": loss}
            experiment = PRESETS[name].experiment.with_settings(settings)
        except ConfigError:
            continue
        rows = dict(formulas(experiment))
        assert rows["learns"] == METHOD_PARTS[experiment.method.name].learns
        assert rows["loss"] == LOSSES[loss]
        assert rows["levels"] == SCHEDULE_PARTS[experiment.schedule.kind].formula
        assert papers(experiment)
    own = PRESETS["ddpm-1d"].experiment
    assert "√β̃ₜ" in dict(formulas(own))["step"]
    assert "z = 0 in the last 2" in dict(formulas(own))["step"]
    large = own.with_settings({"sampling.variance": "beta", "sampling.quiet": "0"})
    assert dict(formulas(large))["step"].endswith("√βₜ·z")
    assert "Ho, Jain and Abbeel" in " ".join(papers(own))
    assert "single_DDPM.py" in papers(own)[0]


def test_why_the_posts_std_is_off_is_said_where_it_is_asked():
    naive = PRESETS["naive-1d"].experiment
    exact = naive.with_settings({"method.name": "naive-exact"})
    started = exact.with_settings({"sampling.start": "exact"})
    assert "naive-exact" in cause(naive, "std") and "press s" in cause(naive, "std")
    assert "0.987" in cause(exact, "mean") and "s starts" in cause(exact, "std")
    assert not any(cause(started, name) for name in ("mean", "std", "energy"))
    assert not cause(naive, "energy")
    for name in ("naive-multimodal", "ddpm-1d", "edm-1d"):
        assert not cause(PRESETS[name].experiment, "std"), name
    assert "start" in dict(current_advice(Workspace(exact)))["Set the start as well"]


def test_the_exact_target_needs_the_exact_start():
    exact = PRESETS["naive-1d"].experiment.with_settings({"method.name": "naive-exact"})
    errors = []
    for start in ("zero-mean", "exact"):
        experiment = exact.with_settings({"sampling.start": start})
        mixture = make_mixture(experiment.data)
        ideal = IdealDenoiser(mixture, make_method(experiment.method, mixture))
        errors.append(abs(denoise(experiment, ideal, points=10_000).x[-1].mean().item() - 1))
    assert errors[0] > 0.005 and errors[1] < 0.0005
