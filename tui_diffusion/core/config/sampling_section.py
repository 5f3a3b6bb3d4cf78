"""The sampling section of an experiment: the reverse process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import field_validator, model_validator

from ..parts.samplers import SAMPLER_PARTS
from .choices import SamplerName
from .fields import OWN_GUIDES, setting
from .network_section import WITH_GUIDE, WITH_LABELS
from .section import PRINTABLE, PartSection
from .value_types import Real, Whole, format_value

_GUIDED: Mapping[str, tuple[str, ...]] = {**WITH_LABELS, **WITH_GUIDE}


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
        when=WITH_LABELS,
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

    @property
    def guided(self) -> bool:
        """Whether points are guided: the weight is not 1."""
        return self.guidance != 1

    @property
    def guide_run(self) -> str:
        """The name or the folder of the run that guides; '' if none does."""
        return self.guide if self.guided and self.guide not in OWN_GUIDES else ""
