"""The views of a diagnosis: nats by level, errors against evaluations, guidance by level."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_diffusion.core.analysis.evaluations import SamplerError
from tui_diffusion.core.analysis.start_mismatch import start_mismatch
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.interface.glyphs import Glyphs
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.sampling.diagnosis import RequestedDiagnosis, diagnose
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.diagnosis import excess
from tui_diffusion.lab.views.evaluations import evaluations
from tui_diffusion.lab.views.guidance import guidance

from ..changed import changed
from ..trainings import trained

REQUEST = SampleRequest(PRESETS["edm-1d"].experiment, "network", 0, 50)


def row(sampler: str, calls: int, network: float) -> SamplerError:
    return SamplerError(sampler, calls, calls, network, network / 10, 1e-3, 1e-4, 1e-4)


def compared(*rows: SamplerError) -> RequestedDiagnosis:
    start = start_mismatch(REQUEST.experiment)
    return RequestedDiagnosis(REQUEST, (), (), start, None, 0.0, None, rows)


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
@pytest.mark.parametrize("size", [(58, 10), (78, 18), (118, 20)])
def test_the_error_of_samplers_is_drawn_against_evaluations(glyphs: Glyphs, size: tuple[int, int]):
    rows = [row("heun", 4, 1.0), row("heun", 16, 0.01), row("ddpm", 4, 0.1), row("ddpm", 16, 0.05)]
    lines = [line.text for line in evaluations(compared(*rows), *size, Palette.default(), glyphs)]
    assert len(lines) == size[1] and {len(line) for line in lines} == {size[0]}
    assert "heun" in lines[0] and "ddpm" in lines[0]
    ticks = [line for line in lines[:-1] if " 4 " in line and "16" in line]
    assert len(ticks) == 1 and ticks[0].index("4") < ticks[0].index(" 8 ") < ticks[0].index("16")
    assert lines[-1].startswith(" best within 5: ddpm")
    assert "20: heun" in lines[-1] and ("heun 0.01" in lines[-1]) == (size[0] > 70)
    blank = evaluations(compared(), *size, Palette.default(), glyphs)
    assert any("Train first" in line.text for line in blank)


def test_parts_of_a_diagnosis_stay_while_the_network_does():
    trainer = trained(changed("ddpm-1d", training__steps=30, sampling__points=50))
    of = replace(REQUEST, experiment=trainer.experiment, denoiser=trainer.denoiser)
    quick = diagnose(replace(of, study="quick"))
    assert quick.losses and quick.attribution is quick.likelihood is None
    assert all(quick.lacks(view) for view in ("excess", "error", "evaluations"))
    assert not quick.lacks("schedule")
    likely = diagnose(replace(of, study="excess"))
    assert not likely.lacks("excess") and likely.lacks("error")
    assert likely.likelihood is not None and likely.attribution is None
    several = diagnose(replace(of, study="evaluations")).with_parts_of(likely)
    assert several.likelihood is likely.likelihood and several.evaluations
    other = diagnose(replace(of, step=1)).with_parts_of(several)
    assert other.attribution is not None and other.likelihood is None and not other.evaluations
    live = diagnose(replace(of, live=True, study="evaluations"))
    own = trainer.experiment.sampling.sampler
    assert {at.sampler for at in live.evaluations} == {own}, "the others wait for its end"
    assert diagnose(replace(of, live=True, study="excess")).likelihood is None
    for width in (40, 78, 118):
        *picture, level, nats = (
            line.text for line in excess(likely, 3, width, 14, Palette.default(), "braille")
        )
        assert ("nats" in picture[0]) == (width > 60)
        assert f"kl {likely.likelihood.kl:.3g} ± " in nats and level.startswith(" level 3: ")


def test_the_guidance_at_every_level():
    settings = {"network__labels": True, "sampling__guidance": 3, "sampling__guidance_from": 0.01}
    settings |= {"sampling__label": 0}
    trainer = trained(changed("edm-multimodal", training__steps=5, **settings))
    of = replace(REQUEST, experiment=trainer.experiment, denoiser=trainer.denoiser)
    quick = diagnose(replace(of, study="quick"))
    assert quick.guidance is None and quick.lacks("guidance")
    found = diagnose(replace(of, study="guidance"))
    assert not found.lacks("guidance") and found.guidance.distances is not None
    assert quick.with_parts_of(found).guidance is found.guidance
    live = diagnose(replace(of, live=True, study="guidance"))
    assert live.guidance.levels and live.guidance.distances is None
    for glyphs in ("braille", "ascii"):
        for width in (40, 78, 118):
            size = (width, 14, Palette.default(), glyphs)
            *picture, level, distances = (line.text for line in guidance(found, 3, *size))
            assert len(picture) == 12 and {len(line) for line in picture} == {width}
            assert "angle" in picture[0] and ("length" in picture[0]) == (width > 60)
            at = found.guidance.levels[3]
            assert level.startswith(f" level 3: angle {at.angle:.3g}")
            assert "conditional" in distances and ("true points" in distances) == (width > 60)
            last = guidance(found, 99, *size)[-2].text
            assert last.strip() == f"level {len(found.guidance.levels) - 1}: not guided"
            assert "when the training" in guidance(live, 3, *size)[-1].text
    for diagnosis, words in ((quick, "measuring"), (compared(), "Train first")):
        lines = guidance(diagnosis, 3, 78, 14, Palette.default(), "braille")
        assert any(words in line.text for line in lines)
