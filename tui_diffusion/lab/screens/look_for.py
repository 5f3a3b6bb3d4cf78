"""What to look for in each experiment: before, during and after its training."""

from __future__ import annotations

BEFORE = {
    "naive-1d": "Press ← from the clean end: the spike at 1 drowns in noise, ten levels of it. A "
    "network will have to find the way back, one level at a time.",
    "naive-2d": "Press ←: the spot at (−1, 1) grows into a cloud around itself. Sampling, "
    "however, starts from a cloud around the origin; after training, level 0 shows how far off "
    "that is.",
    "naive-multimodal": "Press ← through twenty levels: four spots become one cloud. There a "
    "point no longer shows which mode it came from, and on the way back it has to choose one.",
    "ddpm-1d": "Press ←: alpha_bar falls to almost 0, and with it the mean from 1 to 0, while "
    "the std grows to 1. The greatest beta, 0.999, removes almost all of the remaining signal.",
    "ddpm-1d-per-level": "There are eight betas, and a network for each. Press ← to level 0: "
    "alpha_bar is still 0.024, so the mean there is 0.15 and not 0; sampling accounts for that.",
    "ddpm-multimodal": "Press ← through twenty levels: the four spots shrink towards the origin "
    "while noise grows about them, until nothing tells them apart.",
    "ddpm-1d-detailed": "Press v to pdf and cdf, then ← and →: density, integral, mean and std "
    "of every level are exact. None of it needs a network.",
    "edm-1d": "Press ←: forty levels from sigma 0.001 to 2, crowded at the clean end, where the "
    "data's own width of 0.01 lies.",
    "edm-multimodal": "Press ←: sigma goes up to 5, far beyond the data, so that pure noise is "
    "the right start. The picture keeps the data large; - shows all of the noise.",
    "edm-moons": "Press ←: where the two arcs blur into each other, a point's arc can only be "
    "guessed. The clean estimate (v) shows the best guess there is.",
    "edm-swiss-roll": "Press ←: neighbouring turns of the spiral merge first, the whole becomes "
    "a disc next, then a round cloud.",
    "edm-checkerboard": "Press ←: the corners round off at the first levels, then the squares "
    "merge. Sampling restores these features in reverse order.",
    "edm-spirals": "Press ←: the arms run together from the middle outwards, where they are "
    "closest.",
    "edm-drawing": "Press ←: the spots grow until they touch, then lines run together, then the "
    "whole is a cloud. Where spots touch, a point has to choose one on the way back.",
    "flow-multimodal": "Press ←: every point moves in a straight line from the data to its own "
    "noise, as x is (1 − t)·x₀ + t·ε. The way back bends, as the network predicts only averages.",
    "flow-moons": "Press ←: the arcs shrink as the noise grows, and at t = 1 nothing is left of "
    "them. Because these paths are straight, few steps are enough on the way back.",
    "edm-classes": "Each point has the colour of its class. Press ←: where the classes run into "
    "each other, x alone no longer tells which one a point is of. The label does.",
    "edm-autoguidance": "Two trees, each a class, with branches that grow ever finer. Press ←: the "
    "twigs vanish first. They are what a network learns last, and what guidance is for.",
    "finite-moons": "The network will see 64 points only, the crosses (×), again and again. Press "
    "i twice for the optimum of its training: every point it makes is one of them.",
    "finite-four": "64 crosses (×) stand for four round clouds: that is all the network will see. "
    "Nothing in them says where a cloud ends, or that there are four.",
}
"""By experiment, while there is no network: the points are true data, noised."""

DURING = {
    "naive-1d": "At the clean end a flat heap becomes a spike at 1, soon narrower than the "
    "data's. The raw loss flickers: each step draws one level, and the levels' losses differ in "
    "size.",
    "naive-2d": "Points drawn about the origin at first move to (−1, 1): watch mean and std "
    "close in on the exact ones below them.",
    "naive-multimodal": "One cloud at the clean end splits into four. The learning rate falls by "
    "5 % every 100 steps, and the smoothed loss fluctuates less.",
    "ddpm-1d": "The noisy levels are learned at once, the clean ones last: there the output must "
    "go from −2 to 2 while x changes by a few hundredths. The std at the end falls slowly.",
    "ddpm-1d-per-level": "The least noisy level comes first and takes 20,000 steps; upright "
    "lines mark where the next network takes over. Levels not yet taught send the points astray.",
    "ddpm-multimodal": "Four clouds form early and sharpen late: the clean levels take longest. "
    "The close-up (v) shows how wide the spikes are by now.",
    "ddpm-1d-detailed": "Nine networks, one after another, the first with 25,000 of the 41,000 "
    "steps; upright lines mark their turns.",
    "edm-1d": "The target has unit variance at every level, so the loss begins near 1. The std "
    "at the clean end comes within a few percent before the training is over.",
    "edm-multimodal": "Four spots are there early; the rest of the time goes into their width. "
    "The points are drawn with an average of the last hundred weights or so, calmer than the "
    "latest.",
    "edm-moons": "First a cloud with the data's outline, then two arcs, thick, then as thin as "
    "the data. The averaged weights improve most as the learning rate nears 0.",
    "edm-swiss-roll": "The outer turn shows first, the inner ones last, where turns are close "
    "together.",
    "edm-checkerboard": "Stripes appear first, then squares; edges and corners sharpen last.",
    "edm-spirals": "The outer ends of the arms show first; near the middle the two separate last.",
    "edm-drawing": "A blot appears first, then the outline as a line, and finally the spots "
    "along it. The ddpm sampler adds fresh noise at every level, which moves points between two "
    "spots to one of them.",
    "flow-multimodal": "Four spots are there early, with points strung out between them; the "
    "bridges grow thinner to the end.",
    "flow-moons": "A joint outline of both arcs appears first, then each arc; the points between "
    "them become fewer until the end.",
    "edm-classes": "The colours part early: a label leaves less to learn. One point in ten trains "
    "with its label hidden, so that the network also learns the data as a whole.",
    "edm-autoguidance": "Two networks train, the second one smaller and for an eighth of the "
    "steps. What they both get wrong, the second gets more wrong: guidance leads away from that.",
    "finite-moons": "Both arcs are there within 1,000 steps, filled between the crosses: it "
    "generalises. Soon after, the held-out loss turns up while that on the training set goes on "
    "falling, and from about 10,000 steps on points become copies (o).",
    "finite-four": "Four round clouds come first. From about 10,000 steps on they break up into "
    "spots at the crosses (×): the held-out loss rises, and the share copied leaves that of true "
    "points.",
}
"""What to look for during training, by experiment."""

_NAIVE = (
    "Press end and see the close-up: the samples are far narrower than the data. The post's target "
    "leaves n·(1 − σ'/σ) behind, not the next level's noise, so points contract onto the mean; "
    "method.name = naive-exact fixes most of it, with sampling.start = exact."
)

AFTER = {
    "naive-1d": _NAIVE,
    "naive-2d": _NAIVE,
    "naive-multimodal": "From home on, points choose a mode about halfway: paths shows it. At "
    "the end compare mode² with what true points score: the spikes are far narrower than the "
    "data's, a little beside their modes, and a straggler or two is lost between them.",
    "ddpm-1d": "Fresh noise enters at every step but the last two; the mean walks from 0 to 1 "
    "while the spread closes. It ends too wide: o shows which levels the network has not "
    "learned. The ideal denoiser (i) ends too narrow, for the last two steps draw no noise.",
    "ddpm-1d-per-level": "The loss has a stage for every level: the first network gets most of "
    "the steps, each other starts from its neighbour's weights. The std ends near 0.001, and so "
    "does the ideal denoiser's (i): the steps are at fault, not the networks.",
    "ddpm-multimodal": "The four clouds form early and sharpen late; the repeats pull the last "
    "stragglers in. Set sampling.repeats to 0 to see them: that needs no new training.",
    "ddpm-1d-detailed": "Press v for pdf and cdf, with the sample's dashed. The result is taken "
    "one level before clean, so the goal is mean 0.999 and std 0.033, not 0.010.",
    "edm-1d": "The std comes out right to a few percent, where the scripts miss it by two to ten "
    "times.",
    "edm-multimodal": "Each spike has the width of the data, hardly a point is lost between "
    "them, and all four hold the same number.",
    "edm-moons": "Press i for the ideal denoiser: the network's moons are hard to tell from its "
    "own.",
    "edm-swiss-roll": "At mid levels the network can only guess which turn a point is on: the "
    "clean estimate (v) lies between the turns, and rightly so, as the ideal one beside it shows.",
    "edm-checkerboard": "Edges form at the last few levels; points left in the empty squares "
    "show what the network has not learned.",
    "edm-spirals": "Points change arms only early and slide along them late: see the paths (v), "
    "and follow one point with k.",
    "edm-drawing": "Press end: nearly every point sits in a spot, about one in a hundred is lost "
    "between two. A larger network, or more steps, leaves fewer.",
    "flow-multimodal": "Paths are nearly straight until a point has to choose its mode.",
    "flow-moons": "Try sampling.levels: a handful of steps already gives the moons.",
    "edm-classes": "The moons end a tenth narrower than the data's, and further apart: guidance "
    "draws points back from the other class. sampling.guidance = 1 ends that, 4 cuts a third off "
    "their width; sampling.label asks for one moon. Neither needs new training. guided density "
    "(v) shows what guidance aims at, and what it makes.",
    "edm-autoguidance": "Hardly more points stray off the branches than in the data; with "
    "sampling.guidance = 1 they are three times as many. Guidance by no label (sampling.guide = "
    "no-label, sampling.guidance = 4) shrinks the trees by a third: it prefers what is unlike the "
    "other class. guidance (o) shows where each points.",
    "finite-moons": "Most points are copies (o) of training points. O shows at which levels the "
    "network is nearer to the optimum of the set than to that of the population. Try "
    "data.train_points=256: it generalises in the same time, and copies far later.",
    "finite-four": "Compare copied with what true points score. Press O, and i twice: the network "
    "is on its way from the population's optimum to the training set's. Fewer steps stop it in "
    "time.",
}
"""By experiment, once its network is trained."""
