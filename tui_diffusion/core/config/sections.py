"""The sections of an experiment: data, method, schedule, network, training, sampling.

Each field declares its type, bounds, unit, label and help once, here; a section validates what
concerns it alone. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator, model_validator

from ..parts.methods import METHOD_PARTS
from ..parts.networks import NETWORK_PARTS
from ..parts.part import Part
from ..parts.samplers import SAMPLER_PARTS
from ..parts.schedules import SCHEDULE_PARTS
from ..short_repr import short_repr
from ..text import shortened
from .choices import MethodName, NetworkName, SamplerName, ScheduleKind
from .fields import OWN_GUIDES, setting
from .limits import LEAST_ALPHA, LEAST_BETA, LEAST_SIGMA
from .value_types import Real, RealList, Whole, format_value

_NAMES = ("name", "kind")
"""Fields that name the part which a section describes."""


class Section(BaseModel):
    """A frozen group of fields that allows no undeclared ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __repr__(self) -> str:
        """Return the name, and the fields that differ from their defaults."""
        fields = type(self).model_fields.items()
        changed = [n for n, of in fields if n in _NAMES or getattr(self, n) != of.default]
        return short_repr(self, *changed, *(self.__pydantic_extra__ or ()))

    __str__ = __repr__


class PartSection(Section):
    """A section that names a part and holds its parameters.

    Those that the section does not declare itself are fields of the part's own model. The values of
    other parts' parameters are dropped. Sections are equal only if the code of their part is.
    """

    model_config = ConfigDict(extra="allow")

    parts: ClassVar[Mapping[str, Part]]
    named_by: ClassVar[str] = "name"
    _code: str = PrivateAttr("")

    @model_validator(mode="after")
    def _with_parameters(self) -> PartSection:
        given = self.__pydantic_extra__
        assert given is not None  # because of extra="allow"
        part = self.parts[getattr(self, self.named_by)]
        self._code = part.file.checksum if part.file else ""
        own = part.parameters
        if own is None and not given:
            return self
        every = [each.parameters for each in [*self.parts.values()] if each.parameters]
        others = {name for model in every for name in model.model_fields}
        own = own or Section
        known = own.model_fields
        values = own.model_validate(
            {name: given[name] for name in given if name in known or name not in others}
        )
        given.clear()
        given.update(values)
        return self


PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"


class MethodConfig(PartSection):
    """The method, which defines the target of the network."""

    parts = METHOD_PARTS

    name: MethodName = setting("naive", "method")
    noise_mean: Real = setting(
        -2.2,
        "noise mean",
        "Training draws a noise level for every point: mean of ln(sigma / alpha).",
        ge=-10,
        le=10,
        scale=0.1,
    )
    noise_std: Real = setting(
        1.6,
        "noise std",
        "Standard deviation of ln(sigma / alpha) over the training points.",
        gt=0,
        le=5,
        scale=0.1,
    )


class ScheduleConfig(PartSection):
    """The noise levels."""

    parts = SCHEDULE_PARTS
    named_by = "kind"

    kind: ScheduleKind = setting("karras", "schedule")
    levels: Whole = setting(
        10,
        "levels",
        "Number of noise levels N.",
        ge=1,
        le=1000,
        scale="tenth",
    )
    sigma_min: Real = setting(
        0.001, "sigma min", "Least noise level above zero.", ge=LEAST_SIGMA, le=100
    )
    sigma_max: Real = setting(
        1.0,
        "sigma max",
        "Greatest noise level, where sampling starts.",
        ge=LEAST_SIGMA,
        le=100,
    )
    beta_min: Real = setting(0.001, "beta min", "Least beta.", ge=LEAST_BETA, lt=1, scale="share")
    beta_max: Real = setting(0.9, "beta max", "Greatest beta.", ge=LEAST_BETA, lt=1, scale="share")
    rho: Real = setting(
        7.0,
        "rho",
        "Exponent that crowds the levels towards low noise; 1 spaces them evenly.",
        ge=1,
        le=100,
        scale=1,
    )
    betas: RealList = setting(
        (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999),
        "betas",
        "Variance added at each step, least noisy first; their number is the number of levels.",
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
                    f"allowed: a number below {greatest:g}, or schedule.{high} above {least:g}"
                )
        return self

    @model_validator(mode="after")
    def _some_data_left(self) -> ScheduleConfig:
        """Require that alpha of the noisiest level is above 0 in float32."""
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
        """Require that the last level of a flow differs from the clean one."""
        if self.kind == "flow" and self.levels > self.most_of_flow:
            most = math.log(LEAST_SIGMA) / math.log(1 / self.levels)
            raise ValueError(
                f"schedule.rho: {self.rho:g} leaves no noise at the last of {self.levels} levels; "
                f"allowed: a number from 1 to {math.floor(10 * most) / 10:g}"
            )
        return self

    @property
    def most_of_flow(self) -> int:
        """Maximum levels of a flow: beyond, the last one, t = N^−ρ, has no noise in float32."""
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
        return self.levels if "levels" in SCHEDULE_PARTS[self.kind].uses else len(self.betas)


_GUIDE: Mapping[str, tuple[str, ...]] = {"network.guide": ("true",)}
_LABELS: Mapping[str, tuple[str, ...]] = {"network.labels": ("true",)}


class NetworkConfig(PartSection):
    """The network."""

    parts = NETWORK_PARTS

    name: NetworkName = setting("mlp", "network")
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
        "neighbour's weights; off: one network that receives the level as an input.",
    )
    fourier: Whole = setting(
        0,
        "point octaves",
        "Number of octaves of Fourier features of the point: sines and cosines at pi/2 times 1, 2, "
        "4, and so on.",
        ge=0,
        le=10,
        script="any level",
    )
    level_fourier: Whole = setting(
        0,
        "level octaves",
        "Number of octaves of Fourier features of the number that encodes the level: at pi/2 times "
        "1, 2, 4, and so on.",
        ge=0,
        le=10,
        script="any level",
    )

    labels: bool = setting(
        False,
        "labels",
        "The network receives the class of each point, which sampling can then ask for; for data "
        "of two classes or more.",
        script="never",
    )
    guide: bool = setting(
        False,
        "guide",
        "A second network, smaller and trained for fewer steps, is trained along: the guide of "
        "autoguidance.",
        script="never",
    )
    guide_width: Whole = setting(
        32,
        "guide width",
        "Units in each hidden layer of the guide.",
        when=_GUIDE,
        ge=1,
        le=4096,
        scale="doubling",
        script="never",
    )
    guide_depth: Whole = setting(
        2,
        "guide depth",
        "Number of hidden layers of the guide.",
        when=_GUIDE,
        ge=1,
        le=16,
        script="never",
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
        "Points drawn for each step.",
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
        "none",
        "rate decay",
        "Decay of the learning rate: none, by a factor at intervals, or as a cosine.",
    )
    decay_factor: Real = setting(
        0.95,
        "decay factor",
        "Factor by which each decay step multiplies the learning rate.",
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
        script="any level",
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
    label_dropout: Real = setting(
        0.1,
        "label dropout",
        "Share of the training points whose label is hidden, so that the network also learns the "
        "data as a whole: the guide of classifier-free guidance.",
        when=_LABELS,
        ge=0,
        le=1,
        scale=0.05,
        script="never",
    )
    guide_share: Real = setting(
        0.125,
        "guide share",
        "Steps of the guide as a share of all steps.",
        when=_GUIDE,
        gt=0,
        le=1,
        scale="share",
        script="never",
    )


_GUIDED: Mapping[str, tuple[str, ...]] = {**_LABELS, **_GUIDE}


class SamplingConfig(PartSection):
    """The reverse process."""

    parts = SAMPLER_PARTS
    named_by = "sampler"

    points: Whole = setting(
        1000,
        "points",
        "Points denoised together.",
        unit="points",
        ge=1,
        le=2_000_000,
        scale="series",
    )
    sampler: SamplerName = setting("naive", "sampler")
    levels: Whole = setting(
        0,
        "levels",
        "Noise levels to sample with, where they should not be the schedule's; 0: the schedule's.",
        unit="levels",
        ge=0,
        le=1000,
        scale="levels",
        script="any level",
    )
    eta: Real = setting(
        0.0,
        "eta",
        "Noise of a ddim step: 0 adds none, 1 is a ddpm step.",
        ge=0,
        le=1,
        scale=0.1,
    )
    variance: Literal["posterior", "beta"] = setting(
        "posterior",
        "variance",
        "Variance of a ddpm step: that of the posterior (beta tilde), or beta itself.",
    )
    quiet: Whole = setting(
        2,
        "quiet steps",
        "Last steps that add no noise: 2 in the post, 1 in the paper's Algorithm 2.",
        unit="steps",
        ge=0,
        le=1000,
    )
    s_churn: Real = setting(
        10.0,
        "churn",
        "Noise that edm-stochastic adds over all levels: S_churn of Karras et al. 2022; 0: none.",
        ge=0,
        le=1000,
    )
    s_min: Real = setting(
        0.05, "churn from", "Least sigma/alpha at which noise is added: S_tmin.", ge=0, le=1e6
    )
    s_max: Real = setting(
        50.0, "churn up to", "Greatest sigma/alpha at which noise is added: S_tmax.", ge=0, le=1e6
    )
    s_noise: Real = setting(
        1.0,
        "churn noise",
        "Factor on the added noise: S_noise, a little above 1 where a network removes too much.",
        ge=0,
        le=2,
        scale=0.01,
    )
    snr: Real = setting(
        0.16,
        "snr",
        "Signal to noise of the corrector: its move over its noise, 0.16 in Song et al. 2021.",
        gt=0,
        le=0.7,
        scale=0.02,
    )
    step_size: Real = setting(
        0.5,
        "step size",
        "Size of a Langevin step in units of sigma²: a larger one follows the falling noise, a "
        "smaller one keeps the distribution of each level.",
        gt=0,
        le=2,
        scale=0.1,
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

    label: str = setting(
        "all",
        "label",
        "Class to sample: all, in proportion to their weights, or the number of one.",
        when=_LABELS,
        allowed="all, or the number of a class, from 0",
        pattern=r"^(all|0|[1-9]\d{0,4})$",
        scale="label",
        script="never",
    )
    guidance: Real = setting(
        1.0,
        "guidance",
        "Weight w of guidance: x0_hat = guide + w (network - guide); 1: none.",
        when=_GUIDED,
        guidance=True,
        ge=0,
        le=100,
        scale=0.5,
        script="never",
    )
    guidance_from: Real = setting(
        0.0,
        "guided from",
        "Least sigma/alpha at which guidance applies.",
        when=_GUIDED,
        guidance=True,
        ge=0,
        le=1e6,
        scale=0.05,
        script="never",
    )
    guidance_to: Real = setting(
        1e6,
        "guided up to",
        "Greatest sigma/alpha at which guidance applies.",
        when=_GUIDED,
        guidance=True,
        ge=0,
        le=1e6,
        script="never",
    )
    guide: str = setting(
        OWN_GUIDES[0],
        "guide",
        "Denoiser that guidance leads away from: no-label, the network without the label "
        "(classifier-free); own, the guide trained along (autoguidance); or another run.",
        when=_GUIDED,
        guidance=True,
        allowed="no-label, own, or the name or the folder of a run",
        pattern=PRINTABLE,
        min_length=1,
        max_length=4096,
        script="never",
    )

    @field_validator("label", mode="before")
    @classmethod
    def _number_as_text(cls, label: object) -> object:
        return str(label) if type(label) is int else label

    @model_validator(mode="after")
    def _interval_ordered(self) -> SamplingConfig:
        if self.guidance_from > self.guidance_to:
            low, high = format_value(self.guidance_from), format_value(self.guidance_to)
            raise ValueError(
                f"sampling.guidance_from: {low} is above sampling.guidance_to = {high}; allowed: a "
                f"number up to {high}, or sampling.guidance_to above {low}"
            )
        return self

    @property
    def posterior(self) -> bool:
        """Whether a ddpm step has the variance of the posterior."""
        return self.variance == "posterior"
