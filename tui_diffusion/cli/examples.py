"""Two or more examples of each command, shown below its help."""

from __future__ import annotations

EXAMPLES = {
    "": (
        "diffusion-tui",
        "diffusion-tui edm-moons",
        "diffusion-tui train edm-moons --seed 3",
    ),
    "lab": (
        "diffusion-tui ddpm-multimodal --set training.lr=1e-3",
        "diffusion-tui lab --resume latest",
    ),
    "list": (
        "diffusion-tui list",
        "diffusion-tui list --json",
    ),
    "train": (
        "diffusion-tui train edm-moons --seed 3 --set training.lr=5e-3",
        "diffusion-tui train ddpm-1d --out my-run --device cpu",
        "diffusion-tui train --resume latest --set training.steps=20000",
        "diffusion-tui train edm-moons --log csv --log tensorboard:events",
    ),
    "sweep": (
        "diffusion-tui sweep ddpm-1d --vary training.lr=1e-4..1e-1:log6 --seeds 5",
        "diffusion-tui sweep naive-1d --vary method.name=naive,naive-exact --seeds 20",
        "diffusion-tui sweep edm-1d --vary schedule.sigma_max=2,5 --vary sampling.levels=5,10,20",
        "diffusion-tui sweep --resume latest",
    ),
    "sweeps": (
        "diffusion-tui sweeps",
        "diffusion-tui sweeps latest --by in_mode_std_ratio",
    ),
    "sample": (
        "diffusion-tui sample latest --points 10000 --out points.npz",
        "diffusion-tui sample edm-moons --sampler euler --levels 10",
    ),
    "evaluate": (
        "diffusion-tui evaluate latest",
        "diffusion-tui evaluate my-run --ideal --json",
        "diffusion-tui evaluate latest --nfe 4,8,16,32,64 --samplers heun,euler",
    ),
    "export": (
        "diffusion-tui export latest denoising.gif --seconds 6",
        "diffusion-tui export my-run levels.png --size 1920x1080",
        "diffusion-tui export edm-moons script.py",
        "diffusion-tui export ddpm-1d-lr heatmap.svg --view excess",
    ),
    "runs": (
        "diffusion-tui runs",
        "diffusion-tui runs edm-moons lr=0.002",
    ),
    "watch": (
        "diffusion-tui watch latest",
        "diffusion-tui watch edm-moons",
    ),
    "check": (
        "diffusion-tui check sampler heun",
        "diffusion-tui check schedule cosine --json",
        "diffusion-tui check dataset file:points.csv",
    ),
    "docs": (
        "diffusion-tui docs fields",
        "diffusion-tui docs keys",
        "diffusion-tui docs python",
    ),
    "doctor": (
        "diffusion-tui doctor",
        "diffusion-tui doctor --json",
        "diffusion-tui doctor --measure",
    ),
}
"""Examples by the name of the command; "" holds those of the program."""


def examples(command: str = "") -> str:
    """Return the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in EXAMPLES[command])
