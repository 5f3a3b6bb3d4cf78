"""Script templates for the data: one Gaussian, modes, a curve or an area, points from a file."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Literal

from ...core.assemble import scaling_of
from ...core.config.data_section import DataConfig
from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment
from ...core.config.limits import MOST_TRAIN_POINTS
from ...core.config.point_files import suffix_of, text_selection
from ...core.datasets import SPACING, STROKES
from ...core.mixtures import GaussianMixture
from ...core.parts.datasets import DATA_PARTS
from ...core.training_set import make_training_set
from .text import listed, wrapped

# --- the mixture: core.datasets, core.mixtures ---------------------------------------------------

ONE_GAUSSIAN = Template("""
# Data distribution: N(mu_data, sigma_data^2)
mu_data = torch.tensor($mean)
sigma_data = $std
dim = len(mu_data)
goal_mean, goal_var = mu_data, sigma_data**2
""")

MODES_CODE = Template("""
# Data distribution: a mixture of Gaussians of std sigma_data around these modes
modes = torch.tensor($means)
weights = $weights
sigma_data = $std
""")

STDS_CODE = Template("""
# Data distribution: a mixture of Gaussians around these modes, each with a std of its own
modes = torch.tensor($means)
weights = $weights
stds = torch.tensor($stds)[:, None]
""")

SHAPES_CODE = Template("""
# Data distribution: a mixture of Gaussians around these modes, each with a covariance of its own
modes = torch.tensor($means)
weights = $weights
covariances = torch.tensor($covariances, dtype=torch.float64)
""")

ROOTS = """\
variances, vectors = torch.linalg.eigh(covariances)  # the square root of each covariance
roots = ((vectors * variances.sqrt()[:, None]) @ vectors.mT).float()


def stretched(noise, root):
    \"\"\"Return the matrices root times the vectors noise.\"\"\"
    return noise[..., :1] * root[..., 0] + noise[..., 1:] * root[..., 1]


"""

MOMENTS = Template("""\
dim = modes.shape[1]
goal_mean = weights.float() @ modes
goal_var = weights.float() @ (modes - goal_mean) ** 2 + $variance
""")
VARIANCE = "sigma_data**2"
VARIANCE_OF_STDS = "weights.float() @ stds**2"
VARIANCE_OF_SHAPES = "weights.float() @ covariances.float().diagonal(dim1=1, dim2=2)"

POINTS = Template("""
# Data distribution: the points of a file, each with a Gaussian of std sigma_data around it
${before}points = torch.tensor($read, dtype=torch.float64).view(-1, $dim)
centre = points.mean(0)
scale = $scale
modes = ((points - centre) / scale).float()  # at unit size
weights = torch.full((len(modes),), 1 / len(modes), dtype=torch.float64)
sigma_data = $std
""")

CURVE = Template("""
# Data distribution: $what
sigma_data = $std
$helpers$code""")

ALONG = '''\
def along(curve, spacing, most=512):
    """Return points at equal arc length, about spacing apart, on a densely sampled curve."""
    arc = torch.cat([torch.zeros(1), (curve[1:] - curve[:-1]).norm(dim=1).cumsum(0)]).double()
    count = min(max(int(np.ceil(float(arc[-1]) / spacing)), 2), most)
    closed = bool((curve[0] - curve[-1]).norm() < 1e-6)  # then its first and last points coincide
    positions = torch.linspace(0, float(arc[-1]), count + closed, dtype=torch.float64)[:count]
    right = torch.searchsorted(arc, positions).clamp(1, len(arc) - 1)
    share = ((positions - arc[right - 1]) / (arc[right] - arc[right - 1]))[:, None]
    return curve[right - 1] * (1 - share) + curve[right] * share


'''

POLAR = """\
def polar(radius, angle):
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


"""

UNIT_SIZE = """\
weights = weights / weights.sum()
modes = modes - weights @ modes  # to mean 0 and, below, a pooled std of 1
modes = (modes / (weights @ modes.square()).mean().sqrt()).float()
"""

# --- drawing from it: core.batches, GaussianMixture.sample ---------------------------------------

DRAW_FROM_ONE_MODE = """\
        torch.rand(block * batch_size, generator=random, dtype=torch.float64)  # the only mode
"""
DRAW_FROM_MODES = """\
        positions = torch.rand(block * batch_size, generator=random, dtype=torch.float64)
"""
EVEN_SHARES = "        centre = modes.repeat_interleave(batch_size // len(modes), dim=0)\n"
EXACT_SHARES = """\
        positions = (torch.arange(batch_size, dtype=torch.float64) + 0.5) / batch_size
"""
SHARES = """\
        # Every mode by its weight: exactly in the long run, approximately in each batch
        shift = (torch.arange(first, first + block, dtype=torch.float64) * (5**0.5 - 1) / 2).frac()
        positions = (torch.arange(batch_size, dtype=torch.float64) + shift[:, None]) / batch_size
        first += block
"""
CENTRES = """\
        mode = torch.searchsorted(weights.cumsum(0), positions.flatten()).clamp_max(len(modes) - 1)
        centre = modes[mode].view(block, batch_size, dim)
"""
EVEN_MODES = "        mode = torch.arange(len(modes)).repeat_interleave(batch_size // len(modes))\n"
OF_MODE = {  # after the centre of each point
    "stds": "        std = stds[mode].view(centre.shape[:-1] + (1,))\n",
    "roots": "        root = roots[mode].view(*centre.shape, dim)\n",
}
DRAW_POINTS = Template("""\
        x0 = $centre + $noise
        eps = torch.randn(block, batch_size, dim, generator=random)
""")

DRAW_DATA = Template('''

def draw_data(n, random):
    """Return fresh points of the data distribution."""
$centre    noise = torch.randn(n, dim, generator=random, dtype=torch.float64)
    return (centre + $noise).float()


''')
_ONE_CENTRE = """\
    torch.rand(n, generator=random, dtype=torch.float64)  # which mode: there is but one
    centre = mu_data
"""
_SOME_CENTRE = """\
    positions = torch.rand(n, generator=random, dtype=torch.float64)
    mode = torch.searchsorted(weights.cumsum(0), positions).clamp_max(len(modes) - 1)
    centre = modes[mode]
"""


TRAINING_SET = Template("""\
# Training set: fixed points, drawn with the seed
training_set = draw_data($most, generator("training set"))[:$count]
""")

TRAINING_ROWS = Template("""
# Training set: rows of the file, drawn with the seed
order = torch.randperm(len(points), generator=generator("training set"))
training_set = modes[order[:$count]]
""")

DRAW_FROM_SET = """\
        chosen = torch.randint(len(training_set), (block * batch_size,), generator=random)
        x0 = training_set[chosen].view(block, batch_size, dim)
        eps = torch.randn(block, batch_size, dim, generator=random)
"""
"""core.training_set, and core.batches for it"""


def data_part(experiment: Experiment, mixture: GaussianMixture) -> str:
    """Return the code of the data, which defines ``sigma_data``, moments, any ``training_set``."""
    code, finite = _distribution(experiment, mixture), make_training_set(experiment)
    if finite is None:
        return code
    if not finite.known:
        return code + TRAINING_ROWS.substitute(count=len(finite))
    drawn = TRAINING_SET.substitute(most=f"{MOST_TRAIN_POINTS:_}", count=len(finite))
    return code + draw_data_part(mixture).rstrip("\n") + "\n\n\n" + drawn


def defines_draw_data(experiment: Experiment) -> bool:
    """Return whether `data_part` defines the function that draws true points."""
    return experiment.data.finite and experiment.data.points is None


def _distribution(experiment: Experiment, mixture: GaussianMixture) -> str:
    data, std = experiment.data, repr(experiment.data.std)
    if data.name == "file":
        points = POINTS.substitute(_reading(data), scale=_scale(data), std=std, dim=mixture.dim)
        return points + MOMENTS.substitute(variance=VARIANCE)
    kind = shape_of(mixture)
    if kind == "round" and mixture.modes == 1:
        return ONE_GAUSSIAN.substitute(mean=mixture.means[0].tolist(), std=std)
    part = DATA_PARTS[data.name]
    if part.script:
        strokes = "".join(f"    {_text(stroke)},\n" for stroke in STROKES)
        code = Template(part.script).substitute(strokes=strokes, spacing=SPACING)
        used = [text for name, text in (("along(", ALONG), ("polar(", POLAR)) if name in code]
        helpers = "".join(["\n\n", *used] if used else [])
        curve = CURVE.substitute(what=part.what, std=std, helpers=helpers, code=code)
        if kind == "roots":
            return curve + UNIT_SIZE + ROOTS + MOMENTS.substitute(variance=VARIANCE_OF_SHAPES)
        return curve + UNIT_SIZE + MOMENTS.substitute(variance=VARIANCE)
    modes = {"means": listed(mixture.means.tolist(), 0), "weights": _weights(mixture)}
    if kind == "stds":
        stds = STDS_CODE.substitute(modes, stds=listed(mixture.stds.tolist(), 0))
        return stds + MOMENTS.substitute(variance=VARIANCE_OF_STDS)
    if kind == "roots":
        covariances = listed(mixture.covariances.tolist(), 0)
        shapes = SHAPES_CODE.substitute(modes, covariances=covariances) + ROOTS
        return shapes + MOMENTS.substitute(variance=VARIANCE_OF_SHAPES)
    return MODES_CODE.substitute(modes, std=std) + MOMENTS.substitute(variance=VARIANCE)


def shape_of(mixture: GaussianMixture) -> Literal["round", "stds", "roots"]:
    """Return whether components are round with one std, with one each, or have covariances."""
    if mixture.alike:
        return "round"
    return "stds" if mixture.ellipses is None else "roots"


def _scale(data: DataConfig) -> str:
    """Return an expression for `Scaling.scale`; a constant column takes the scale of the other."""
    points = data.points
    if points is not None and bool((points == points[0]).all(0).any()):
        return f"torch.tensor({scaling_of(data).scale.tolist()}, dtype=torch.float64)"
    each = "" if data.scaling == "shared" else "0"
    return f"(points - centre).square().mean({each}).sqrt()"


def _reading(data: DataConfig) -> dict[str, str]:
    """Return the code that reads the points of a file, with numbers as text where necessary."""
    file = Path(data.path)
    plain = not (data.columns or data.where or data.labels is not None)
    if suffix_of(file) == ".npy" and plain:
        return {"before": "", "read": f"np.load({data.path!r})"}
    try:
        reading = text_selection(file, data.columns, data.where, data.label)
    except ConfigError:  # the file has changed since
        reading = None
    if reading is None:
        assert data.points is not None
        return {"before": "", "read": listed(data.points.tolist(), 0)}
    table, columns, wanted = reading.table, reading.columns, reading.wanted
    options: dict[str, object] = {
        "skiprows": table.lines[table.heading][0] - 1,
        "comments": sorted(table.comments) or None,
        "encoding": table.encoding,
    }
    if table.separator not in ("", " "):
        options["delimiter"] = table.separator
    if columns != [*range(len(table.names))]:
        options["usecols"] = columns
    if any('"' in line for _, line in table.lines):
        options["quotechar"] = '"'
    shown = ", ".join(f"{name}={value!r}" for name, value in options.items())
    if not wanted and not reading.decimal_comma:
        return {"before": "", "read": f"\n    np.loadtxt({data.path!r}, {shown})\n"}
    before = f"table = np.loadtxt(\n    {data.path!r},\n    dtype=str, ndmin=2, {shown},\n)\n"
    if wanted:
        before += f"table = table[np.isin(np.char.strip(table[:, -1]), {wanted!r})][:, :-1]\n"
    return {"before": before, "read": "np.char.replace(table, ',', '.').astype(float)"}


def _text(words: str) -> str:
    """Return a string literal for a script, over as many lines as it takes."""
    return "\n    ".join(repr(f"{line} ") for line in wrapped(words).splitlines())


def _equal(mixture: GaussianMixture) -> bool:
    return bool((mixture.weights - 1 / mixture.modes).abs().max() < 1e-12)


def _weights(mixture: GaussianMixture) -> str:
    if _equal(mixture):
        return "torch.full((len(modes),), 1 / len(modes), dtype=torch.float64)"
    return f"torch.tensor({listed(mixture.weights.tolist(), 0)}, dtype=torch.float64)"


def batches_part(experiment: Experiment, mixture: GaussianMixture) -> str:
    """Return the lines that draw the points of a block and their noise."""
    batch, kind = experiment.training.batch, shape_of(mixture)
    several = mixture.modes > 1 or kind != "round"
    shares = mixture.weights * batch
    if experiment.data.finite:
        return DRAW_FROM_SET
    if not experiment.data.balanced:
        code = DRAW_FROM_MODES + CENTRES if several else DRAW_FROM_ONE_MODE
    elif not several:
        code = ""
    elif _equal(mixture) and batch % mixture.modes == 0:
        code = EVEN_SHARES if kind == "round" else EVEN_MODES + "        centre = modes[mode]\n"
    elif bool(((shares - shares.round()).abs() < 1e-9).all()):
        code = EXACT_SHARES + CENTRES.replace("view(block, ", "view(1, ")
    else:
        code = SHARES + CENTRES
    draw = "torch.randn(block, batch_size, dim, generator=random)"
    noise = {"round": f"sigma_data * {draw}", "stds": f"std * {draw}"}
    points = DRAW_POINTS.substitute(
        centre="centre" if several else "mu_data", noise=noise.get(kind, f"stretched({draw}, root)")
    )
    return code + OF_MODE.get(kind, "") + points


def draw_data_part(mixture: GaussianMixture) -> str:
    """Return a function that draws true points."""
    kind = shape_of(mixture)
    several = mixture.modes > 1 or kind != "round"
    noise = {"round": "sigma_data * noise", "stds": "stds[mode] * noise"}
    return DRAW_DATA.substitute(
        centre=_SOME_CENTRE if several else _ONE_CENTRE,
        noise=noise.get(kind, "stretched(noise, roots[mode])"),
    )
