"""The parts of an experiment: data, method, schedule, network, training, sampling.

Every field states its type, bounds, unit, label and help here and nowhere else; what a part alone
can tell to be wrong is refused here. Importing this module loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator, model_validator

from .fields import setting
from .limits import (
    FARTHEST,
    LEAST_ALPHA,
    LEAST_BETA,
    LEAST_SIGMA,
    LEAST_STD,
    LEAST_WEIGHT,
    check_columns,
)
from .values import Numbers, Points, Real, Whole, expanded, format_value, shortened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .points import Rows

DataName = Literal[
    "gaussian-1d",
    "gaussian-2d",
    "four-gaussians",
    "two-modes",
    "heavy-light",
    "ring",
    "moons",
    "circles",
    "swiss-roll",
    "spirals",
    "checkerboard",
    "pinwheel",
    "drawing",
    "file",
]
MethodName = Literal["naive", "naive-exact", "ddpm", "edm", "flow"]
ScheduleKind = Literal["karras", "beta", "karras-beta", "linear-beta", "cosine", "flow"]
SamplerName = Literal["naive", "ddpm", "ddim", "euler", "heun", "dpm++2m"]
Means = tuple[tuple[float, ...], ...]

DEFAULT_MEANS: Mapping[str, Means] = {
    "gaussian-1d": ((1.0,),),
    "gaussian-2d": ((-1.0, 1.0),),
    "four-gaussians": ((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0)),
    "two-modes": ((-1.0,), (1.0,)),
    "heavy-light": ((-1.0, -1.0), (1.0, 1.0)),
}
"""Centres of the components of each data set that is given by its centres."""

DEFAULT_WEIGHTS: Mapping[str, tuple[float, ...]] = {"heavy-light": (0.9, 0.1)}
"""Weights of the components where they are not equal."""

DEFAULT_STD: Mapping[str, float] = {
    "two-modes": 0.05,
    "heavy-light": 0.05,
    "ring": 0.05,
    "moons": 0.06,
    "circles": 0.06,
    "swiss-roll": 0.05,
    "spirals": 0.05,
    "checkerboard": 0.08,
    "pinwheel": 0.06,
    "drawing": 0.007,
    "file": 0.05,
}
"""Standard deviation of each component, where it is not 0.01."""

SCHEDULES_OF: Mapping[str, tuple[str, ...]] = {
    "naive": ("karras",),
    "naive-exact": ("karras",),
    "ddpm": ("beta", "karras-beta", "linear-beta", "cosine"),
    "edm": ("karras", "cosine", "flow"),
    "flow": ("flow", "karras", "cosine"),
}
"""Which schedules go with a method, its default first."""

_MODERN = ("ddpm", "ddim", "euler", "heun", "dpm++2m")

SAMPLERS_OF: Mapping[str, tuple[str, ...]] = {
    "naive": ("naive", *_MODERN),
    "naive-exact": ("naive", *_MODERN),
    "ddpm": _MODERN,
    "edm": ("heun", *(name for name in _MODERN if name != "heun")),
    "flow": ("heun", *(name for name in _MODERN if name != "heun")),
}
"""Which samplers can take a method's network, its default first."""

ANY_LEVEL = ("edm", "flow")
"""Methods whose network knows every noise level, so that sampling may use any levels at all.

The others know the levels they were trained on, and can be sampled on a part of them.
"""


class Section(BaseModel):
    """A frozen group of fields; none but those declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


_CENTRES: Mapping[str, tuple[str, ...]] = {"data.name": tuple(DEFAULT_MEANS)}
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_FILE: Mapping[str, tuple[str, ...]] = {"data.name": ("file",)}


class DataConfig(Section):
    """The distribution to learn: a mixture of Gaussians of one width."""

    name: DataName = setting(
        "gaussian-1d",
        "data set",
        "The distribution to learn, a mixture of Gaussians; file:PATH for points of your own.",
        allowed=", ".join(get_args(DataName)[:-1]) + ", file:PATH",
    )
    means: Points = setting(
        (),
        "means",
        "Centre of every component: numbers in 1D, points in 2D. Empty: as the data set has them.",
        when=_CENTRES,
        allowed="1D such as '-1, 1', or 2D such as '(-1, 1), (1, -1)', at most 64 components, "
        f"numbers from {-FARTHEST:g} to {FARTHEST:g}",
    )
    weights: Numbers = setting(
        (),
        "weights",
        "Weight of every component, scaled to sum to 1. Empty: as the data set has them.",
        when=_CENTRES,
        allowed=f"one number from {LEAST_WEIGHT:g} to {1 / LEAST_WEIGHT:g} for each of the means",
    )
    count: Whole = setting(
        8, "modes", "Number of modes on the ring.", when={"data.name": ("ring",)}, ge=1, le=64
    )
    path: str = setting(
        "",
        "file",
        "A table of points as .csv, .tsv, .txt, .npy or .npz, one or two of its columns; scaled to "
        "unit size, and back. The preset edm-drawing learns few points best.",
        when=_FILE,
        allowed="a .csv, .tsv, .txt (or .gz of one), .npy or .npz file with 1 to 100,000 rows",
        max_length=4096,
    )
    columns: str = setting(
        "",
        "columns",
        "One or two columns of the file, by name or number from 1; empty: all there are.",
        when=_FILE,
        allowed="one or two names or numbers of columns, such as 'x,y'",
        pattern=_PRINTABLE,
        max_length=400,
    )
    where: str = setting(
        "",
        "rows",
        "Only the rows that have this value in this column, such as dataset:dino; empty: all.",
        when=_FILE,
        allowed="COLUMN:VALUE, the column by name or number",
        pattern=_PRINTABLE,
        max_length=400,
    )
    std: Real = setting(
        0.01,
        "std",
        "Standard deviation of each component; of points from a file, over their column's spread.",
        ge=LEAST_STD,
        le=10,
    )
    balanced: bool = setting(
        True,
        "balanced",
        "Every training batch holds the components in equal numbers, as in the post.",
    )
    scaling: Literal["column", "shared"] = setting(
        "column",
        "scaling",
        "How points from a file come to unit size: each column by its own spread; or both by one, "
        "which keeps the proportions of a drawing or a map.",
        when={"data.name": ("file",)},
    )
    _rows: Rows | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        """Read file:PATH as what it stands for, and give a data set its own width."""
        if not isinstance(values, Mapping):
            return values
        values = dict(values)
        name = values.get("name")
        if isinstance(name, str) and name.startswith("file:"):
            values["name"], values["path"] = "file", name.removeprefix("file:")
        values.setdefault("std", DEFAULT_STD.get(str(values.get("name")), 0.01))
        return values

    @model_validator(mode="after")
    def _means_fit(self) -> DataConfig:
        means = self.means or DEFAULT_MEANS.get(self.name, ())
        weights = self.weights or DEFAULT_WEIGHTS.get(self.name, ())
        if self.name not in DEFAULT_MEANS:
            if self.means or self.weights:
                field = "means" if self.means else "weights"
                raise ValueError(
                    f"data.{field}: does not go with data.name {self.name!r}; "
                    f"allowed: none, or data.name = {' or '.join(DEFAULT_MEANS)}"
                )
            if self.name == "file" and self._rows is None:
                path, self._rows = _read_points(self.path, self.columns, self.where)
                object.__setattr__(self, "path", path)
            return self
        dims = {len(mean) for mean in means}
        if len(dims) > 1 or not dims <= {1, 2} or len(means) > 64:
            shown = shortened(format_value(means))
            counts = " and ".join(str(dim) for dim in sorted(dims))
            raise ValueError(
                f"data.means: {shown} has points of {counts} coordinates, {len(means)} in all; "
                "allowed: 1 to 64 points, all of 1 or all of 2 coordinates"
            )
        if not self.weights and len(weights) != len(means):
            weights = ()
        farthest = max(abs(number) for mean in means for number in mean)
        if farthest > FARTHEST:
            raise ValueError(
                f"data.means: {shortened(format_value(means))} reach too far; allowed: numbers "
                f"from {-FARTHEST:g} to {FARTHEST:g}"
            )
        if self.std < LEAST_STD * farthest:
            raise ValueError(
                f"data.std: {format_value(self.std)} is finer than float32 holds at means of "
                f"{farthest:g}; allowed: from {format_value(LEAST_STD * farthest)}"
            )
        fits = [LEAST_WEIGHT <= weight <= 1 / LEAST_WEIGHT for weight in weights]
        if weights and (len(weights) != len(means) or not all(fits)):
            raise ValueError(
                f"data.weights: {format_value(weights)} does not fit {len(means)} means; allowed: "
                f"{len(means)} numbers from {LEAST_WEIGHT:g} to {1 / LEAST_WEIGHT:g}, or none"
            )
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "weights", weights)
        return self

    @property
    def dim(self) -> int:
        """1 or 2."""
        if self.points is not None:
            return int(self.points.shape[1])
        return len(self.means[0]) if self.means else 2

    @property
    def source(self) -> str:
        """The name of the file that the points came from, or ''."""
        return "" if self._rows is None else self._rows.name

    def came_from(self, name: str) -> None:
        """Remember the name that a file of points had before it was copied."""
        if self._rows is not None:
            self._rows.name = name

    @property
    def points(self) -> NDArray[np.float64] | None:
        """The points of the file, shape (n, d), as they stood there when this was made.

        None for named data. The file may change or go as it likes: this does not look again.
        """
        return None if self._rows is None else self._rows.values


def _read_points(path: str, columns: str, where: str) -> tuple[str, Rows]:
    """The absolute path of a file of points, and those chosen in it; raises `ConfigError`."""
    from .points import Rows, read_points

    file = expanded(path)
    with suppress(OSError):  # the folder to be in is no more
        file = file.absolute() if path else file
    points = read_points(file, columns, where)
    try:
        check_columns(points)
    except ValueError as error:
        raise ValueError(f"data.path: {shortened(str(file), 80)}: {error}") from None
    return str(file), Rows(points, file.name)


_CONTINUOUS: Mapping[str, tuple[str, ...]] = {"method.name": ANY_LEVEL}


class MethodConfig(Section):
    """What the network learns."""

    name: MethodName = setting(
        "naive",
        "method",
        "naive: remove one level as the post does; naive-exact: the same with the exact target, "
        "needs sampling.start = exact; ddpm: predict the noise (Ho et al. 2020); edm: "
        "preconditioned denoising (Karras et al. 2022); flow: the velocity from data to noise "
        "(Liu et al. 2022).",
    )
    noise_mean: Real = setting(
        -2.2,
        "noise mean",
        "Training draws a noise level for every point: mean of ln(sigma / alpha).",
        when=_CONTINUOUS,
        ge=-10,
        le=10,
        scale=0.1,
    )
    noise_std: Real = setting(
        1.6,
        "noise std",
        "Standard deviation of ln(sigma / alpha) over the training points.",
        when=_CONTINUOUS,
        gt=0,
        le=5,
        scale=0.1,
    )


_KARRAS: Mapping[str, tuple[str, ...]] = {"schedule.kind": ("karras",)}
_BETA_RANGE: Mapping[str, tuple[str, ...]] = {"schedule.kind": ("karras-beta", "linear-beta")}


class ScheduleConfig(Section):
    """The noise levels."""

    kind: ScheduleKind = setting(
        "karras",
        "schedule",
        "karras: sigmas of Karras et al. 2022; beta: a list of betas; "
        "karras-beta: betas in the shape of Karras' sigmas; linear-beta: evenly spaced betas; "
        "cosine: of Nichol and Dhariwal 2021; flow: alpha = 1 - t, sigma = t.",
    )
    levels: Whole = setting(
        10,
        "levels",
        "Number of noise levels N.",
        when={"schedule.kind": ("karras", "karras-beta", "linear-beta", "cosine", "flow")},
        ge=1,
        le=1000,
        scale="tenth",
    )
    sigma_min: Real = setting(
        0.001, "sigma min", "Least noise level above zero.", when=_KARRAS, ge=LEAST_SIGMA, le=100
    )
    sigma_max: Real = setting(
        1.0,
        "sigma max",
        "Greatest noise level, where sampling starts.",
        when=_KARRAS,
        ge=LEAST_SIGMA,
        le=100,
    )
    beta_min: Real = setting(
        0.001, "beta min", "Least beta.", when=_BETA_RANGE, ge=LEAST_BETA, lt=1, scale="share"
    )
    beta_max: Real = setting(
        0.9, "beta max", "Greatest beta.", when=_BETA_RANGE, ge=LEAST_BETA, lt=1, scale="share"
    )
    rho: Real = setting(
        7.0,
        "rho",
        "Exponent that crowds the levels towards low noise; 1 spaces them evenly.",
        when={"schedule.kind": ("karras", "karras-beta", "flow")},
        ge=1,
        le=100,
        scale=1,
    )
    betas: Numbers = setting(
        (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999),
        "betas",
        "Variance added at each step, least noisy first; their number is the number of levels.",
        when={"schedule.kind": ("beta",)},
        allowed=f"1 to 1000 numbers from {LEAST_BETA:g} and below 1, least noisy first",
        min_length=1,
        max_length=1000,
    )

    @field_validator("betas")
    @classmethod
    def _betas_in_range(cls, betas: tuple[float, ...]) -> tuple[float, ...]:
        for beta in betas:
            if not LEAST_BETA <= beta < 1:
                raise ValueError(f"{beta:g} is outside {LEAST_BETA:g} to 1")
        return betas

    @model_validator(mode="after")
    def _ordered(self) -> ScheduleConfig:
        for low, high in (("sigma_min", "sigma_max"), ("beta_min", "beta_max")):
            least, greatest = getattr(self, low), getattr(self, high)
            if least >= greatest:
                raise ValueError(
                    f"schedule.{low}: {least:g} is not below schedule.{high} = {greatest:g}; "
                    f"allowed: a number below {greatest:g}"
                )
        return self

    @model_validator(mode="after")
    def _some_data_left(self) -> ScheduleConfig:
        """The noisiest level must hold a trace of the data, or its alpha is 0 in float32."""
        if self.kind not in ("beta", "karras-beta", "linear-beta"):
            return self
        if sum(math.log1p(-beta) for beta in self._betas()) < 2 * math.log(LEAST_ALPHA):
            field, value = ("betas", self.betas) if self.kind == "beta" else ("levels", self.levels)
            raise ValueError(
                f"schedule.{field}: {shortened(format_value(value))} with these betas leaves no "
                "trace of the data; allowed: fewer or smaller betas, of which the product of all "
                f"1 - beta is {LEAST_ALPHA**2:g} or more"
            )
        return self

    @model_validator(mode="after")
    def _some_noise_left(self) -> ScheduleConfig:
        """The last level of a flow must differ from the clean one."""
        if self.kind == "flow" and self.levels > self.most_of_flow:
            most = math.log(LEAST_SIGMA) / math.log(1 / self.levels)
            raise ValueError(
                f"schedule.rho: {self.rho:g} leaves no noise at the last of {self.levels} levels; "
                f"allowed: a number from 1 to {math.floor(10 * most) / 10:g}"
            )
        return self

    @property
    def most_of_flow(self) -> int:
        """Levels of a flow beyond which the last one, t = N^−ρ, holds no noise in float32."""
        most: float = LEAST_SIGMA ** (-1 / self.rho)
        return math.floor(most)

    def _betas(self) -> tuple[float, ...]:
        if self.kind == "beta":
            return self.betas
        rho = self.rho if self.kind == "karras-beta" else 1.0
        low, high = self.beta_min ** (1 / rho), self.beta_max ** (1 / rho)
        gaps = max(self.levels - 1, 1)
        return tuple((low + i / gaps * (high - low)) ** rho for i in range(self.levels))

    @property
    def count(self) -> int:
        """Number of noise levels N, whatever the kind."""
        return len(self.betas) if self.kind == "beta" else self.levels


class NetworkConfig(Section):
    """The multilayer perceptron."""

    width: Whole = setting(
        32, "width", "Units in each hidden layer.", ge=1, le=4096, scale="doubling"
    )
    depth: Whole = setting(2, "depth", "Number of hidden layers.", ge=1, le=16)
    activation: Literal["relu", "tanh", "silu", "gelu"] = setting(
        "relu", "activation", "Nonlinearity between the layers."
    )
    per_level: bool = setting(
        False,
        "per level",
        "One network for every noise level, trained least noisy first, each starting from its "
        "neighbour's weights; off: one network that is told the level.",
    )
    fourier: Whole = setting(
        0,
        "point octaves",
        "Fourier features of the point: sines and cosines at pi/2 times 1, 2, 4, … so many.",
        ge=0,
        le=10,
    )
    level_fourier: Whole = setting(
        0,
        "level octaves",
        "Fourier features of the number that tells the level, at pi/2 times 1, 2, 4, … so many.",
        ge=0,
        le=10,
    )


_STEP_DECAY: Mapping[str, tuple[str, ...]] = {"training.decay": ("step",)}
_PER_LEVEL: Mapping[str, tuple[str, ...]] = {"network.per_level": ("true",)}


class TrainingConfig(Section):
    """Gradient descent."""

    steps: Whole = setting(
        1000, "steps", "Gradient steps in all.", unit="steps", ge=1, le=100_000_000, scale="series"
    )
    batch: Whole = setting(
        32,
        "batch",
        "Fresh points drawn for each step.",
        unit="points",
        ge=1,
        le=1_000_000,
        scale="doubling",
    )
    lr: Real = setting(1e-3, "learning rate", "Step size of the optimizer.", gt=0, le=1e12)
    optimizer: Literal["sgd", "adam", "adamw"] = setting(
        "sgd", "optimizer", "Rule that turns gradients into steps."
    )
    loss: Literal["sum", "norm", "mean"] = setting(
        "sum",
        "loss",
        "Over the batch: sum of squares, 2-norm (the root of that sum), or mean of squares.",
    )
    decay: Literal["none", "step", "cosine"] = setting(
        "none", "rate decay", "How the rate falls: not, by a factor every so often, or as a cosine."
    )
    decay_factor: Real = setting(
        0.95,
        "decay factor",
        "Factor of each step of the rate.",
        when=_STEP_DECAY,
        gt=0,
        le=1,
        scale=0.01,
    )
    decay_every: Whole = setting(
        100,
        "decay every",
        "Steps between two falls.",
        unit="steps",
        when=_STEP_DECAY,
        ge=1,
        le=100_000_000,
        scale="series",
    )
    average: Real = setting(
        0.0,
        "average",
        "Sampling uses a running average of the weights, of which every step keeps this share; "
        "0: the latest weights.",
        ge=0,
        lt=1,
        scale="to-one",
    )
    first_factor: Real = setting(
        1.0,
        "first factor",
        "Steps of the first (least noisy) network, as a multiple of those of each other one.",
        when=_PER_LEVEL,
        ge=1,
        le=1000,
    )
    first_lr: Real = setting(
        1e-3, "first rate", "Learning rate of the first network.", when=_PER_LEVEL, gt=0, le=1e12
    )


_DDPM_SAMPLER: Mapping[str, tuple[str, ...]] = {"sampling.sampler": ("ddpm",)}


class SamplingConfig(Section):
    """The reverse process."""

    points: Whole = setting(
        1000,
        "points",
        "Points denoised together.",
        unit="points",
        ge=1,
        le=2_000_000,
        scale="series",
    )
    sampler: SamplerName = setting(
        "naive",
        "sampler",
        "naive: subtract what the network says; ddpm: draw from the Gaussian posterior; ddim: "
        "with eta times its noise; euler, heun, dpm++2m: follow the probability-flow ODE.",
    )
    levels: Whole = setting(
        0,
        "levels",
        "Noise levels to sample with, where they should not be the schedule's; 0: the schedule's.",
        unit="levels",
        ge=0,
        le=1000,
        scale="levels",
    )
    eta: Real = setting(
        0.0,
        "eta",
        "Noise of a ddim step: 0 adds none, 1 is a ddpm step.",
        when={"sampling.sampler": ("ddim",)},
        ge=0,
        le=1,
        scale=0.1,
    )
    variance: Literal["posterior", "beta"] = setting(
        "posterior",
        "variance",
        "Variance of a ddpm step: that of the posterior (beta tilde), or beta itself.",
        when=_DDPM_SAMPLER,
    )
    quiet: Whole = setting(
        2,
        "quiet steps",
        "Last steps that add no noise: 2 in the post, 1 in the paper's Algorithm 2.",
        unit="steps",
        when={"sampling.sampler": ("ddpm", "ddim")},
        ge=0,
        le=1000,
    )
    start: Literal["zero-mean", "data-mean", "exact"] = setting(
        "zero-mean",
        "start",
        "Where sampling starts: pure noise; noise about alpha times the data's mean; or a true "
        "draw of the noisiest level.",
    )
    repeats: Whole = setting(
        0, "repeats", "The last step is repeated this many times more.", ge=0, le=1000
    )
    stop_before: Whole = setting(
        0,
        "stop before",
        "The sample is taken this many levels before the clean one, and compared with that level.",
        unit="levels",
        ge=0,
        le=999,
    )
