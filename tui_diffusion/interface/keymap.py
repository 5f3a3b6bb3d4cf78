"""The single declaration of every action of the lab; key bars, help and palette derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TABS = ("setup", "training", "denoising", "sweep")
"""The panels of a narrow terminal, in the order of the keys 1 to 4.

In a wide one, the sweep takes the place of the training and the denoising.
"""

Target = Literal["app", "denoising", "loss", "points", "training", "windows", "guidance"]
"""The part of the lab that implements an action."""


@dataclass(frozen=True)
class Action:
    """An action with its keys and its help.

    ``keys``: comma-separated, as Textual names them; ``shown``: the keys as a person reads them;
    ``label``: the word in the key bar; ``group``: the panel. ``footer``: the position in the
    comparison's key bar, 0 for none. ``target``: the part of the lab with the method ``action_…``.
    """

    name: str
    keys: str
    shown: str
    label: str
    help: str
    group: str
    footer: int = 0
    target: Target = "app"


ACTIONS = (
    Action(
        "train", "t", "t", "train",
        "Train the network; press again to retrain from the start.", "Training", target="training",
    ),
    Action(
        "pause", "p", "p", "pause",
        "Pause or resume the training; also resumes after a stop, or to more steps.",
        "Training", target="training",
    ),
    Action(
        "stop", "x", "x", "stop",
        "Stop the training and keep its network.", "Training", target="training",
    ),
    Action(
        "log_scale", "y", "y", "log",
        "Draw the loss on a logarithmic or a linear axis.", "Training", target="loss",
    ),
    Action(
        "loss_view", "o", "o", "loss views",
        "Show the next view: the loss; its excess over the floor at every level; where the error "
        "comes from; the noise and how errors grow; the error against evaluations; the guidance "
        "at every level; with a training set, the distance to both optima.",
        "Training", target="training",
    ),
    Action(
        "loss_view(-1)", "O", "O", "loss view before", "Show the view before.", "Training",
        target="training",
    ),
    Action(
        "step(1)", "right,l", "→ l", "cleaner",
        "Go one level cleaner.", "Denoising", target="denoising",
    ),
    Action(
        "step(-1)", "left,h", "← h", "noisier",
        "Go one level noisier.", "Denoising", target="denoising",
    ),
    Action(
        "level('first')", "home", "home", "noise",
        "Go to level 0, the noisiest.", "Denoising", target="denoising",
    ),
    Action(
        "level('last')", "end", "end", "clean",
        "Go to level N, the clean end.", "Denoising", target="denoising",
    ),
    Action("jump", "j", "j", "jump", "Go to a level by its number.", "Denoising", target="points"),
    Action(
        "play", "space", "space", "play",
        "Play or pause.", "Denoising", target="denoising",
    ),
    Action(
        "play_mode", "m", "m", "play mode", "Play once, in a loop, or out and back.",
        "Denoising", target="denoising",
    ),
    Action(
        "finer", "f", "f", "finer",
        "Step by a half, a quarter, an eighth of a level, or a whole one again. Between levels, "
        "points are interpolated in straight lines; no sampler does this. The exact density is "
        "computed at the interpolated noise.",
        "Denoising", target="denoising",
    ),
    Action(
        "speed(-1)", "left_square_bracket", "[", "slower",
        "Play more slowly.", "Denoising", target="denoising",
    ),
    Action(
        "speed(1)", "right_square_bracket", "]", "faster",
        "Play faster.", "Denoising", target="denoising",
    ),
    Action(
        "noise", "n", "n", "new noise",
        "Start again from fresh noise.", "Denoising", target="points",
    ),
    Action(
        "view", "v", "v", "view",
        "Show the next view of the points; the palette lists all by name.", "Denoising",
        target="denoising",
    ),
    Action(
        "view(-1)", "V", "V", "view before", "Show the view before.", "Denoising",
        target="denoising",
    ),
    Action(
        "truth", "g", "g", "truth",
        "Show or hide the exact density.", "Denoising", target="denoising",
    ),
    Action(
        "forward", "b", "b", "beside",
        "Draw the forward process (noised true data) beside the points, or the exact density.",
        "Denoising", target="denoising",
    ),
    Action(
        "ideal", "i", "i", "ideal",
        "Replace the network by the exact denoiser, from the same noise; then by that of the "
        "training set, if it has one; press again to go back.",
        "Denoising", target="points",
    ),
    Action(
        "start", "s", "s", "true start",
        "Start sampling from the true noisiest level, or from the usual noise.",
        "Denoising", target="points",
    ),
    Action(
        "track", "k", "k", "follow",
        "Follow a point and show its numbers; press again for the next one.",
        "Denoising", target="denoising",
    ),
    Action(
        "zoom(1)", "plus,equals_sign", "+", "zoom in",
        "Zoom in.", "Denoising", target="denoising",
    ),
    Action("zoom(-1)", "minus", "-", "zoom out", "Zoom out.", "Denoising", target="denoising"),
    Action(
        "copy", "w", "w", "copy",
        "Copy the level's numbers and this experiment's command line, also to a file.",
        "Denoising", target="points",
    ),
    Action("tab('setup')", "1", "1", "setup", "Go to the setup.", "Lab"),
    Action("tab('training')", "2", "2", "training", "Go to the training.", "Lab"),
    Action("tab('denoising')", "3", "3", "denoising", "Go to the denoising.", "Lab"),
    Action(
        "tab('sweep')", "4", "4", "sweep",
        "Go to the sweep: many trainings over values of the fields.", "Lab",
    ),
    Action(
        "export", "e", "e", "export",
        "Export a picture, an animation, numbers or a script to a file.", "Lab", target="windows",
    ),
    Action(
        "keep", "z", "z", "save preset",
        "Save this experiment as a preset of your own; rename or remove one.",
        "Lab", target="windows",
    ),
    Action(
        "runs", "r", "r", "runs",
        "List the runs on disk: open, resume, rename or remove one.", "Lab", target="windows",
    ),
    Action(
        "compare", "d", "d", "compare",
        "Compare this training with the experiment's latest other run: losses, denoising, "
        "settings, results.",
        "Lab", target="windows",
    ),
    Action(
        "code", "c", "c", "code",
        "Show the code that runs: the core's own functions.", "Lab", target="windows",
    ),
    Action(
        "ask", "a", "a", "ask",
        "Explain any number on the screen: its meaning and its good values.", "Lab",
        target="windows",
    ),
    Action(
        "tour", "u", "u", "tour",
        "Tour the post's nine scripts, then memorisation.", "Lab", target="guidance",
    ),
    Action("help", "question_mark", "?", "help", "Show this help.", "Lab", target="windows"),
    Action(
        "suspend", "ctrl+z", "ctrl+z", "suspend", "Suspend to the shell; fg comes back.", "Lab",
    ),
    Action(
        "repaint", "ctrl+l", "ctrl+l", "repaint",
        "Repaint the whole screen after another program has written on it.", "Lab",
    ),
    Action("quit", "q,ctrl+c", "q", "quit", "Leave the lab.", "Lab"),
)  # fmt: skip

LAB_KEYS = (
    ("tab", "Go to the next panel: experiments, fields, and the others that show."),
    ("ctrl+p", "Open the palette: every action by its name, and the themes."),
)
"""Keys that Textual handles, with their help; the comparison has the last one too."""

FORM_KEYS = (
    ("↑ ↓", "Choose an experiment or a field; tab goes from one to the other."),
    ("enter", "Edit the field; enter again takes the value, escape drops it."),
    (
        "*",
        "Vary the field in a sweep: give it several values, or the seed a number of seeds; one "
        "value ends this.",
    ),
    (", .", "Lower or raise the field to its next value; in an open text field, ↓ and ↑ do this."),
    (
        "backspace",
        "Reset the field to the preset's value; if it has that value, reset all fields; press "
        "again to bring the changes back. On an experiment of your own: remove it.",
    ),
)
"""Keys that the widgets of the setup handle, with their help."""

SWEEP_ACTIONS = (
    Action("sweep", "t", "t", "train all", "Train every cell with every seed.", "Sweep", 1),
    Action("halt", "x", "x", "stop", "Stop the sweep; what is done stays.", "Sweep", 7),
    Action(
        "resume", "p", "p", "go on", "Do what is missing of the sweep that shows.", "Sweep", 8,
    ),
    Action("move(-1, 0)", "left", "←", "left", "Go to the cell at the left.", "Sweep"),
    Action("move(1, 0)", "right", "→", "right", "Go to the cell at the right.", "Sweep"),
    Action("move(0, 1)", "up", "↑", "up", "Go to the cell above.", "Sweep"),
    Action("move(0, -1)", "down", "↓", "down", "Go to the cell below.", "Sweep"),
    Action(
        "open_cell", "enter", "enter", "open", "Open the cell's run as the lab's training.",
        "Sweep", 2,
    ),
    Action("mark", "space", "space", "mark", "Mark the cell, for a comparison.", "Sweep", 4),
    Action(
        "compare_cells", "d", "d", "compare",
        "Compare the marked cells, up to four: losses, denoising, settings, results.", "Sweep", 6,
    ),
    Action("measure(1)", "v", "v", "measure", "Show the next measure.", "Sweep", 3),
    Action("measure(-1)", "V", "V", "measure before", "Show the measure before.", "Sweep"),
    Action(
        "seed", "n", "n", "next seed", "Show the points of the cell's next seed.", "Sweep", 9,
    ),
    Action(
        "sweeps", "o", "o", "sweeps", "List the sweeps on disk: open one.", "Sweep", 5,
    ),
    Action(
        "export_sweep", "e", "e", "export", "Export the results of all trainings, or a picture.",
        "Sweep", 10,
    ),
)  # fmt: skip
"""The actions of the sweep's panel; the other keys are the lab's."""

COMPARE_ACTIONS = (
    Action("step(1)", "right,l", "→ l", "cleaner", "Go one level cleaner.", "Denoising", 1),
    Action("step(-1)", "left,h", "← h", "noisier", "Go one level noisier.", "Denoising", 2),
    Action("level('first')", "home", "home", "noise", "Go to level 0, the noisiest.", "Denoising"),
    Action("level('last')", "end", "end", "clean", "Go to level N, the clean end.", "Denoising"),
    Action(
        "jump", "j", "j", "jump",
        "Go to a level by its number; a run with fewer levels goes to the same fraction of them.",
        "Denoising", 10,
    ),
    Action("play", "space", "space", "play", "Play or pause.", "Denoising", 3),
    Action(
        "play_mode", "m", "m", "play mode", "Play once, in a loop, or out and back.", "Denoising",
        17,
    ),
    Action(
        "finer", "f", "f", "finer",
        "Step by a half, a quarter, an eighth of a level, or a whole one again. Between levels, "
        "points are interpolated in straight lines; no sampler does this.", "Denoising", 18,
    ),
    Action("speed(-1)", "left_square_bracket", "[", "slower", "Play more slowly.", "Denoising"),
    Action("speed(1)", "right_square_bracket", "]", "faster", "Play faster.", "Denoising"),
    Action("view", "v", "v", "view", "Show the next view of the points.", "Denoising", 4),
    Action("view(-1)", "V", "V", "view before", "Show the view before.", "Denoising"),
    Action("truth", "g", "g", "truth", "Show or hide the exact density.", "Denoising", 7),
    Action(
        "noise", "n", "n", "new noise", "Start again from fresh noise, the same for all runs.",
        "Denoising", 6,
    ),
    Action("zoom(1)", "plus,equals_sign", "+", "zoom in", "Zoom in.", "Denoising"),
    Action("zoom(-1)", "minus", "-", "zoom out", "Zoom out.", "Denoising"),
    Action(
        "relative", "o", "o", "floor",
        "Draw losses as multiples of their floor, the least that any network can reach, or as "
        "they are.",
        "Losses", 5,
    ),
    Action(
        "log_scale", "y", "y", "log", "Draw the losses on a logarithmic or a linear axis.",
        "Losses", 8,
    ),
    Action("scroll(1)", "down", "↓ down", "next",
           "Go to the table's next row; in a narrow terminal, to the next runs.", "Table", 13),
    Action("scroll(-1)", "up", "↑ up", "before", "Go to the previous row, or to the previous runs.",
           "Table", 14),
    Action("scroll(10)", "pagedown", "pgdn", "page", "Go a page down, or to the last runs.",
           "Table"),
    Action("scroll(-10)", "pageup", "pgup", "page", "Go a page up, or to the first runs.",
           "Table"),
    Action("tab('losses')", "1", "1", "losses", "Go to the losses.", "Comparison"),
    Action("tab('denoising')", "2", "2", "denoising", "Go to the denoising.", "Comparison"),
    Action("tab('table')", "3", "3", "table", "Go to the table.", "Comparison"),
    Action("runs", "r", "r", "runs", "Choose other runs.", "Comparison", 8),
    Action(
        "export", "e", "e", "export", "Export the comparison to a file.", "Comparison", 15,
    ),
    Action("ask", "a", "a", "ask",
           "Explain any number on the screen: its meaning and its good values.", "Comparison", 9),
    Action("help", "question_mark", "?", "help", "Show this help.", "Comparison", 11),
    Action("leave", "escape,q,d", "q", "back", "Go back to where you came from.", "Comparison",
           12),
)  # fmt: skip
"""The actions of the comparison of runs."""
