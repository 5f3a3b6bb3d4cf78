"""Part files: what a part may be, what is refused in a line, and loading all of a file or none."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
import torch

from tui_diffusion.core import denoise, get_preset, make_method, make_mixture, make_schedule, train
from tui_diffusion.core.assemble import make_network
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.experiment_json import from_json, to_json
from tui_diffusion.core.config.stepping import nudge
from tui_diffusion.core.faults import PartError
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.parts.loading import run, take
from tui_diffusion.core.parts.reading import read_part_file
from tui_diffusion.core.parts.registries import REGISTRIES
from tui_diffusion.core.randomness import generator
from tui_diffusion.export.script.standalone import standalone_script
from tui_diffusion.parts import load_parts

from ..part_files import restored, written

EDM = get_preset("edm-moons").experiment
QUICK = {"training.steps": 20, "sampling.points": 40, "device": "cpu"}


@pytest.fixture(autouse=True)
def registries():
    with restored():
        yield


PARTS = '''
@sampler(order=1, formula="x + s·(x' − x)")
def damped(x, level, denoiser, strength: Annotated[float, Field(gt=0, le=1, title="pull")] = 0.5,
           rule: Literal["plain", "odd"] = "plain", times: Annotated[int, "How often."] = 1,
           eta=0.0, both: bool = False):
    """Go a share of the way.

    The share is called strength.
    """
    p = denoiser(x, level)
    return x + strength * (level.alpha_next * p.x0_hat + level.sigma_next * p.eps_hat - x)


@sampler("noisy-one")
def second(
    x, level, denoiser, z, previous=None, *, strength: Annotated[float, Field(gt=0, le=1)] = 0.5
):
    """Add noise to the clean estimate."""
    assert previous is None or previous.x_next.equal(x)
    return level.alpha_next * denoiser(x, level).x0_hat, level.sigma_next * z


@schedule(methods=["edm"])
def quarter(levels: int, bend: Annotated[float, Field(ge=1)] = 1.0):
    """A quarter of a circle."""
    angle = torch.linspace(torch.pi / 2, 0, levels + 1) ** bend
    return angle.cos().clamp_min(1e-3), angle.sin()


@dataset(dim=1, std=0.1, title="A line of dots")
def dots(count, gap: float = 2.0):
    """Dots on a line."""
    return gap * torch.arange(count), torch.arange(1, count + 1)


@dataset(dim=1)
def pair(std):
    """Two points."""
    return torch.randn(5)


@method(schedule="karras", sampler="euler", schedules=["quarter"], formula="net → x₀")
class Halved:
    """Predict the data."""

    def __init__(self, mixture, scale: float = 2.0, noise_mean=0.0):
        self.scale = scale

    def condition(self, level):
        return torch.as_tensor(level.sigma).log() / 4

    def target(self, x0, eps, level):
        return x0 / self.scale

    def to_prediction(self, output, x, level):
        from tui_diffusion.core import Prediction

        x0_hat = self.scale * output
        return Prediction(output, (x - level.alpha * x0_hat) / level.sigma, x0_hat)

    def sample_level(self, u):
        sigma = torch.special.ndtri(u).exp()
        return Level(torch.ones_like(sigma), sigma, 1.0, 0.0)


@network("two-layers")
class TwoLayers(torch.nn.Module):
    """Two layers."""

    def __init__(self, dim, width, drop: Annotated[float, Field(ge=0, lt=1)] = 0.0):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(dim + 1, width), torch.nn.Tanh(), torch.nn.Linear(width, dim)
        )

    def forward(self, x, c):
        return self.layers(torch.cat([x, c], 1))
'''
CHOSEN = {
    "data.name": "dots", "data.gap": 3, "method.name": "halved", "method.scale": 1.5,
    "schedule.kind": "quarter", "network.name": "two-layers", "network.width": 8,
    "sampling.sampler": "damped", "sampling.strength": "0.25",
}  # fmt: skip


def test_parameters_become_fields_with_bounds_help_and_conditions(tmp_path):
    load_parts(written(tmp_path, PARTS))
    table = field_table()
    strength, rule, times = (table[f"sampling.{n}"] for n in ("strength", "rule", "times"))
    assert (strength.label, strength.allowed) == ("pull", "a number above 0 up to 1")
    assert strength.when == {"sampling.sampler": ("damped", "noisy-one")}
    assert rule.choices == ("plain", "odd") and times.help == "How often."
    assert table["sampling.both"].kind == "bool"
    eta = table["sampling.eta"].when["sampling.sampler"]
    assert {"ddim", "damped"} < {*eta} and "noisy-one" not in eta
    assert "noisy-one" in table["sampling.quiet"].when["sampling.sampler"]
    assert not table["network.width"].when
    assert table["network.depth"].when == {"network.name": ("mlp",)}
    assert "damped: Go a share of the way" in table["sampling.sampler"].help
    part = REGISTRIES["sampler"]["damped"]
    assert part.explanation == "The share is called strength."
    assert (part.file.name, part.line) == ("my_parts.py", 10)
    for settings, message in {
        ("sampling.sampler", "damped", "sampling.strength", "2"):
            "sampling.strength: '2' is not allowed; allowed: a number above 0 up to 1",
        ("sampling.sampler", "damped", "sampling.rule", "even"):
            "sampling.rule: 'even' is not allowed; allowed: plain, odd",
        ("sampling.sampler", "euler", "sampling.strength", "0.1"):
            "sampling.strength: does not apply while sampling.sampler is euler; allowed: "
            "sampling.sampler = damped or noisy-one",
    }.items():  # fmt: skip
        with pytest.raises(ConfigError) as error:
            EDM.with_settings(dict(zip(settings[::2], settings[1::2], strict=True)))
        assert str(error.value) == message


def test_an_experiment_of_own_parts_alone_is_kept_edited_trained_and_sampled(tmp_path):
    load_parts(written(tmp_path, PARTS))
    of = EDM.with_settings({**QUICK, **CHOSEN})
    assert from_json(to_json(of)) == of and of.data.std == 0.1 and of.dim == 1
    assert of.changes_from(EDM)["sampling.strength"] == 0.25
    assert of.with_settings({"training.steps": 30}).data.gap == 3
    assert nudge(of, "sampling.strength", up=True).sampling.strength == 0.5
    assert '"both": false' in to_json(of) and of.sampling.rule == "plain"  # defaults are kept too
    away = of.with_settings({"sampling.sampler": "euler"})
    assert "strength" not in to_json(away) and away.get("sampling.strength") == 0.5
    assert "strength=0.25" in repr(of.sampling)
    mixture = make_mixture(of)
    assert torch.allclose(mixture.mean(), torch.zeros(1).double(), atol=1e-9)
    assert mixture.means.shape == (8, 1) and float(mixture.weights[-1]) == pytest.approx(8 / 36)
    schedule = make_schedule(of)
    assert float(schedule.sigmas[0]) == 1 and float(schedule.sigmas[-1]) == pytest.approx(
        0, abs=1e-6
    )
    first, second = (train(of) for _ in range(2))
    *_, end = first
    *_, again = second
    assert (end.losses == again.losses).all() and end.status == "finished"
    network = make_network(of, generator(0, "weights"))
    assert next(w.shape for w in network.parameters()) == (8, 2)
    sampled = denoise(of, end.denoiser)
    assert bool(sampled.result.isfinite().all()) and sampled.result.shape == (40, 1)
    ideal = IdealDenoiser(mixture, make_method(of, mixture))
    noisy = denoise(of.with_settings({"sampling.sampler": "noisy-one"}), ideal)
    assert float(noisy.result.std()) == pytest.approx(1, abs=0.4)
    line = EDM.with_settings({**QUICK, "data.name": "dots", "data.gap": 3})
    assert "modes = " in standalone_script(line)  # its points are listed
    for path in ("network.name", "method.name"):
        with pytest.raises(ConfigError, match="a script cannot be written for"):
            standalone_script(EDM.with_settings({**QUICK, path: CHOSEN[path]}))


HARMLESS = '@sampler\ndef fine(x, level, denoiser):\n    """Fine."""\n'
REFUSED = {
    "line 9: RuntimeError: no": "raise RuntimeError('no')",
    "line 9: it calls sys.exit(3)": "raise SystemExit(3)",
    "line 11: SyntaxError: expected ':'": "if True:\n    pass\nelse\n",
    "line 9: ModuleNotFoundError: No module named 'nowhere_at_all'": "import nowhere_at_all",
    "line 9: sampler 'euler': this name is taken": HARMLESS.replace("fine", "euler"),
    "line 12: sampler 'fine': this name is taken by my_parts.py": HARMLESS + HARMLESS,
    "line 9: sampler 'bare': it has no docstring": "@sampler\ndef bare(x, level, denoiser): ...",
    "line 9: sampler 'fine': a sampler takes x, level": HARMLESS.replace(", level", ""),
    "parameter much has no type; allowed: int, float": HARMLESS.replace("oiser)", "oiser, much=1)"),
    "parameter much has no default": HARMLESS.replace("oiser)", "oiser, much: float)"),
    "parameter much cannot be list": HARMLESS.replace("oiser)", "oiser, much: list = 1)"),
    "parameter much: its type cannot be": HARMLESS.replace("oiser)", "oiser, much: 'what' = 1)"),
    "parameter much: its default 'a' is": HARMLESS.replace("oiser)", "oiser, much: int = 'a')"),
    "parameter copy: this name is taken": HARMLESS.replace("oiser)", "oiser, copy: int = 1)"),
    "parameter **more has no name": HARMLESS.replace("oiser)", "oiser, **more)"),
    "methods: 'none' is unknown": HARMLESS.replace("@sampler", "@sampler(methods=['none'])"),
    "evaluations 0 is not allowed": HARMLESS.replace("@sampler", "@sampler(evaluations=0)"),
    "schedule 'few': a schedule takes levels": '@schedule\ndef few(rho):\n    """Few."""',
    "dim 3 is not allowed; allowed: 1 or 2": '@dataset(dim=3)\ndef solid():\n    """Solid."""',
    "a method has condition, target": '@method(schedule="karras", sampler="euler")\nclass M:\n'
    '    """M."""',
    "it declares no part": "x = 1",
}  # fmt: skip


def test_a_wrong_part_file_is_one_line_with_file_and_line_and_adds_nothing(tmp_path):
    before = {kind: list(parts) for kind, parts in REGISTRIES.items()}
    for message, text in REFUSED.items():
        good = "" if "declares no part" in message else "\n" + HARMLESS.replace("fine", "other")
        file = written(tmp_path, text + "\n")
        file.write_text(file.read_text() + good)
        with pytest.raises(ConfigError) as error:
            load_parts(file)
        line = str(error.value)
        assert message in line and "my_parts.py" in line and "\n" not in line, line
        assert {kind: list(parts) for kind, parts in REGISTRIES.items()} == before, message


def test_a_file_that_is_no_part_file_is_refused(tmp_path):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "large.py").write_bytes(b"#" * (2**20 + 1))
    (tmp_path / "latin.py").write_bytes("x = 'é'".encode("latin-1"))
    (tmp_path / "zero.py").write_bytes(b"\0")
    (tmp_path / "text.txt").write_text("x = 1")
    for name, reason in {
        "folder.py": "Is a directory", "large.py": "larger than 1,048,576 bytes",
        "latin.py": "SyntaxError", "zero.py": "SyntaxError", "text.txt": "does not end in .py",
        "absent.py": "No such file",
    }.items():  # fmt: skip
        with pytest.raises(ConfigError, match=name) as error:
            load_parts(tmp_path / name)
        assert reason in str(error.value) and "\n" not in str(error.value)
    if os.geteuid():  # root reads everything
        file = written(tmp_path, HARMLESS)
        file.chmod(0)
        with pytest.raises(ConfigError, match="Permission denied"):
            load_parts(file)


def test_types_may_be_written_as_text_and_a_dataclass_finds_its_module(tmp_path):
    file = tmp_path / "modern.py"
    file.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from tui_diffusion.parts import method\n"
        "@method(schedule='karras', sampler='euler')\n"
        "@dataclass(frozen=True)\n"
        "class Scaled:\n"
        "    'Scale.'\n"
        "    scale: float = 2.0\n"
        "    def condition(self, level): ...\n"
        "    def target(self, x0, eps, level): ...\n"
        "    def to_prediction(self, output, x, level): ...\n"
    )
    load_parts(file)
    of = EDM.with_settings({"method.name": "scaled", "method.scale": 3})
    assert make_method(of, make_mixture(of)).scale == 3
    assert not (tmp_path / "__pycache__").exists()


def test_what_a_part_file_prints_is_not_output(tmp_path, capsys):
    text = "import sys\nprint('one')\nsys.stdout.write('two')\n" + HARMLESS
    output = io.StringIO()
    with redirect_stdout(output):
        load_parts(written(tmp_path, text))
    assert output.getvalue() == "" and capsys.readouterr().err == "one\ntwo"


def test_a_part_that_fails_while_it_runs_is_one_line_with_its_place(tmp_path):
    text = '''
    @sampler
    def broken(x, level, denoiser):
        """Divide."""
        return 1 / 0

    @sampler
    def wide(x, level, denoiser):
        """Return too much."""
        denoiser(x, level)
        return x.repeat(2, 1)

    @sampler
    def leaves(x, level, denoiser):
        """Leave."""
        raise SystemExit(0)

    @schedule
    def short(levels):
        """Return too few."""
        return torch.ones(3), torch.tensor([1.0, 0.5, 0.0])

    @schedule
    def silent(levels):
        """End without a signal."""
        return torch.linspace(1, 0, levels + 1), torch.linspace(1, 0, levels + 1)

    @schedule
    def mute(levels):
        """Raise what cannot be shown."""
        raise type("Mute", (Exception,), {"__str__": lambda self: 1 / 0})

    @dataset
    def single():
        """Return a point."""
        return torch.ones(1, 2)

    @dataset
    def flat():
        """Return numbers."""
        return torch.zeros(4)

    @network
    def odd(dim):
        """Return one column."""
        return torch.nn.Bilinear(2, 1, 1)
    '''
    load_parts(written(tmp_path, text))
    mixture = make_mixture(EDM)
    for settings, message in {
        ("sampling.sampler", "broken"):
            "sampler 'broken' (my_parts.py, line 13): ZeroDivisionError: division by zero",
        ("sampling.sampler", "wide"): "'wide' (my_parts.py, line 15): TypeError: the result",
        ("sampling.sampler", "leaves"): "(my_parts.py, line 24): it calls sys.exit(0)",
        ("schedule.kind", "short"): "it must return 51 alphas and sigmas",
        ("schedule.kind", "silent"): "must have alphas from 0, and a last one above 0",
        ("schedule.kind", "mute"): "schedule 'mute' (my_parts.py, line 39): Mute",
        ("data.name", "flat"): "'flat' (my_parts.py, line 46): ValueError: it must return points",
        ("network.name", "odd"): "network 'odd' (my_parts.py, line 51): ValueError: network must",
    }.items():  # fmt: skip
        of = EDM.with_settings({**QUICK, "schedule.levels": 50, settings[0]: settings[1]})
        with pytest.raises(PartError) as error:
            if settings[0].startswith("sampling"):
                denoise(of, IdealDenoiser(mixture, make_method(of, mixture)))
            else:
                [*train(of)]
        assert message in str(error.value) and "\n" not in str(error.value)
    single = make_mixture(EDM.with_settings({"data.name": "single"}))
    assert single.means.tolist() == [[0, 0]] and single.std().equal(single.stds.repeat(2))


def test_a_changed_file_takes_the_place_of_its_former_self_or_leaves_it(tmp_path):
    file = written(tmp_path, HARMLESS)
    load_parts(file)
    former = REGISTRIES["sampler"]["fine"]
    written(tmp_path, HARMLESS.replace("Fine.", "Finer.").replace("fine", "finest"))
    load_parts(file)
    assert "fine" not in REGISTRIES["sampler"] and "finest" in REGISTRIES["sampler"]
    latest = REGISTRIES["sampler"]["finest"]
    assert latest.help == "Finer" and former.help == "Fine"
    written(tmp_path, HARMLESS + "1 / 0")
    with pytest.raises(ConfigError, match="line 12: ZeroDivisionError"):
        load_parts(file)
    assert REGISTRIES["sampler"]["finest"] is latest and "fine" not in REGISTRIES["sampler"]

    def never():
        raise ConfigError("sampling.sampler: gone")

    written(tmp_path, HARMLESS)
    with pytest.raises(ConfigError, match=r"my_parts\.py: sampling\.sampler: gone"):
        take(run(read_part_file(file)), never)
    assert REGISTRIES["sampler"]["finest"] is latest and "fine" not in REGISTRIES["sampler"]
    # Two parts share a parameter, whose bounds change in both.
    pair = "".join(
        HARMLESS.replace("fine", name).replace(
            "oiser)", "oiser, pull: Annotated[float, Field(le=LE)] = 0)"
        )
        for name in ("finest", "third")
    )
    for most in ("1", "2"):
        written(tmp_path, pair.replace("LE", most))
        load_parts(file)
        assert field_table()["sampling.pull"].bounds == {"le": float(most)}
    unlike = written(tmp_path, pair.replace("LE", "3"), "unlike.py")
    unlike.write_text(
        unlike.read_text().replace("def finest", "def a").replace("def third", "def b")
    )
    with pytest.raises(ConfigError, match="parameter pull is that of 'finest' too, with another"):
        load_parts(unlike)
    other = written(tmp_path, HARMLESS.replace("fine", "finest"), "other.py")
    with pytest.raises(ConfigError, match=r"other\.py.*taken by my_parts\.py"):
        load_parts(other)


def test_ctrl_c_ends_an_endless_part_file(tmp_path):
    file = tmp_path / "endless.py"
    file.write_text("import signal, os\nos.kill(os.getpid(), signal.SIGINT)\nwhile True:\n    pass")
    command = [sys.executable, "-m", "tui_diffusion", "list", "--parts", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (128 + signal.SIGINT, "")
    assert done.stderr == "diffusion-tui: interrupted\n"
