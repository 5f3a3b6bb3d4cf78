"""What a network learns: targets, how outputs are read, and the best possible output."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.methods import METHODS, IdealDenoiser, NetworkDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.networks import Network
from tui_diffusion.core.parts.methods import METHOD_PARTS
from tui_diffusion.core.schedules import Level, from_betas, karras

from ..cases import for_each

SCHEDULES = {"karras": karras(10, 0.001, 1.0, 7), "beta": from_betas((0.01, 0.1, 0.3, 0.6, 0.9))}
CASES = [
    (name, kind, k)
    for name in ("naive", "naive-exact", "ddpm")
    for kind, schedule in SCHEDULES.items()
    for k in range(schedule.levels)
]
TWO = GaussianMixture([[-1.0], [0.8]], [0.2, 0.4], [0.4, 0.6])


def pair(seed: int = 0, shape: tuple[int, int] = (64, 2)) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    draws = torch.randn((2, *shape), generator=random, dtype=torch.float64)
    return draws[0], draws[1]


def tells_the_noise(name: str, level: Level) -> bool:
    """Whether the target depends on the noise at all: the post's last one does not."""
    return name != "naive" or bool(level.sigma_next)


def test_every_method_a_configuration_can_name_is_here():
    assert set(METHODS) == set(METHOD_PARTS)


@for_each("name, kind, k", CASES)
def test_reading_inverts_the_target(name, kind, k):
    method, level = METHODS[name], SCHEDULES[kind][k]
    x0, eps = pair()
    x = level.alpha * x0 + level.sigma * eps
    said = method.to_prediction(method.target(x0, eps, level), x, level)
    if tells_the_noise(name, level):
        assert float((said.eps_hat - eps).abs().max()) < 1e-9
        assert float((said.x0_hat - x0).abs().max()) < 1e-9
    else:
        # The output is 0 whatever was there: nothing is removed.
        assert torch.equal(said.output, torch.zeros_like(x))
        assert float((said.x0_hat - x / level.alpha).abs().max()) < 1e-12


@given(
    st.sampled_from(sorted(METHODS)),
    st.sampled_from(sorted(SCHEDULES)),
    st.integers(0, 4),
    st.integers(0, 1000),
)
def test_the_estimates_of_any_output_add_up_to_x(name, kind, k, seed):
    level = SCHEDULES[kind][k]
    output, x = pair(seed)
    said = METHODS[name].to_prediction(output, x, level)
    again = level.alpha * said.x0_hat + level.sigma * said.eps_hat
    assert float((again - x).abs().max()) < 1e-9
    assert torch.equal(said.output, output)


def test_the_targets_by_hand():
    x0, eps = pair()
    level = Level(1.0, 0.5, 1.0, 0.2)
    n = 0.5 * eps
    assert float((METHODS["naive"].target(x0, eps, level) - n * 0.2 / 0.5).abs().max()) < 1e-15
    exact = METHODS["naive-exact"].target(x0, eps, level)
    assert float((exact - n * (1 - 0.2 / 0.5)).abs().max()) < 1e-15
    assert torch.equal(METHODS["ddpm"].target(x0, eps, level), eps)


def test_the_posts_target_leaves_more_than_the_next_level():
    """Removing n·σ'/σ leaves n·(1 − σ'/σ); removing n·(1 − σ'/σ) leaves the next level's n."""
    x0, eps = pair()
    for k in range(9):
        level = SCHEDULES["karras"][k]
        n, ratio = level.sigma * eps, level.sigma_next / level.sigma
        x = x0 + n
        left = x - METHODS["naive"].target(x0, eps, level) - x0
        assert float((left - n * (1 - ratio)).abs().max()) < 1e-12
        left = x - METHODS["naive-exact"].target(x0, eps, level) - x0
        assert float((left - level.sigma_next * eps).abs().max()) < 1e-12


def test_the_posts_last_target_is_nothing_and_the_exact_one_is_all_the_noise():
    x0, eps = pair()
    last = SCHEDULES["karras"][9]
    assert torch.equal(METHODS["naive"].target(x0, eps, last), torch.zeros_like(eps))
    exact = METHODS["naive-exact"].target(x0, eps, last)
    assert float((exact - 0.001 * eps).abs().max()) < 1e-15


def test_what_a_network_is_told_of_its_level():
    level = SCHEDULES["karras"][4]
    assert METHODS["naive"].condition(level) == level.sigma
    assert METHODS["naive-exact"].condition(level) == level.sigma
    betas = (0.01, 0.1, 0.3, 0.6, 0.9)
    for k in range(5):
        told = METHODS["ddpm"].condition(SCHEDULES["beta"][k])
        assert abs(float(told) - (1 - betas[4 - k])) < 1e-12


@for_each("name", sorted(METHODS))
@for_each("kind, k", [("karras", 1), ("karras", 4), ("beta", 0), ("beta", 3)])
def test_the_ideal_output_is_the_conditional_expectation_of_the_target(name, kind, k):
    """By quadrature over x_0: given x, each x_0 has ε = (x − α x_0)/σ, hence a target."""
    method, level = METHODS[name], SCHEDULES[kind][k]
    x0 = torch.linspace(-3, 4, 100_001, dtype=torch.float64)[:, None]
    prior = TWO.log_prob(x0)
    for x in (-1.5, -0.4, 0.1, 1.3):
        eps = (x - level.alpha * x0) / level.sigma
        posterior = (prior - eps[:, 0] ** 2 / 2).softmax(0)
        expected = float(posterior @ method.target(x0, eps, level)[:, 0])
        point = torch.tensor([[x]], dtype=torch.float64)
        said = IdealDenoiser(TWO, method)(point, level)
        assert abs(float(said.output) - expected) < 1e-6
        assert abs(float(said.x0_hat) - float(posterior @ x0[:, 0])) < 1e-6
        again = level.alpha * said.x0_hat + level.sigma * said.eps_hat
        assert abs(float(again) - x) < 1e-12


@pytest.mark.parametrize("name", sorted(METHODS))
def test_no_other_output_has_a_lower_loss(name):
    """The ideal output's mean squared error is stationary and least along any direction."""
    method, level = METHODS[name], SCHEDULES["beta"][2]
    random = torch.Generator().manual_seed(0)
    x0 = TWO.sample(200_000, random, dtype=torch.float64)
    eps = torch.randn(x0.shape, generator=random, dtype=torch.float64)
    x = level.alpha * x0 + level.sigma * eps
    target = method.target(x0, eps, level)
    best = IdealDenoiser(TWO, method)(x, level).output
    scale = float(target.std())
    least = float((best - target).square().mean())
    for change in (torch.ones_like(x), x, x.sin(), x.square()):
        for size in (-0.1, 0.1):
            worse = float((best + size * scale * change - target).square().mean())
            assert worse > least


@for_each("name", ["naive", "naive-exact", "ddpm"])
@for_each("per_level", [False, True])
def test_a_network_and_the_truth_answer_the_same_call(name, per_level):
    schedule = SCHEDULES["beta"]
    network = Network(
        1,
        schedule.levels,
        width=8,
        depth=2,
        activation="tanh",
        per_level=per_level,
        generator=torch.Generator().manual_seed(0),
    )
    x = torch.randn((7, 1), generator=torch.Generator().manual_seed(1))
    level = schedule[3]
    learnt = NetworkDenoiser(network, METHODS[name])(x, level)
    truth = IdealDenoiser(TWO, METHODS[name])(x, level)
    for said in (learnt, truth):
        assert said.output.shape == said.eps_hat.shape == said.x0_hat.shape == x.shape
    told = torch.full((7, 1), float(METHODS[name].condition(level)))
    fed = x if per_level else torch.cat((x, told), 1)
    expected = network.bodies[3 if per_level else 0](fed)
    assert float((learnt.output - expected).abs().max().detach()) < 1e-6
