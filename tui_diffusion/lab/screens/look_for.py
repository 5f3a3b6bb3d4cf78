"""What to look for in each experiment: before, during and after its training."""

from __future__ import annotations

BEFORE = {
    "naive-1d": "Press ← from the clean end: the spike at 1 drowns in noise, ten levels of it. A "
    "network will have to find the way back, one level at a time.",
    "naive-2d": "Press ←: the spot at (−1, 1) swells to a cloud around itself. Sampling, though, "
    "starts from a cloud about the origin; after training, level 0 tells how far that is off.",
    "naive-multimodal": "Press ← through twenty levels: four spots become one cloud. There a point "
    "no longer shows which mode it came from, and on the way back it has to choose one.",
    "ddpm-1d": "Press ←: alpha_bar falls to almost 0, and with it the mean from 1 to 0, while the "
    "std grows to 1. The greatest beta, 0.999, wipes out almost all that was left.",
    "ddpm-1d-per-level": "Eight betas, and a network for each. Press ← to level 0: alpha_bar is "
    "still 0.024, so the mean is 0.15 there and not 0, which sampling takes into account.",
    "ddpm-multimodal": "Press ← through twenty levels: the four spots shrink towards the origin "
    "while noise grows about them, until nothing tells them apart.",
    "ddpm-1d-detailed": "Press v to pdf and cdf, then ← and →: density, integral, mean and std of "
    "every level are exact. None of it needs a network.",
    "edm-1d": "Press ←: forty levels from sigma 0.001 to 2, crowded at the clean end, where the "
    "data's own width of 0.01 lies.",
    "edm-multimodal": "Press ←: sigma goes up to 5, far beyond the data, so that pure noise is the "
    "right start. The picture keeps the data large; - shows all of the noise.",
    "edm-moons": "Press ←: where the two arcs blur into each other, a point's arc can only be "
    "guessed. The clean estimate (v) shows the best guess there is.",
    "edm-swiss-roll": "Press ←: neighbouring turns of the spiral merge first, the whole becomes a "
    "disc next, then a round cloud.",
    "edm-checkerboard": "Press ←: the corners round off at the first levels, then the squares run "
    "together. What goes first comes back last.",
    "edm-spirals": "Press ←: the arms run together from the middle outwards, where they are "
    "closest.",
    "edm-drawing": "Press ←: the spots grow until they touch, then lines run together, then the "
    "whole is a cloud. Where spots touch, a point has to choose one on the way back.",
    "flow-multimodal": "Press ←: every point goes straight from its place in the data to its own "
    "noise, for x is (1 − t)·x₀ + t·ε. The way back will bend, for it knows only averages.",
    "flow-moons": "Press ←: the arcs shrink as the noise grows, and at t = 1 nothing is left of "
    "them. Straight paths there are what makes few steps enough on the way back.",
}
"""By experiment, while there is no network: the points are true data, noised."""

DURING = {
    "naive-1d": "At the clean end a flat heap becomes a spike at 1, soon narrower than the data's. "
    "The raw loss flickers: each step draws one level, and the levels' losses differ in size.",
    "naive-2d": "Points drawn about the origin at first move to (−1, 1): watch mean and std close "
    "in on the exact ones below them.",
    "naive-multimodal": "One cloud at the clean end falls apart into four. The rate falls by 5 % "
    "every 100 steps, and the smoothed loss grows calmer with it.",
    "ddpm-1d": "The noisy levels are learned at once, the clean ones last: there the output must "
    "go from −2 to 2 while x changes by a few hundredths. The std at the end falls slowly.",
    "ddpm-1d-per-level": "The least noisy level comes first and takes 20,000 steps; upright lines "
    "mark where the next network takes over. Levels not yet taught send the points astray.",
    "ddpm-multimodal": "Four clouds form early and sharpen late: the clean levels take longest. "
    "The close-up (v) shows how wide the spikes are by now.",
    "ddpm-1d-detailed": "Nine networks, one after another, the first with 25,000 of the 41,000 "
    "steps; upright lines mark their turns.",
    "edm-1d": "The target has unit variance at every level, so the loss begins near 1. The std at "
    "the clean end comes within a few percent before the training is over.",
    "edm-multimodal": "Four spots are there early; the rest of the time goes into their width. The "
    "points are drawn with an average of the last hundred weights or so, calmer than the latest.",
    "edm-moons": "First a cloud with the data's outline, then two arcs, thick, then as thin as the "
    "data. The average of the weights gains most as the rate nears 0.",
    "edm-swiss-roll": "The outer turn shows first, the inner ones last, where turns are close "
    "together.",
    "edm-checkerboard": "Stripes first, then squares; edges and corners until the end.",
    "edm-spirals": "The outer ends of the arms show first; near the middle the two are told apart "
    "last.",
    "edm-drawing": "A blot first, then the outline as a line, and late the spots along it. The "
    "ddpm sampler draws fresh noise at every level, so that points between two spots find one.",
    "flow-multimodal": "Four spots are there early, with points strung out between them; the "
    "bridges grow thinner to the end.",
    "flow-moons": "An outline of both arcs first, then each for itself; points between them grow "
    "fewer to the end.",
}
"""By experiment, while its network learns."""

_NAIVE = (
    "Press end and see the close-up: the samples are far narrower than the data. The post's target "
    "leaves n·(1 − σ'/σ) behind, not the next level's noise, so points contract onto the mean; "
    "method.name = naive-exact mends most of it, with sampling.start = exact."
)

AFTER = {
    **dict.fromkeys(("naive-1d", "naive-2d"), _NAIVE),
    "naive-multimodal": "From home on, points choose a mode about halfway: paths shows it. At the "
    "end compare mode² with what true points score: the spikes are far narrower than the data's, "
    "a little beside their modes, and a straggler or two is lost between them.",
    "ddpm-1d": "Fresh noise enters at every step but the last two; the mean walks from 0 to 1 "
    "while the spread closes. It ends too wide: o shows which levels the network has not learned. "
    "The ideal denoiser (i) ends too narrow, for the last two steps draw no noise.",
    "ddpm-1d-per-level": "The loss has a stage for every level: the first network gets most of "
    "the steps, each other starts from its neighbour's weights. The std ends near 0.001, and so "
    "does the ideal denoiser's (i): the steps are at fault, not the networks.",
    "ddpm-multimodal": "The four clouds form early and sharpen late; the repeats pull the last "
    "stragglers in. Set sampling.repeats to 0 to see them: that needs no new training.",
    "ddpm-1d-detailed": "Press v for pdf and cdf, with the sample's dashed. The result is taken "
    "one level before clean, so the goal is mean 0.999 and std 0.033, not 0.010.",
    "edm-1d": "The std comes out right to a few percent, where the scripts miss it by two to ten "
    "times.",
    "edm-multimodal": "Each spike has the width of the data, hardly a point is lost between them, "
    "and all four hold the same number.",
    "edm-moons": "Press i for the ideal denoiser: the network's moons are hard to tell from its "
    "own.",
    "edm-swiss-roll": "At mid levels the network can only guess which turn a point is on: the "
    "clean estimate (v) lies between the turns, and rightly so, as the ideal one beside it shows.",
    "edm-checkerboard": "Edges form at the last few levels; points left in the empty squares show "
    "what the network has not learned.",
    "edm-spirals": "Points change arms only early and slide along them late: see the paths (v), "
    "and follow one point with k.",
    "edm-drawing": "Press end: nearly every point sits in a spot, about one in a hundred is lost "
    "between two. A larger network, or more steps, leaves fewer.",
    "flow-multimodal": "Paths are nearly straight until a point has to choose its mode.",
    "flow-moons": "Try sampling.levels: a handful of steps already gives the moons.",
}
"""By experiment, once its network is trained."""
