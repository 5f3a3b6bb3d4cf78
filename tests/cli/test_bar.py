"""A bar where a person watches something long, and else a line now and then."""

import io
import itertools
import time

import pytest

from tui_diffusion.cli.progress import TrainingBar, with_bar
from tui_diffusion.cli.progress_lines import ProgressLines, progress_text
from tui_diffusion.core.analysis.report import sample_report, training_report
from tui_diffusion.core.assemble import scaling_of
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import forward_process
from tui_diffusion.export.tables import write_points


class Screen(io.StringIO):
    def isatty(self):
        return True


def work(seconds):
    def steps(tell):
        for done in range(1, 5):
            time.sleep(seconds)
            tell(done, 4)
        return "made"

    return steps


@pytest.mark.parametrize(
    ("seconds", "stream", "shows"),
    [(0.15, Screen, True), (0.0, Screen, False), (0.15, io.StringIO, False)],
)
def test_a_bar_shows_for_long_work_in_a_terminal_alone(monkeypatch, seconds, stream, shows):
    written = stream()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert with_bar("sampling", work(seconds)) == "made"
    assert ("sampling" in written.getvalue() and "4/4" in written.getvalue()) == shows
    if not shows:
        assert not written.getvalue().strip()


def test_work_and_training_go_on_where_the_terminal_goes_away(monkeypatch):
    class Gone(Screen):
        def write(self, text):
            raise OSError("gone")

    monkeypatch.setattr("sys.stderr", Gone())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert with_bar("sampling", work(0.15)) == "made"
    trainer = Trainer(get_preset("naive-1d").experiment.with_settings({"training.steps": 200}))
    with TrainingBar(trainer) as bar:
        for progress in trainer.run(every=100):
            bar.show(progress)
    assert trainer.step == 200


def test_where_no_one_watches_there_is_a_line_now_and_then(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr("tui_diffusion.cli.progress_lines.monotonic", lambda: clock[0])
    at = []
    lines = ProgressLines("moons: step")
    for second in range(3600):
        clock[0] = float(second)
        lines.update(second, 3600, "loss 1")
        if err := capsys.readouterr().err:
            assert err == f"diffusion-tui: moons: step {second:,}/3,600, loss 1\n"
            at.append(second)
    assert at[:5] == [10, 20, 40, 80, 160]
    assert max(b - a for a, b in itertools.pairwise(at)) == 300
    assert progress_text(1000, 21_000, 10.0) == "100 steps/s, 0:03:20 left"
    trainer = Trainer(get_preset("naive-1d").experiment.with_settings({"training.steps": 200}))
    with TrainingBar(trainer) as bar:
        for progress in trainer.run(every=100):
            clock[0] += 60
            bar.show(progress)
    told = capsys.readouterr()
    assert told.out == "" and "naive-1d: step 100/200, " in told.err and ", loss " in told.err


def test_a_sample_says_how_far_measuring_and_writing_are(tmp_path):
    experiment = get_preset("naive-2d").experiment.with_settings({"sampling.points": 30})
    trajectory = forward_process(experiment)
    told = []
    report = sample_report(experiment, trajectory, lambda *how_far: told.append(how_far))
    assert told == [(part, 5) for part in range(1, 6)]
    assert report == sample_report(experiment, trajectory)
    told.clear()
    file = tmp_path / "points.npz"
    scaling = scaling_of(experiment.data)
    write_points(trajectory, scaling, file, lambda *how_far: told.append(how_far))
    assert told == [(level, 10) for level in range(1, 11)]


def test_a_training_says_how_far_its_own_sampling_is():
    told = []
    trainer = Trainer(get_preset("naive-1d").experiment.with_settings({"training.steps": 20}))
    training_report(trainer, points=50, progress=lambda done, total: told.append((done, total)))
    assert told == [(k, 10) for k in range(1, 11)]


def test_what_the_work_raises_comes_through(monkeypatch):
    monkeypatch.setattr("sys.stderr", Screen())
    with pytest.raises(ValueError, match="no"):
        with_bar("sampling", lambda tell: int("no"))
