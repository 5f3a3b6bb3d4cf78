"""Every action of the lab, declared once: keys, bars, help and palette come from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TABS = ("setup", "training", "denoising")
"""The panels of a narrow terminal, in the order of the keys 1, 2 and 3."""

Target = Literal["app", "denoising", "loss", "points", "training", "windows", "guidance"]


@dataclass(frozen=True)
class Action:
    """``keys`` as Textual names them; ``shown`` as a person reads them; ``label`` for the bar.

    ``group`` is the panel it belongs to. ``footer`` orders the comparison's bar, 0 keeps it out.
    ``target`` is the part of the lab that has the method ``action_…`` for it.
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
        "Train; again to train anew from the start.", "Training", target="training",
    ),
    Action(
        "pause", "p", "p", "pause",
        "Pause the training, and go on; also after a stop, or to more steps.",
        "Training", target="training",
    ),
    Action(
        "stop", "x", "x", "stop",
        "Stop the training; its network stays.", "Training", target="training",
    ),
    Action(
        "log_scale", "y", "y", "log",
        "Loss on a logarithmic or a linear axis.", "Training", target="loss",
    ),
    Action(
        "study", "o", "o", "loss views",
        "The loss; its excess over the floor at every level; where the error comes from; the "
        "noise and how errors grow.",
        "Training", target="training",
    ),
    Action(
        "step(1)", "right,l", "→ l", "cleaner",
        "One level cleaner.", "Denoising", target="denoising",
    ),
    Action(
        "step(-1)", "left,h", "← h", "noisier",
        "One level noisier.", "Denoising", target="denoising",
    ),
    Action(
        "level('first')", "home", "home", "noise",
        "To level 0, the noisiest.", "Denoising", target="denoising",
    ),
    Action(
        "level('last')", "end", "end", "clean",
        "To level N, clean.", "Denoising", target="denoising",
    ),
    Action("jump", "j", "j", "jump", "To a level by its number.", "Denoising", target="points"),
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
        "Steps of a half, a quarter, an eighth of a level, and whole again. Between levels, points "
        "are interpolated in straight lines; no sampler does this. The exact density is that of "
        "the noise there.",
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
        "The next view of the points.", "Denoising", target="denoising",
    ),
    Action(
        "truth", "g", "g", "truth",
        "Show or hide the exact density.", "Denoising", target="denoising",
    ),
    Action(
        "forward", "b", "b", "beside",
        "Beside the points the forward process (true data noised), or the exact density.",
        "Denoising", target="denoising",
    ),
    Action(
        "ideal", "i", "i", "ideal",
        "The exact denoiser in the network's place, from the same noise, and back.",
        "Denoising", target="points",
    ),
    Action(
        "start", "s", "s", "true start",
        "Sampling starts from the true noisiest level, or from the usual noise.",
        "Denoising", target="points",
    ),
    Action(
        "track", "k", "k", "follow", "Follow a point, with its numbers; again the next one.",
        "Denoising", target="denoising",
    ),
    Action(
        "zoom(1)", "plus,equals_sign", "+", "zoom in",
        "Zoom in.", "Denoising", target="denoising",
    ),
    Action("zoom(-1)", "minus", "-", "zoom out", "Zoom out.", "Denoising", target="denoising"),
    Action(
        "copy", "w", "w", "copy",
        "Copy the level's numbers and this experiment's command line; a file keeps them too.",
        "Denoising", target="points",
    ),
    Action("tab('setup')", "1", "1", "setup", "To the setup.", "Lab"),
    Action("tab('training')", "2", "2", "training", "To the training.", "Lab"),
    Action("tab('denoising')", "3", "3", "denoising", "To the denoising.", "Lab"),
    Action("export", "e", "e", "export", "Write what is shown to a file.", "Lab", target="windows"),
    Action(
        "keep", "z", "z", "save preset",
        "Save this experiment as a preset of your own, by name; rename or remove one.",
        "Lab", target="windows",
    ),
    Action(
        "runs", "r", "r", "runs",
        "The runs on disk: open, go on, rename, remove.", "Lab", target="windows",
    ),
    Action(
        "compare", "d", "d", "compare",
        "The bench beside its latest other run: losses, denoising, settings, results.",
        "Lab", target="windows",
    ),
    Action(
        "code", "c", "c", "code",
        "The code that runs: the core's own functions.", "Lab", target="windows",
    ),
    Action(
        "ask", "a", "a", "ask",
        "Any number here: what it is, and what is good.", "Lab", target="windows",
    ),
    Action(
        "tour", "u", "u", "tour",
        "A tour of the post: its nine scripts, one by one.", "Lab", target="guidance",
    ),
    Action("help", "question_mark", "?", "help", "This help.", "Lab", target="windows"),
    Action("suspend", "ctrl+z", "ctrl+z", "suspend", "To the shell; fg comes back.", "Lab"),
    Action(
        "repaint", "ctrl+l", "ctrl+l", "repaint",
        "Paint the whole screen anew, where something else has written on it.", "Lab",
    ),
    Action("quit", "q,ctrl+c", "q", "quit", "Leave the lab.", "Lab"),
)  # fmt: skip

LAB_KEYS = (
    ("tab", "From panel to panel: the experiments, their fields, and what else shows."),
    ("ctrl+p", "The palette: every action by its name, and the themes."),
)
"""Keys of the lab that are Textual's own; the last one is the comparison's too."""

FORM_KEYS = (
    ("↑ ↓", "Choose an experiment or a field; tab goes from one to the other."),
    ("enter", "Change the field; enter again takes the value, escape leaves it."),
    (", .", "The field to its next value down or up; in an open text field ↓ and ↑ do it."),
    (
        "backspace",
        "The field back to the preset's value; where it has that all fields, and again the "
        "changes. On an experiment of your own: remove it.",
    ),
)
"""Keys of the setup, which belong to its widgets and not to the lab."""

COMPARE_ACTIONS = (
    Action("step(1)", "right,l", "→ l", "cleaner", "All one level cleaner.", "Denoising", 1),
    Action("step(-1)", "left,h", "← h", "noisier", "All one level noisier.", "Denoising", 2),
    Action("level('first')", "home", "home", "noise", "To level 0, the noisiest.", "Denoising"),
    Action("level('last')", "end", "end", "clean", "To level N, clean.", "Denoising"),
    Action(
        "jump", "j", "j", "jump",
        "To a level by its number; where some have fewer, they stand at the same share.",
        "Denoising", 10,
    ),
    Action("play", "space", "space", "play", "Play or pause.", "Denoising", 3),
    Action(
        "play_mode", "m", "m", "play mode", "Play once, in a loop, or out and back.", "Denoising",
        17,
    ),
    Action(
        "finer", "f", "f", "finer", "Steps of a half, a quarter, an eighth of a level, and whole "
        "again. Between levels points go straight.", "Denoising", 18,
    ),
    Action("speed(-1)", "left_square_bracket", "[", "slower", "Play more slowly.", "Denoising"),
    Action("speed(1)", "right_square_bracket", "]", "faster", "Play faster.", "Denoising"),
    Action("view", "v", "v", "view", "The next view of the points.", "Denoising", 4),
    Action("truth", "g", "g", "truth", "Show or hide the exact density.", "Denoising", 7),
    Action("noise", "n", "n", "new noise", "Fresh noise, the same for all.", "Denoising", 6),
    Action("zoom(1)", "plus,equals_sign", "+", "zoom in", "Zoom in.", "Denoising"),
    Action("zoom(-1)", "minus", "-", "zoom out", "Zoom out.", "Denoising"),
    Action(
        "relative", "o", "o", "floor",
        "Losses as times their floor, the least that any network can come to, or as they are.",
        "Losses", 5,
    ),
    Action("log_scale", "y", "y", "log", "Losses on a logarithmic or a linear axis.", "Losses", 8),
    Action("scroll(1)", "down", "↓ down", "next",
           "The table's next row; in a narrow terminal, the next runs.", "Table", 13),
    Action("scroll(-1)", "up", "↑ up", "before", "The row before, or the runs before.", "Table",
           14),
    Action("scroll(10)", "pagedown", "pgdn", "page", "A page on, or the last runs.", "Table"),
    Action("scroll(-10)", "pageup", "pgup", "page", "A page back, or the first runs.", "Table"),
    Action("tab('losses')", "1", "1", "losses", "To the losses.", "Comparison"),
    Action("tab('denoising')", "2", "2", "denoising", "To the denoising.", "Comparison"),
    Action("tab('table')", "3", "3", "table", "To the table.", "Comparison"),
    Action("runs", "r", "r", "runs", "Choose other runs.", "Comparison", 8),
    Action("export", "e", "e", "export", "Write what is compared to a file.", "Comparison", 15),
    Action("ask", "a", "a", "ask", "Any number here: what it is, and what is good.", "Comparison",
           9),
    Action("help", "question_mark", "?", "help", "This help.", "Comparison", 11),
    Action("leave", "escape,q,d", "q", "back", "Back to where you came from.", "Comparison", 12),
)  # fmt: skip
"""What can be done in the comparison of runs."""
