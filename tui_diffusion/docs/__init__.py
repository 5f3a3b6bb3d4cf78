"""The pages of the documentation: Markdown files that the package ships."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

FOLDER: Traversable = files(__name__)
"""The folder of the Markdown files."""

TOPICS: Mapping[str, str] = {
    "keys": "Every key of the lab.",
    "fields": "Every hyperparameter that --set takes.",
    "numbers": "Every number that the lab and evaluate write.",
    "python": "The core from Python: train, sample, measure and save.",
    "guidance": "What guidance does to the distribution, exactly and measured.",
    "sweeps": "Many trainings at once: values, seeds, results, engines.",
    "memorisation": "A fixed training set: when a network generalises, and when it copies.",
    "files": "Data files, runs, exports, presets and settings.",
    "gpu": "Installing for a GPU, what doctor says of it, and when it trains faster.",
    "diffusers": "The schedulers of diffusers as samplers, and what their last steps do.",
    "extending": "Data, presets and denoisers of your own.",
}
"""The file of each topic, with a line about it."""

_CODE_OR_HEADING = re.compile(r"^(```.*?^```$)|^#+ ([^\n]+)$", re.MULTILINE | re.DOTALL)


_PICTURE = re.compile(r"^!\[[^\n]*\)\n\n", re.MULTILINE)


def page(topic: str) -> str:
    """Return the Markdown text of a topic, without pictures, which no terminal shows.

    Raise `FileNotFoundError` if there is none.
    """
    return _PICTURE.sub("", (FOLDER / f"{topic}.md").read_text("utf-8"))


def sections(topic: str) -> list[tuple[str, str]]:
    """Split a page at its headings; return heading and body of each section that is not empty."""
    before, *pieces = _CODE_OR_HEADING.split(page(topic))
    pairs = [[topic, before]]
    for code, heading, after in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        if heading is None:  # a heading inside of code is a comment
            pairs[-1][1] += code + after
        else:
            pairs.append([heading, after])
    return [(heading, body.strip()) for heading, body in pairs if body.strip()]
