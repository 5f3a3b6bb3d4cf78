"""Script templates for the methods whose network handles every noise level: edm and flow.

The networks take Fourier features, training draws a noise level for every point, and sampling uses
a running average of the weights.
"""

from __future__ import annotations

from string import Template

SETTINGS = Template("""\
noise_mean, noise_std = $noise_mean, $noise_std  # of ln(sigma / alpha) in training
""")

OCTAVES = '''

def octaves(x, count):
    """Fourier features (Tancik et al. 2020): sin and cos of pi/2 2^j x."""
    angles = [torch.pi / 2 * 2**j * x for j in range(count)]
    return [wave(angle) for angle in angles for wave in (torch.sin, torch.cos)]
'''

INPUTS = Template("""\
        inputs = dim * (1 + 2 * $fourier) + 1 + 2 * $level_fourier
""")

FORWARD = Template("""\
    def forward(self, x, level):
        level = level.float().expand(len(x), 1)
        features = (x, *octaves(x, $fourier), level, *octaves(level, $level_fourier))
        return self.net(torch.cat(features, dim=1))
""")

CONSTRUCTION = Template('''\
denoiser = Denoiser($width, random)
average = copy.deepcopy(denoiser)  # of the weights; sampling uses it


def condition(alpha, sigma):
    """Return the network's input for a level, clamped to the range of the training."""
    reach = 3 * noise_std
    return torch.log(sigma / alpha).clamp(noise_mean - reach, noise_mean + reach) / 4

$predict
''')
"""core.networks, and core.methods: Method.condition, Method.read"""

PREDICT = {
    "edm": '''
spread = float(torch.as_tensor(goal_var).mean().sqrt())


def precondition(alpha, sigma):
    """c_in, c_skip and c_out (Karras et al. 2022, table 1)."""
    c_in = (sigma**2 + (alpha * spread) ** 2) ** -0.5
    return c_in, alpha * (spread * c_in) ** 2, sigma * spread * c_in


def predict(x, k):
    """Return the network's estimates of the clean data and of the noise in x."""
    alpha, sigma = alphas[k], sigmas[k]
    c_in, c_skip, c_out = precondition(alpha, sigma)
    centred = x - alpha * goal_mean
    output = average(c_in * centred, condition(alpha, sigma))
    x0_hat = goal_mean + c_skip * centred + c_out * output
    return x0_hat, (x - alpha * x0_hat) / sigma
''',
    "flow": '''
def predict(x, k):
    """Return the estimates of the clean data and of the noise from the predicted velocity."""
    alpha, sigma = alphas[k], sigmas[k]
    y, t = x / (alpha + sigma), sigma / (alpha + sigma)
    velocity = average(y, condition(alpha, sigma))
    return y - t * velocity, y + (1 - t) * velocity
''',
}

AT_LEVEL = '''


def predict(x, k):
    """Return the estimates at level k."""
    return predict_at(x, alphas[k], sigmas[k])
'''


def predict_code(method: str, *, between: bool) -> str:
    """Return the definition of ``predict(x, k)``; ``between``: and ``predict_at(x, alpha, sigma)``.

    The latter serves samplers that evaluate the network between the levels.
    """
    code = PREDICT[method].rstrip()
    if not between:
        return code
    code = code.replace("def predict(x, k):", "def predict_at(x, alpha, sigma):")
    return code.replace("    alpha, sigma = alphas[k], sigmas[k]\n", "") + AT_LEVEL.rstrip()


DRAW_ANY_LEVELS = """\
        # One level per point, evenly distributed: multiples of the golden ratio
        shift = torch.rand((block, 1, 1), generator=random)
        fraction = (torch.arange(batch_size, dtype=torch.float64) * (5**0.5 - 1) / 2).frac().float()
        u = (shift + fraction.view(1, -1, 1)).frac().clamp(1e-6, 1 - 1e-6)
        ratio = torch.exp(noise_mean + noise_std * torch.special.ndtri(u))  # sigma / alpha
"""

TRAINING_CODE = Template("""
# Training
losses = np.zeros(nb_steps)
optimizer = torch.optim.$optimizer(denoiser.parameters(), lr, fused=True)
for step, (ratio, x0, eps) in zip(range(nb_steps), batches()):
$decay$step
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses[step] = loss.item()
    keep = $keep
    with torch.no_grad():
        for mean, weight in zip(average.parameters(), denoiser.parameters()):
            mean.lerp_(weight, 1 - keep)

print(f"Final loss: {losses[-100:].mean():.9g} (mean of the last 100 steps)")
""")

STEPS = {
    "edm": Template("""\
    alpha, sigma = torch.ones_like(ratio), ratio
    c_in, c_skip, c_out = precondition(alpha, sigma)
    clean = x0 - goal_mean
    centred = alpha * clean + sigma * eps
    pred = denoiser(c_in * centred, condition(alpha, sigma))
    target = (clean - c_skip * centred) / c_out
    loss = $loss"""),
    "flow": Template("""\
    alpha, sigma = 1 / (1 + ratio), ratio / (1 + ratio)  # alpha + sigma = 1
    pred = denoiser(alpha * x0 + sigma * eps, condition(alpha, sigma))
    target = eps - x0  # the velocity of the straight path from data to noise
    loss = $loss"""),
}
"""core.methods: Method.draw, Method.see, Method.target"""
