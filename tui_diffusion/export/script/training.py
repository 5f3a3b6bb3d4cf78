"""Script templates for the training: core.training, core.methods."""

from __future__ import annotations

from string import Template

from ...core.config.experiment import Experiment
from ...core.mixtures import GaussianMixture
from ...core.training.stages import stages
from . import any_level
from .data import batches_part
from .text import indented, listed

# --- batches: Trainer._draw ----------------------------------------------------------------------

BATCHES = Template('''

def batches():
    """Yield for every step: $yields."""
    random = generator("batches")
$begins    while True:
$drawn        yield from zip($parts)

''')

DRAW_LEVELS = "        levels = torch.randint(N, (block,), generator=random)\n"

# --- steps ---------------------------------------------------------------------------------------

TARGETS = {
    "naive": ("sigmas[k + 1] * eps", "of the noise n = sigma eps, n sigma' / sigma"),
    "naive-exact": ("(sigmas[k] - sigmas[k + 1]) * eps", "the noise between two levels"),
    "ddpm": ("eps", "the noise itself"),
}
"""core.methods: Method.target"""

LOSS_CODE = {
    "sum": "torch.sum((pred - target) ** 2)",
    "norm": "torch.sum((pred - target) ** 2).sqrt()",
    "mean": "torch.mean((pred - target) ** 2)",
}
"""core.steppers.loss_of"""

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}

DECAYS = {
    "step": Template("$lr * $factor ** ($done // $every)"),
    "cosine": Template("$lr * (1 + np.cos(np.pi * $done / $count)) / 2"),
}
"""core.training.learning_rate"""

STEP = Template("""\
x = alphas[k] * x0 + sigmas[k] * eps
pred = predict(x, k)
target = $target  # $target_is
loss = $loss
optimizer.zero_grad()
loss.backward()
optimizer.step()
losses[step] = loss.item()
""")

SHARED_TRAINING = Template("""
# Training
losses = np.zeros(nb_steps)
optimizer = torch.optim.$optimizer(denoiser.parameters(), lr, fused=True)
for step, (k, x0, eps) in zip(range(nb_steps), batches()):
$decay$step
print(f"Final loss: {losses[-100:].mean():.9g} (mean of the last 100 steps)")
""")

OWN_TRAINING = Template("""
# Training, least noisy level first; every network starts from the weights of the one before
steps_of = $steps_of
losses = np.zeros(nb_steps)
step, drawn = 0, batches()
for k in reversed(range(N)):
    rate = first_lr if k == N - 1 else lr
    if k < N - 1:
        denoisers[k].load_state_dict(denoisers[k + 1].state_dict())
    optimizer = torch.optim.$optimizer(denoisers[k].parameters(), rate, fused=True)
    for $done in range(steps_of[N - 1 - k]):
        x0, eps = next(drawn)
$decay$step        step += 1
print(f"Final loss: {losses[-100:].mean():.9g} (mean of the last 100 steps)")
""")


def drawing_part(experiment: Experiment, mixture: GaussianMixture) -> str:
    """Return a generator of the batches for every step."""
    shared = not experiment.network.per_level
    block_code, levels = DRAW_LEVELS if shared else "", "levels.tolist()"
    if experiment.method.name in any_level.STEPS:
        block_code, levels = any_level.DRAW_ANY_LEVELS, "ratio"
    block_code += batches_part(experiment, mixture)
    return BATCHES.substitute(
        yields="its noise level, clean points and their noise"
        if shared
        else "clean points and their noise",
        begins="    first = 0  # step of the block\n" if "first += block" in block_code else "",
        drawn=block_code,
        parts=f"{levels}, x0, eps" if shared else "x0, eps",
    )


def training_part(experiment: Experiment) -> str:
    """Return the code of all steps, which prints the final loss."""
    training, shared = experiment.training, not experiment.network.per_level
    decay = ""
    if training.decay != "none":
        rate = DECAYS[training.decay].substitute(
            lr="lr" if shared else "rate",
            done="step" if shared else "done",
            count="nb_steps" if shared else "steps_of[N - 1 - k]",
            factor=repr(training.decay_factor),
            every=training.decay_every,
        )
        decay = f'optimizer.param_groups[0]["lr"] = {rate}\n'
    method, depth = experiment.method.name, 4 if shared else 8
    if method in any_level.STEPS:
        average = repr(training.average)
        return any_level.TRAINING_CODE.substitute(
            optimizer=OPTIMIZERS[training.optimizer],
            decay=indented(decay, depth),
            step=any_level.STEPS[method].substitute(loss=LOSS_CODE[training.loss]),
            keep=f"min({average}, step / (step + 10))  # early weights decay faster"
            if training.average
            else "0.0",
        )
    target, target_is = TARGETS[method]
    step = STEP.substitute(target=target, target_is=target_is, loss=LOSS_CODE[training.loss])
    counts = [stage.stop - stage.start for stage in stages(experiment)]
    template = SHARED_TRAINING if shared else OWN_TRAINING
    return template.substitute(
        optimizer=OPTIMIZERS[training.optimizer],
        decay=indented(decay, depth),
        step=indented(step, depth),
        steps_of=_counted(counts),
        done="done" if decay else "_",
    )


def _counted(counts: list[int]) -> str:
    """Format the steps of every stage, shortened if all but the first are equal."""
    if len(counts) > 2 and len(set(counts[1:])) == 1:
        return f"[{counts[0]}] + [{counts[1]}] * (N - 1)"
    return listed(counts, 0)
