"""Script templates for the denoising: its start, and a step of each sampler."""

from __future__ import annotations

from string import Template

from ...core.config.experiment import Experiment
from ...core.mixtures import GaussianMixture
from ...core.parts.samplers import SAMPLER_PARTS
from ...core.parts.schedules import SCHEDULE_PARTS
from .data import defines_draw_data, draw_data_part

STARTS = {
    "zero-mean": "x = sigmas[0] * torch.randn(test_size, dim, generator=random)",
    "data-mean": "x = sigmas[0] * torch.randn(test_size, dim, generator=random)\n"
    "x = x + alphas[0] * goal_mean",
    "exact": "x = sigmas[0] * torch.randn(test_size, dim, generator=random)\n"
    "x = x + alphas[0] * draw_data(test_size, random)",
}
"""core.trajectory.start"""

QUIET = Template("$noise if k < N - $quiet else 0.0")
QUIET_ALL = Template("$noise * float(k < N - $quiet)")

# --- the network's prediction: core.methods, Method.read ----------------------------------------

READ = Template('''

def estimates(x, k):
    """Return the network's estimates of the clean data and of the noise in x."""
    eps_hat = $eps_hat
    return (x - sigmas[k] * eps_hat) / alphas[k], eps_hat
''')

EPS_HAT = {
    "naive": "predict(x, k) / (sigmas[k + 1] or sigmas[k])",
    "naive-exact": "predict(x, k) / (sigmas[k] - sigmas[k + 1])",
    "ddpm": "predict(x, k)",
}
"""Methods whose network predicts one quantity; networks for every level return both."""

# --- the post's own sampler; the others are in core.parts.samplers --------------------------------

OWN_DDPM = '''\
    """Algorithm 2 of Ho et al. 2020; the last steps add no noise."""
    mean = (x - betas[k] / sigmas[k] * predict(x, k)) / (1 - betas[k]).sqrt()
    $quiet
    return mean + $variance.sqrt() * z
'''
"""The post's sampler, in the symbols of its own schedule."""

OWN_VARIANCES = {
    "posterior": "(betas[k] * (sigmas[k + 1] / sigmas[k]) ** 2)",
    "beta": "betas[k]",
}

VARIANCES = {"posterior": "(added * (sigmas[k + 1] / sigmas[k]) ** 2)", "beta": "added"}

DENOISING_CODE = Template("""$read$before

def denoise(x, k):
$denoise


$draw_data# Denoising
random = generator("sampling")
$start
print("Noised sample:   mean", x.mean(0).numpy(), "std", x.std(0, correction=0).numpy())
states = [x]
with torch.no_grad():
    for k in range($end):$stops
        x = denoise(x, k)
        states.append(x)
$repeats$goal$back
print("Denoised sample: mean", x.mean(0).numpy(), "std", x.std(0, correction=0).numpy())
print("Denoising goal:  mean", goal_mean.numpy(), "std", $goal_std)
$distance""")

REPEATS = Template("""\
    for _ in range($repeats):  # repeat the last step, to tighten the spikes
        x = denoise(x, N - 1)
    states[-1] = x
""")

GOAL = Template("""
# The sample is compared with the data at the level where it stops
goal_mean, goal_var = alphas[$end] * goal_mean, alphas[$end] ** 2 * goal_var + sigmas[$end] ** 2
""")

BACK = """
# Back to the units of the file
x = x.double() * scale + centre
goal_mean, goal_var = goal_mean.double() * scale + centre, goal_var.double() * scale**2
"""

DISTANCE = """\
distance = torch.cdist(x, modes).min(dim=1).values.square().mean()
print(f"Mean squared distance to the nearest mode: {distance:.6f}")
"""


def denoising_part(experiment: Experiment, mixture: GaussianMixture) -> str:
    """Return the code that samples from the start to the last level and prints the result."""
    sampling, several = experiment.sampling, mixture.modes > 1 or not mixture.alike
    early = sampling.stop_before
    end = f"N - {early}" if early else "N"
    read, step = _step(experiment)
    draws = sampling.start == "exact" and not defines_draw_data(experiment)
    return DENOISING_CODE.substitute(
        read=read.rstrip(),
        before=SAMPLER_PARTS[sampling.sampler].script_before.rstrip(),
        denoise=step.rstrip(),
        draw_data=draw_data_part(mixture).lstrip("\n") if draws else "",
        start=STARTS[sampling.start],
        end=end,
        stops="  # the last levels are left out" if early else "",
        repeats=REPEATS.substitute(repeats=sampling.repeats)
        if sampling.repeats and not early
        else "",
        goal=GOAL.substitute(end=end) if early else "",
        back=BACK.rstrip() if experiment.data.name == "file" else "",
        goal_std="goal_var.sqrt().numpy()" if several or early else "sigma_data",
        distance=DISTANCE if mixture.has_modes and several and not early else "",
    )


def _step(experiment: Experiment) -> tuple[str, str]:
    """Return a definition of the prediction, if one is needed, and a step of the sampler."""
    sampling, method = experiment.sampling, experiment.method.name
    part = SAMPLER_PARTS[sampling.sampler]
    noise = "z = torch.randn(x.shape, generator=random)"
    if part.noises > 1:
        noise = f"z = torch.randn((len(x), {part.noises} * dim), generator=random)"
    if sampling.quiet and "quiet" in part.uses:
        quiet = QUIET if part.noises == 1 else QUIET_ALL
        noise = quiet.substitute(noise=noise, quiet=sampling.quiet)
    in_betas = SCHEDULE_PARTS[experiment.schedule.kind].in_betas
    if (method, sampling.sampler) == ("ddpm", "ddpm") and in_betas:
        variance = OWN_VARIANCES[sampling.variance]
        return "", Template(OWN_DDPM).substitute(quiet=noise, variance=variance)
    values = {name: repr(value) for name, value in sampling.model_dump().items()}
    values |= {
        "estimates": "estimates" if method in EPS_HAT else "predict",
        "estimates_at": "predict_at",
        "quiet": noise,
        "variance": VARIANCES[sampling.variance],
    }
    step = Template(part.script).substitute(values)
    one = method in EPS_HAT and "$estimates" in part.script
    read = READ.substitute(eps_hat=EPS_HAT[method]) if one else ""
    return read, step
