"""The declaration of a sampler."""

from __future__ import annotations

from dataclasses import dataclass

from .part import Part


@dataclass(frozen=True, kw_only=True)
class SamplerPart(Part):
    """A sampler; its function is a `core.samplers.Sampler`.

    ``methods`` are the compatible methods; if empty, all are. ``formula`` is the step. A sampler
    that ``looks_back`` receives that many earlier steps: the previous one, which leads to those
    before. ``noises`` is the number of independent noises of a step; z has shape (n, noises·d). A
    sampler with ``trained_levels`` can only use the levels of the training; one that
    ``needs_signal`` cannot start at a level with α = 0.

    ``scheduler`` is the name of the scheduler of diffusers that takes the step, in place of a
    function. ``needs`` are the packages without which there is none.

    ``order`` is the order of convergence p: without noise, the error over N steps falls as N^−p. It
    is None for a sampler that does not follow the probability-flow ODE. That of one that looks back
    is the order of its later steps: the first ones are of lower order, which shows less the wider
    the noise is than the data. ``evaluations`` is the number of
    calls of the denoiser in one step. With a method in ``biased_with``, the sample does not tend to
    the data, even from the ideal denoiser.

    ``script`` is the body of ``denoise(x, k)`` in an exported script, the step from level k to
    k + 1, in terms of ``alphas`` and ``sigmas``. ``$estimates(x, k)`` returns x0_hat and eps_hat,
    ``$estimates_at(x, alpha, sigma)`` those between levels; ``$quiet`` is a line that draws z;
    ``$eta`` and the other fields of the section stand for their values. ``script_before`` is code
    that precedes it. Without ``script`` no script is exported.
    """

    methods: tuple[str, ...] = ()
    formula: str
    looks_back: int = 0
    noises: int = 1
    trained_levels: bool = False
    needs_signal: bool = False
    scheduler: str = ""
    needs: tuple[str, ...] = ()
    order: int | None = None
    evaluations: int = 1
    biased_with: tuple[str, ...] = ()
    script: str = ""
    script_before: str = ""
