"""The values of an axis, as a user writes them."""

import pytest

from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.sweeps.values import MOST_VALUES, check_values, parse_axis

from ..cases import for_each

GOOD = {
    "network.width=16,32,64": (16, 32, 64),
    "network.width= 16 , 32": (16, 32),
    "network.width=8..64:log4": (8, 16, 32, 64),
    "training.lr=1e-4..1e-1:log7": (1e-4, 3.16228e-4, 1e-3, 3.16228e-3, 1e-2, 3.16228e-2, 1e-1),
    "sampling.eta=0..1:lin5": (0.0, 0.25, 0.5, 0.75, 1.0),
    "sampling.eta=0..1:lin4": (0.0, 0.333333, 0.666667, 1.0),
    "sampling.eta=0,0.2..1:lin2": (0.0, 0.2, 1.0),
    "method.name=naive,naive-exact": ("naive", "naive-exact"),
    "network.per_level=true,false": (True, False),
    "training.steps=(10,000),2e4": (10_000, 20_000),
    "schedule.betas=(0.1,0.2),(0.3)": ((0.1, 0.2), (0.3,)),
    "data.means=((-1,1),(1,-1)),((0,0))": (((-1.0, 1.0), (1.0, -1.0)), ((0.0, 0.0),)),
    "data.means=(-1,1),0.5": (((-1.0,), (1.0,)), ((0.5,),)),
    "data.name=moons,file:a.csv": ("moons", "file:a.csv"),
}


@for_each("text", GOOD)
def test_values_are_read_in_the_type_of_their_field(text):
    field, values = parse_axis(text)
    assert field == text.partition("=")[0]
    assert values == GOOD[text]
    assert [type(value) for value in values] == [type(value) for value in GOOD[text]]


BAD = {
    "training.lr": "axis 'training.lr': no values; allowed: FIELD=VALUES",
    "training.lr=": "no values; allowed: FIELD=VALUES",
    "training.lr=1e-3,": "has an empty value; allowed: a list",
    "training.lr=-1,1e-3": "training.lr: '-1' is not allowed; allowed: a number above 0",
    "training.lr=nan": "training.lr: 'nan' is not allowed; allowed: a number above 0",
    "training.lr=1..2": "range '1..2' is not allowed; allowed: LOW..HIGH:logN or LOW..HIGH:linN",
    "training.lr=1..2:exp3": "range '1..2:exp3' is not allowed; allowed: LOW..HIGH:logN",
    "training.lr=2..1:log3": "allowed: a range from a lower number to a higher one",
    "training.lr=1..2:log1": "allowed: 2 to 1,000 values",
    "training.lr=1..2:log9999999": "allowed: 2 to 1,000 values",
    "training.lr=0..1:log3": "training.lr: '0' is not allowed; allowed: a number above 0",
    "sampling.eta=0..1:log3": "allowed: log from a number above 0, or lin",
    "network.width=1..3:lin5": "network.width: 2 is there twice; allowed: each value once",
    "network.width=16,16.0": "network.width: 16 is there twice",
    "network.width=3.5": "network.width: '3.5' is not allowed; allowed: a whole number from 1",
    "method.name=naiv": "'naiv' is not allowed; did you mean naive? allowed: naive, ",
    "schedule.betas=(0.1": "has parentheses that do not match; allowed: ",
    "schedule.betas=0.1),(0.2": "has parentheses that do not match; allowed: ",
    "trainin.lr=1": "trainin.lr: no such field; did you mean training.lr? allowed: ",
    "seed=1,2": "seed: cannot be an axis",
}


@for_each("text", BAD)
def test_a_bad_axis_is_one_line_that_names_the_field_the_value_and_what_is_allowed(text):
    with pytest.raises(ConfigError) as raised:
        parse_axis(text)
    assert BAD[text] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_values_from_python_are_checked_alike():
    assert check_values("network.width", [16, "32"]) == (16, 32)
    for values, message in (
        ([], "network.width: no values"),
        ("16", "is not a list"),
        (16, "is not a list"),
        ([0], "'0' is not allowed"),
        (range(1, MOST_VALUES + 2), "1,001 values; allowed: up to 1,000"),
    ):
        with pytest.raises(ConfigError) as raised:
            check_values("network.width", values)
        assert message in str(raised.value)
