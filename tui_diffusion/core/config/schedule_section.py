"""The schedule section of an experiment: the noise levels."""

from __future__ import annotations

import math

from pydantic import field_validator, model_validator

from ..parts.schedules import SCHEDULE_PARTS
from ..text import shortened
from .choices import ScheduleKind
from .fields import setting
from .limits import LEAST_ALPHA, LEAST_BETA, LEAST_SIGMA
from .section import PartSection
from .value_types import Real, RealList, Whole, format_value


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
