"""The data section of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal

from pydantic import PrivateAttr, ValidationInfo, model_validator

from ..parts.datasets import DATA_PARTS, centred
from ..parts.registries import find_more
from ..text import expanded, shortened
from .choices import DataName
from .fields import setting
from .limits import FARTHEST, LEAST_STD, LEAST_WEIGHT, MOST_TRAIN_POINTS, check_columns
from .section import PRINTABLE, PartSection
from .value_types import Points, Real, RealList, Whole, format_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .point_labels import FilePoints

OF_THE_FILE = ("data.name", "data.path", "data.columns", "data.where", "data.label")
"""Fields that determine the points of a file: setting one of them reads the file."""


GIVEN = "own mixture"
"""The name of data that are a mixture of a script."""

OPTIMA = ("population", "training set")
"""The data of which a denoiser can be ideal."""


class DataConfig(PartSection):
    """The distribution to learn: a mixture of Gaussians."""

    parts = DATA_PARTS

    name: DataName = setting(
        "gaussian-1d",
        "data set",
        "The distribution to learn, a mixture of Gaussians; file:PATH for points of your own.",
    )
    means: Points = setting(
        (),
        "means",
        "Centre of every component: numbers in 1D, points in 2D. Empty: as the data set has them.",
        allowed="1D such as '-1, 1', or 2D such as '(-1, 1), (1, -1)', at most 64 components, "
        f"numbers from {-FARTHEST:g} to {FARTHEST:g}",
    )
    weights: RealList = setting(
        (),
        "weights",
        "Weight of every component, scaled to sum to 1. Empty: as the data set has them.",
        allowed=f"one number from {LEAST_WEIGHT:g} to {1 / LEAST_WEIGHT:g} for each of the means",
    )
    stds: RealList = setting(
        (),
        "stds",
        "Standard deviation of every component. Empty: data.std for all.",
        allowed=f"one number from {LEAST_STD:g} to 10 for each of the means",
    )
    correlation: Real = setting(
        0.8,
        "correlation",
        "Correlation of the two coordinates of every component.",
        ge=-0.99,
        le=0.99,
        scale=0.05,
    )
    count: Whole = setting(8, "modes", "Number of modes on the ring.", ge=1, le=64)
    path: str = setting(
        "",
        "file",
        "A table of points as .csv, .tsv, .txt, .npy or .npz, one or two of its columns; scaled to "
        "unit size, and back. The preset edm-drawing learns few points best.",
        allowed="a .csv, .tsv, .txt (or .gz of one), .npy or .npz file with 1 to 100,000 rows",
        max_length=4096,
    )
    columns: str = setting(
        "",
        "columns",
        "One or two columns of the file, by name or number from 1; empty: all there are.",
        allowed="one or two names or numbers of columns, such as 'x,y'",
        pattern=PRINTABLE,
        max_length=400,
    )
    where: str = setting(
        "",
        "rows",
        "Only the rows that have this value in this column, such as dataset:dino; empty: all.",
        allowed="COLUMN:VALUE, the column by name or number",
        pattern=PRINTABLE,
        max_length=400,
    )
    label: str = setting(
        "",
        "label",
        "The column of the label of each point, its class, by name or number; empty: a column "
        "named label or class that is no coordinate, if there is one.",
        allowed="a name or a number of a column with at most 16 different values",
        pattern=PRINTABLE,
        max_length=400,
    )
    std: Real = setting(
        0.01,
        "std",
        "Standard deviation of each component; of points from a file, over their column's spread.",
        ge=LEAST_STD,
        le=10,
    )
    balanced: bool = setting(
        True,
        "balanced",
        "Every training batch holds the components in equal numbers, as in the post.",
        when={"data.train_points": ("0",), "data.holdout": ("0",)},
    )
    scaling: Literal["column", "shared"] = setting(
        "column",
        "scaling",
        "How points from a file come to unit size: each column by its own spread; or both by one, "
        "which keeps the proportions of a drawing or a map.",
    )
    train_points: Whole = setting(
        0,
        "training points",
        "Size of a fixed training set, drawn with the seed; a network can learn it by heart. 0: "
        "fresh points for each step. Of a file: at most so many of its rows.",
        unit="points",
        ge=0,
        le=MOST_TRAIN_POINTS,
        allowed=f"a whole number up to {MOST_TRAIN_POINTS:,}, or 0 for fresh points",
        scale="doubling",
    )
    holdout: Real = setting(
        0.0,
        "held out",
        "Least share of the rows of a file that training never draws. Above 0, the other rows are "
        "the training set.",
        when={"data.name": ("file",)},
        ge=0,
        le=0.9,
        scale=0.1,
    )
    _rows: FilePoints | None = PrivateAttr(None)
    _given: Any = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        """Expand file:PATH, and set the default std of a data set."""
        if not isinstance(values, Mapping):
            return values
        values = dict(values)
        name = values.get("name")
        if isinstance(name, str) and name.startswith("file:"):
            values["name"], values["path"] = "file", name.removeprefix("file:")
        if name not in DATA_PARTS and isinstance(name, str):
            find_more()
        part = DATA_PARTS.get(str(values.get("name")))
        values.setdefault("std", part.std if part else 0.01)
        return values

    @model_validator(mode="after")
    def _means_fit(self, info: ValidationInfo) -> DataConfig:
        part = DATA_PARTS[self.name]
        means, weights = self.means or part.means, self.weights or part.weights
        if not part.means:
            if self.means or self.weights or self.stds:
                field = "means" if self.means else "weights" if self.weights else "stds"
                raise ValueError(
                    f"data.{field}: does not go with data.name {self.name!r}; "
                    f"allowed: none, or data.name = {' or '.join(centred())}"
                )
            if self.name == "file" and self._rows is None and info.context is not None:
                self._rows = info.context["rows"]
            if self.name == "file" and self._rows is None:
                path, self._rows = _read_points(self.path, self.columns, self.where, self.label)
                object.__setattr__(self, "path", path)
            return self
        dims = {len(mean) for mean in means}
        if len(dims) > 1 or not dims <= {1, 2} or len(means) > 64:
            shown = shortened(format_value(means))
            counts = " and ".join(str(dim) for dim in sorted(dims))
            raise ValueError(
                f"data.means: {shown} has points of {counts} coordinates, {len(means)} in all; "
                "allowed: 1 to 64 points, all of 1 or all of 2 coordinates"
            )
        if "correlation" in part.uses and dims != {2}:
            raise ValueError(
                f"data.means: {shortened(format_value(means))} has points of 1 coordinate; "
                f"allowed: points of 2 coordinates, as data.name is {self.name!r}"
            )
        if not self.weights and len(weights) != len(means):
            weights = ()
        farthest = max(abs(number) for mean in means for number in mean)
        if farthest > FARTHEST:
            raise ValueError(
                f"data.means: {shortened(format_value(means))} reach too far; allowed: numbers "
                f"from {-FARTHEST:g} to {FARTHEST:g}"
            )
        least = LEAST_STD * max(farthest, 1.0)
        fits = [least <= std <= 10 for std in self.stds]
        if self.stds and (len(fits) != len(means) or not all(fits)):
            shown = shortened(format_value(self.stds))
            raise ValueError(
                f"data.stds: {shown} does not fit {len(means)} means up to {farthest:g}; allowed: "
                f"for each of them a number from {format_value(least)} to 10, or none"
            )
        if not self.stds and self.std < LEAST_STD * farthest:
            raise ValueError(
                f"data.std: {format_value(self.std)} is finer than float32 holds at means of "
                f"{farthest:g}; allowed: from {format_value(LEAST_STD * farthest)}"
            )
        fits = [LEAST_WEIGHT <= weight <= 1 / LEAST_WEIGHT for weight in weights]
        if weights and (len(weights) != len(means) or not all(fits)):
            shown = shortened(format_value(weights))
            raise ValueError(
                f"data.weights: {shown} does not fit {len(means)} means; allowed: for each of them "
                f"a number from {LEAST_WEIGHT:g} to {1 / LEAST_WEIGHT:g}, or none"
            )
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "weights", weights)
        return self

    @property
    def dim(self) -> int:
        """Number of coordinates, 1 or 2."""
        if self._given is not None:
            return int(self._given.dim)
        if self.points is not None:
            return int(self.points.shape[1])
        return len(self.means[0]) if self.means else DATA_PARTS[self.name].dim

    @property
    def classes(self) -> int:
        """Number of classes of the points; calls the function of a part, if they are of one."""
        if self._given is not None:
            return int(self._given.classes)
        if self.name == "ring":
            return self.count
        if self.class_names:
            return len(self.class_names)
        return len(self.means) or DATA_PARTS[self.name].classes or self._classes_of_part()

    def _classes_of_part(self) -> int:
        function: Any = DATA_PARTS[self.name].function
        named = signature(function).parameters
        labels = function(**{name: getattr(self, name) for name in named})[2]
        return int(labels.max()) + 1

    @property
    def finite(self) -> bool:
        """Whether training draws from a fixed set of points: `make_training_set` returns it."""
        return self.train_points > 0 or (self.points is not None and self.holdout > 0)

    @property
    def population_unknown(self) -> bool:
        """Whether only a sample is known of what a training set came from: the rows of a file."""
        return self.finite and self.points is not None

    @property
    def kept(self) -> Mapping[str, FilePoints | None]:
        """The validation context of another configuration with the same points."""
        return {"rows": self._rows}

    @property
    def given(self) -> Any:
        """The mixture that takes the place of the data set, such as one of a script; or None.

        It is lost where the data are changed, and cannot be written to a file.
        """
        return self._given

    def with_given(self, mixture: Any) -> DataConfig:
        """Return a copy that stands for a mixture; equal only to one with the very same mixture."""
        data = self.model_copy()
        data._given = mixture
        return data

    @property
    def source(self) -> str:
        """The name of the file that the points came from, or ''."""
        if self._given is not None:
            return GIVEN
        return "" if self._rows is None else self._rows.name

    def came_from(self, name: str) -> None:
        """Store the name of the original file of copied points."""
        if self._rows is not None:
            self._rows.name = name

    @property
    def points(self) -> NDArray[np.float64] | None:
        """The points of the file, shape (n, d), as read when this was created; None for named data.

        The file is not read again, so it may change or disappear.
        """
        return None if self._file is None else self._file.values

    @property
    def copy_of_points(self) -> NDArray[Any] | None:
        """The array that a run keeps: the points, and their labels in a last column of text."""
        return None if self._file is None else self._file.copy()

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """The class of every point of the file, shape (n,), from 0; None without labels."""
        return None if self._file is None or self._file.labels is None else self._file.labels[0]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes of a file's points; () without labels."""
        return () if self._file is None or self._file.labels is None else self._file.labels[1]

    @property
    def _file(self) -> FilePoints | None:
        return None if self._given is not None else self._rows


def _read_points(path: str, columns: str, where: str, label: str) -> tuple[str, FilePoints]:
    """Return the absolute path of a file and the points chosen in it; raise `ConfigError`."""
    from .point_files import read_labelled
    from .point_labels import FilePoints

    file = expanded(path)
    with suppress(OSError):  # the working folder may not exist any more
        file = file.absolute() if path else file
    points, labels = read_labelled(file, columns, where, label)
    try:
        check_columns(points)
    except ValueError as error:
        raise ValueError(f"data.path: {shortened(str(file), 80)}: {error}") from None
    return str(file), FilePoints(points, file.name, labels)
