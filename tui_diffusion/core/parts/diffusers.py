"""The schedulers of diffusers, as entries of the samplers; loads neither diffusers nor torch.

`core.diffusers_step` drives the classes. Orders are those of their papers and documentation;
`core.conformance` measures them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from .papers import HO, KARRAS, LIU

PREFIX = "diffusers:"
INSTALL = "pip install 'diffusion-tui[diffusers]'"

_SONG = "Song, Meng and Ermon 2021: Denoising Diffusion Implicit Models. ICLR."
_PLUS_PLUS = (
    "Lu et al. 2022: DPM-Solver++: Fast Solver for Guided Sampling of Diffusion "
    "Probabilistic Models."
)
_SOLVER = (
    "Lu et al. 2022: DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in "
    "Around 10 Steps. NeurIPS."
)
_PSEUDO = "Liu, Ren, Lin and Zhao 2022: Pseudo Numerical Methods for Diffusion Models. ICLR."
_EXPONENTIAL = (
    "Zhang and Chen 2023: Fast Sampling of Diffusion Models with Exponential Integrator. ICLR."
)
_UNIPC = (
    "Zhao et al. 2023: UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of "
    "Diffusion Models. NeurIPS."
)

ALL_STEPS = 1000
"""The steps that a class remembers whose state depends on all before."""

_ANY_LEVEL = ("edm", "flow")
"""The methods that know the level halfway through a step."""


def missing_package(needs: tuple[str, ...]) -> str:
    """Return the first of these packages that is not installed, or ''."""
    return next((name for name in needs if find_spec(name) is None), "")


def _entry(name: str, formula: str, *papers: str, more: str = "", **about: Any) -> dict[str, Any]:
    return {
        "name": PREFIX + name,
        "group": PREFIX + "NAME",
        "scheduler": name,
        "help": "a scheduler of the library diffusers",
        "formula": formula,
        "papers": papers,
        "needs": ("diffusers", more) if more else ("diffusers",),
        **about,
    }


_EULER = "y ← y + (s' − s)·(y − x0_hat)/s, with y = x/α, s = σ/α"
_ANCESTRAL = "d² + u² = s'², u² = s'²·(s² − s'²)/s²"

SCHEDULERS = (
    _entry(
        "DDPM",
        "x ← N((√ᾱ'·β·x0_hat + √(ᾱ/ᾱ')·(1 − ᾱ')·x)/(1 − ᾱ), β̃), with β = 1 − ᾱ/ᾱ'",
        HO,
        uses=("variance", "quiet"),
    ),
    *(
        _entry(
            name,
            "x ← √ᾱ'·x0_hat + √(1 − ᾱ' − s²)·eps_hat + s·z, with s = η·√β̃",
            _SONG,
            order=1,
            uses=("eta", "quiet"),
        )
        for name in ("DDIM", "DDIMParallel")
    ),
    _entry(
        "DPMSolverMultistep",
        "x ← (σ'/σ)·x − α'·(e^−h − 1)·(D₀ + D₁/2), D₁ from this x0_hat and the last, h in ln(α/σ)",
        _PLUS_PLUS,
        order=2,
        looks_back=ALL_STEPS,
    ),
    _entry(
        "DPMSolverSinglestep",
        "in pairs: a step of first order, then one of second order from where the pair began",
        _PLUS_PLUS,
        order=2,
        looks_back=ALL_STEPS,
    ),
    _entry(
        "DPMSolverSDE",
        "to the middle of ln s and on to s', each x ← (d/s)·x + (1 − d/s)·x0_hat + u·z, "
        + _ANCESTRAL,
        _SOLVER,
        KARRAS,
        more="torchsde",
        evaluations=2,
        methods=_ANY_LEVEL,
        needs_signal=True,
        uses=("quiet",),
    ),
    _entry(
        "UniPC",
        "predict x' from this estimate and the last; at x', correct the step that led there",
        _UNIPC,
        order=3,
        looks_back=ALL_STEPS,
    ),
    _entry(
        "DEIS",
        "x ← (α'/α)·x + α'·∫(eps_hat, extrapolated in ln s) ds, with s = σ/α",
        _EXPONENTIAL,
        order=2,
        looks_back=ALL_STEPS,
        needs_signal=True,
    ),
    _entry("EulerDiscrete", _EULER, KARRAS, order=1, needs_signal=True),
    _entry(
        "EulerAncestralDiscrete",
        "y ← y + (d − s)·(y − x0_hat)/s + u·z, with y = x/α, s = σ/α, " + _ANCESTRAL,
        HO,
        needs_signal=True,
        uses=("quiet",),
    ),
    _entry(
        "HeunDiscrete",
        _EULER + ", again with the mean slope of both ends",
        KARRAS,
        order=2,
        evaluations=2,
        needs_signal=True,
    ),
    _entry(
        "KDPM2",
        _EULER + ", with the slope at √(s·s')",
        _SOLVER,
        KARRAS,
        order=2,
        evaluations=2,
        methods=_ANY_LEVEL,
        needs_signal=True,
    ),
    _entry(
        "KDPM2Ancestral",
        "a step to d with the slope at √(s·d), then + u·z, with " + _ANCESTRAL,
        _SOLVER,
        KARRAS,
        evaluations=2,
        methods=_ANY_LEVEL,
        needs_signal=True,
        uses=("quiet",),
    ),
    _entry(
        "LMS",
        "y ← y + ∫ p(s) ds from s to s', p the cubic through the last four slopes (y − x0_hat)/s",
        KARRAS,
        more="scipy",
        order=4,
        looks_back=ALL_STEPS,
        needs_signal=True,
    ),
    _entry(
        "PNDM",
        "a DDIM step with (55·e₀ − 59·e₁ + 37·e₂ − 9·e₃)/24 of the last four eps_hat; first Heun's",
        _PSEUDO,
        order=2,
        looks_back=ALL_STEPS,
        needs_signal=True,
    ),
    _entry(
        "IPNDM",
        "a DDIM step with (55·e₀ − 59·e₁ + 37·e₂ − 9·e₃)/24 of the last four eps_hat; first fewer",
        _PSEUDO,
        order=4,
        looks_back=ALL_STEPS,
        needs_signal=True,
    ),
    _entry("EDMEuler", _EULER, KARRAS, order=1, needs_signal=True),
    _entry(
        "EDMDPMSolverMultistep",
        "y ← (s'/s)·y − (e^−h − 1)·(D₀ + D₁/2), D₁ from this x0_hat and the last, h in −ln s",
        _PLUS_PLUS,
        KARRAS,
        order=2,
        looks_back=ALL_STEPS,
        needs_signal=True,
    ),
    _entry(
        "FlowMatchEuler",
        "y ← y + (t' − t)·(eps_hat − x0_hat), with y = x/(α + σ), t = σ/(α + σ)",
        LIU,
        order=1,
    ),
    _entry(
        "FlowMatchHeun",
        "y ← y + (t' − t)·v, v the mean at both ends of eps_hat − x0_hat, t = σ/(α + σ)",
        LIU,
        order=2,
        evaluations=2,
    ),
)
"""The arguments of an entry for each scheduler."""
