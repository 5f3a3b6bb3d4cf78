"""Spread, differences and ranking, against values worked out by hand."""

import math

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.sweeps.measures import MEASURES, measure_named
from tui_diffusion.core.sweeps.results import CellResult, Sampled, SweepResults, sweep_results
from tui_diffusion.core.sweeps.statistics import Difference, difference, spread
from tui_diffusion.core.sweeps.store import StoredSweep

from ..cases import for_each
from ..sweeps import carried_out, small

INF, NAN = math.inf, math.nan


def test_spread_is_median_extremes_and_quartiles():
    found = spread([4.0, 1.0, 3.0, 2.0, 10.0])
    assert (found.median, found.low, found.high, found.q1, found.q3) == (3.0, 1.0, 10.0, 2.0, 4.0)
    assert spread([2.5]).as_json() == dict.fromkeys(("median", "low", "high", "q1", "q3"), 2.5)
    assert spread([]) is None


DIFFERENCES = [
    # All five differences are 1: so is every resample.
    ([1, 2, 3, 4, 5], [2, 3, 4, 5, 6], Difference(1.0, 1.0, 1.0)),
    # Of five differences, the interval reaches from the least to the greatest.
    ([0, 0, 0, 0, 0], [1, 2, 3, 4, 5], Difference(3.0, 1.0, 5.0)),
    ([0, 0, 0, 0, 0], [-1, 2, 3, 4, 5], Difference(3.0, -1.0, 5.0)),
    # Fewer than five seeds prove nothing.
    ([0, 0, 0, 0], [9, 9, 9, 9], Difference(9.0, None, None)),
    ([0, NAN, 0, 0, 0], [9, 9, 9, 9, 9], Difference(9.0, None, None)),
    # A training that diverged is infinitely bad, two of them are alike.
    ([0, 0, 0, 0, 0], [INF] * 5, Difference(INF, INF, INF)),
    ([INF] * 5, [INF] * 5, Difference(0.0, 0.0, 0.0)),
    ([INF] * 5, [0, 0, 0, 0, 0], Difference(-INF, -INF, -INF)),
    ([0, 0], [-INF, INF], Difference(0.0, None, None)),
    ([NAN], [1.0], None),
]


@for_each("a, b, expected", DIFFERENCES)
def test_difference_of_two_cells_seed_by_seed(a, b, expected):
    assert difference(a, b) == expected
    assert expected is None or expected.above == (expected.low is not None and expected.low > 0)


def test_the_interval_covers_a_true_difference_about_as_often_as_it_says():
    import numpy as np

    random = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        found = difference([0.0] * 15, random.normal(0.3, 1.0, 15).tolist())
        inside += found.low <= 0.3 <= found.high
    # Of 400, 90 % with a std of 6; the percentile interval of a median is a little wide.
    assert 345 <= inside <= 390


def test_equal_cells_differ_as_seldom_as_the_documentation_says():
    import numpy as np

    random = np.random.default_rng(0)
    for seeds, most in ((5, 0.1), (10, 0.17)):
        pairs = (difference([0.0] * seeds, random.normal(0, 1, seeds).tolist()) for _ in range(300))
        wrong = sum(found.above or found.high < 0 for found in pairs)
        # Measured over 1,500 pairs: 0.06 and 0.13.
        assert 0.02 < wrong / 300 < most


def made(*values, seeds=5, measure="excess"):
    """Results of cells with these values; None is a training that diverged."""
    sweep = small(f"network.width=1..{len(values)}:lin{len(values)}", seeds=seeds)
    path = MEASURES[measure].path

    def report(value):
        if value is None:
            return {"status": "diverged", path[0]: {path[1]: 0.0}}
        return {"status": "finished", path[0]: {path[1]: value}}

    cells = [
        CellResult(cell, tuple(Sampled(None, s, report(v)) for s, v in enumerate(of)))
        for cell, of in zip(sweep.cells(), values, strict=True)
    ]
    return SweepResults(StoredSweep.__new__(StoredSweep), sweep, tuple(cells))


def test_the_best_cell_is_marked_with_all_that_it_does_not_beat():
    best, alike, worse = [1, 2, 3, 4, 5], [2, 1, 4, 5, 6], [2, 3, 4, 5, 6]
    ranking = made(worse, best, alike).ranking("excess")
    assert (ranking.best, ranking.cells) == (1, (1, 2))
    assert ranking.differences[0] == Difference(1.0, 1.0, 1.0)
    assert made(worse[:4], best[:4], seeds=4).ranking("excess").cells == (0, 1)
    # A single training that diverged may be chance; most of them are not.
    assert made(best, [1.1, None, 3.1, 3.9, 5.1]).ranking("excess").cells == (0, 1)
    assert made(best, [0.1, None, None, None, 0.2]).ranking("excess").cells == (0,)
    assert made([None] * 5, [None] * 5).ranking("excess") is None
    assert made([None] * 5, best).cells[0].spread("excess") is None
    # A ratio of 2 is as bad as one of 1/2.
    ratios = made([0.5] * 5, [1.5] * 5, [2.0] * 5, measure="in_mode_std_ratio")
    assert ratios.ranking("in_mode_std_ratio").best == 1


def test_an_unknown_measure_names_those_that_there_are():
    assert measure_named("mode-tv").key == "mode_tv"
    with pytest.raises(ConfigError, match=r"measure: 'energy' is not allowed; .*allowed: energy_"):
        measure_named("energy")


def test_the_report_of_a_sweep_that_diverges(home):
    last = carried_out(small("training.lr=1e-3,1e12", training__optimizer="sgd"))
    assert (last.done, last.diverged, last.failed) == (4, 2, 0)
    report = sweep_results(last.stored).report()
    assert list(report) == [
        *("sweep", "experiment", "axes", "seeds", "engine", "workers", "seconds", "cells", "best")
    ]
    assert report["axes"] == [{"field": "training.lr", "values": [1e-3, 1e12]}]
    assert (report["seeds"], report["engine"], report["workers"]) == (2, "Inline", 1)
    good, bad = report["cells"]
    assert (good["done"], good["diverged"], bad["done"], bad["diverged"]) == (2, 0, 2, 2)
    assert good["settings"] == {"training.lr": 1e-3}
    assert good["runs"] == [f"{last.stored.name}/{n}-lr=0.001-seed={n - 1}" for n in (1, 2)]
    assert good.keys() >= {*MEASURES, "failed", "difference", "best"}
    assert good["energy_distance"].keys() == {"median", "low", "high", "q1", "q3", "real"}
    assert good["excess"].keys() == {"median", "low", "high", "q1", "q3"}
    assert [bad[key] for key in MEASURES] == [None] * len(MEASURES)
    assert report["best"] == {"by": "energy_distance", "cell": 0, "cells": [0]}
    assert (good["best"], bad["best"]) == (True, False)
