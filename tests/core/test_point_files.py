"""Tables of points as people's tools write them: read right, or refused with the line."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.core.config import point_files as points
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.point_files import (
    FileChoices,
    file_choices,
    read_labelled,
    read_points,
)
from tui_diffusion.core.config.text_table import TableError, parse_numbers, read_table
from tui_diffusion.core.runs.run import open_run, save_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.export.script.data import data_part

from ..cases import for_each

XY = [[0.5, -1.25], [2.0, 3.0], [1e-5, 1234.5]]
PLANE = np.array(XY)
DINO = "dataset\tx\ty\n" + "".join(
    f"{name}\t{x + k:.4f}\t{y:.4f}\n" for k, name in enumerate(("dino", "away")) for x, y in XY
)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """A file of this name and content."""
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return folder / name


def saved(**arrays: np.ndarray) -> bytes:
    """The bytes of an .npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def of_file(file: Path, **settings: object) -> Experiment:
    return get_preset("edm-moons").experiment.with_settings(
        {"data.name": f"file:{file}", **{f"data.{key}": value for key, value in settings.items()}}
    )


def refused(file: Path, **chosen: str) -> ConfigError:
    """The one line that says why a file cannot be read so."""
    with pytest.raises(ConfigError) as caught:
        read_labelled(file, **chosen)
    message = str(caught.value)
    assert message.isprintable() and "allowed: " in message and len(message) < 400
    return caught.value


DECIMAL_COMMAS = "0,5;-1,25\n2;3\n1e-05;1234,5\n"
R_ROWS = '"1";0,5;-1,25\n"2";2;3\n"3";1e-05;1234,5\n'
TOOLS: dict[str, tuple[str, str | bytes]] = {
    "pandas, with its index": ("a.csv", ",x,y\n0,0.5,-1.25\n1,2.0,3.0\n2,1e-05,1234.5\n"),
    "pandas, no names": ("a.csv", ",0,1\n0,0.5,-1.25\n1,2.0,3.0\n2,1e-05,1234.5\n"),
    "pandas, no index": ("a.csv", "x,y\n0.5,-1.25\n2.0,3.0\n1e-05,1234.5\n"),
    "R's write.csv": ("a.csv", '"","x","y"\n"1",0.5,-1.25\n"2",2,3\n"3",1e-05,1234.5\n'),
    "R's write.csv2": ("a.csv", '"";"x";"y"\n' + R_ROWS),
    "R's write.table": ("a.txt", '"x" "y"\n"1" 0.5 -1.25\n"2" 2 3\n"3" 1e-05 1234.5\n'),
    "Excel, Unicode text": (
        "a.txt", "x\ty\r\n0,5\t-1,25\r\n2\t3\r\n1e-05\t1234,5\r\n".encode("utf-16"),
    ),
    "Excel, UTF-8 with a mark": ("a.csv", "\ufeffMaß;Höhe\r\n" + DECIMAL_COMMAS),
    "Excel, Latin-1": ("a.csv", ("Maß;Höhe\r\n" + DECIMAL_COMMAS).encode("latin-1")),
    "Excel, quoted decimal commas": ("a.csv", '"0,5","-1,25"\n2,3\n"1e-05","1234,5"\n'),
    "Excel, the separator first": ("a.csv", "sep=;\n" + DECIMAL_COMMAS),
    "UTF-16 without a mark": ("a.csv", "0.5,-1.25\n2,3\n1e-5,1234.5\n".encode("utf-16-le")),
    "numpy.savetxt": ("a.txt", "# x y\n5.0e-01 -1.25e+00\n2.0e+00 3e+00\n1.0e-05 1.2345e+03\n"),
    "gnuplot": ("a.txt", "% run 7\n\n 0.5   -1.25\n 2      3\n# cooler now\n 1e-5  1234.5\n"),
    "blanks and decimal commas": ("a.txt", "0,5 -1,25\n2 3\n1e-05  1234,5\n"),
    "a comma and a blank": ("a.csv", "x, y\n0.5, -1.25\n2, 3\n1e-05, 1234.5\n"),
    "a comma at the end": ("A.CSV", "0.5,-1.25,\n2,3,\n1e-05,1234.5,\n"),
    "compressed": ("a.csv.gz", gzip.compress(b"x,y\n0.5,-1.25\n2,3\n1e-05,1234.5\n")),
    "an archive of one": ("a.npz", saved(points=PLANE)),
    "an archive of columns": ("a.npz", saved(x=PLANE[:, 0], y=PLANE[:, 1])),
}  # fmt: skip
"""Each holds the points XY."""


@for_each("what", TOOLS)
def test_a_file_is_read_as_its_tool_means_it_and_so_it_is_by_the_script(what, tmp_path):
    file = written(tmp_path, *TOOLS[what])
    assert read_points(file).tolist() == XY
    data = of_file(file)
    here: dict[str, object] = {"torch": torch, "np": np}
    exec(data_part(data, make_mixture(data.data)), here)
    assert np.array_equal(here["points"], PLANE)


@for_each("separator", [",", ";", "\t", "  ", "|"])
def test_one_dialect_a_file_whatever_it_is(separator, tmp_path):
    """Random numbers come back from every separator with every decimal mark it allows."""
    random = np.random.default_rng(0)
    for digits, mark, heading in ((3, ".", ""), (5, ",", ""), (1, ",", "a{}b\n")):
        values = random.normal(0, 100, (30, 2)).round(digits)
        rows = (separator.join(repr(float(v)).replace(".", mark) for v in row) for row in values)
        text = heading.format(separator) + "\n".join(rows)
        file = written(tmp_path, "p.csv", text)
        if separator == "|" or (separator, mark) == (",", ","):
            refused(file)
        else:
            assert np.array_equal(read_points(file), values)


def test_one_column_of_decimal_commas(tmp_path):
    """Digits behind a decimal comma begin with 0 now and then; a heading tells it too."""
    values = [0.1257, 1.0334, 2.5]
    for text in ("0,1257\n1,0334\n2,5\n", "x\n0,1257\n1,0334\n2,5\n", "x\n0,1257\n1,0334\n2,5\n"):
        assert read_points(written(tmp_path, "p.csv", text))[:, 0].tolist() == values
    assert read_points(written(tmp_path, "p.csv", "x\n0,5\n7\n")).tolist() == [[0.5], [7.0]]


def test_whole_numbers_behind_a_comma_are_a_second_column(tmp_path):
    for text in (
        "1,2\n3,4\n",
        "10,2\n9,-4\n",
        "120, 340\n98, 7\n",
        "x,y\n12,5\n9,8\n",
        "3,7\n12,10\n",
    ):
        assert read_points(written(tmp_path, "p.csv", text)).shape == (2, 2), text
    pixels = np.random.default_rng(0).integers(100, 999, (200, 2))
    text = "".join(f"{x},{y}\n" for x, y in pixels)
    assert read_points(written(tmp_path, "p.csv", text)).tolist() == pixels.tolist()


@for_each(
    "text, what",
    [
        ("0,1257\n1,3334\n", "line 1: '0,1257' may be one number or two"),
        ("12,5\n13,1\n", "line 1: '12,5' may be one number or two"),
        ("0,1\n0.5,1.5\n2.5,3.5\n", "line 1: '0,1' may be a heading or a point"),
        ("x\ty\n1,234\t5\n2,345\t6\n", "line 2: '1,234' may be 1.234 or 1234"),
        ('x,y\n"1,234.5",2\n3.5,4\n', "line 2: '1,234.5' is not a number; write thousands"),
        ('x;y\n1,5;2\n2.5;"3,5"\n', "line 2: '1,5' is not a number; write thousands"),
        ("1.5,2x\n3,4\n", "line 1: '2x' is not a number"),
        ("x,y\n1D5,2\n3,4\n", "line 2: '1D5' is not a number"),
        ("x,y\n1_0,2\n3,4\n", "line 2: '1_0' is not a number"),
        ("x,y\n1,NA\n3,4\n", "line 2: 'NA', a missing value"),
        ("x,y\n1,2\n3,\n", "line 3: a cell is empty"),
        ("1,2\n3;4\n", "line 2 has 2 columns, not 1 as above"),
        ('x,y\n"1,2\n3,4\n', "has 1 column, not 2 as above"),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused_with_its_line(text, what, tmp_path):
    error = refused(written(tmp_path, "p.csv", text))
    assert what in str(error) and error.field == "data.path"


def test_columns_and_rows_are_chosen_by_name_or_number(tmp_path):
    file = written(tmp_path, "dino.tsv", DINO)
    for columns, where in (("x,y", "dataset:dino"), ("2, 3", "1:dino"), ("", "dataset:dino")):
        assert np.allclose(read_points(file, columns, where), PLANE, atol=1e-4), (columns, where)
    assert read_points(file, "y").shape == (6, 1)
    assert read_points(file, "y,x", "dataset:away")[0].tolist() == [-1.25, 1.5]
    groups = ("dataset:dino", "dataset:away")
    assert file_choices(file) == FileChoices(("x", "y"), groups, ("dataset",))
    colon = written(tmp_path, "c.csv", "a:b,x,g\n1,5.5,k:1\n2.0,6.5,k:2\n")
    assert read_points(colon, "x", "a:b:2").tolist() == [[6.5]]
    assert read_points(colon, "x", "g:k:1").tolist() == [[5.5]]


@for_each("columns, where, field, what", [
        ("", "", "path", "1 'dataset' is text; choose one or two with data.columns; allowed: x, y"),
        ("x,z", "", "columns", "no column 'z'; allowed: dataset, x, y"),
        ("x,x", "", "columns", "'x,x' is not allowed; allowed: one or two different columns"),
        ("dataset,x", "", "path", "line 2: 'dino' is not a number"),
        ("x,y", "dino", "where", "'dino' names no group; allowed: COLUMN:VALUE with a column of"),
        ("x,y", "dataset:dinno", "where", "no row has 'dinno' in column dataset; allowed: dino"),
    ])  # fmt: skip
def test_a_refused_choice_names_the_cause_and_the_way(columns, where, field, what, tmp_path):
    file = written(tmp_path, "dino.tsv", DINO)
    error = refused(file, columns=columns, where=where)
    assert what in str(error) and error.field == f"data.{field}"
    groups = np.array(["dino"] * 3 + ["away"] * 3)
    several = written(tmp_path, "s.npz", saved(dataset=groups, x=np.ones(6), y=np.arange(6.0)))
    assert refused(several, columns=columns, where=where).field.startswith("data.")


def test_arrays_by_name(tmp_path):
    records = np.array([(1, 2.5, "a"), (3, 4.5, "b")], [("x", "i4"), ("y", "f4"), ("g", "U1")])
    np.save(tmp_path / "r.npy", records)
    assert read_points(tmp_path / "r.npy", "x,y", "g:b").tolist() == [[3, 4.5]]
    file = written(tmp_path, "a.npz", saved(x=PLANE, losses=np.ones(7)))
    assert "holds 2 arrays; choose one with data.columns; allowed: x, losses" in str(refused(file))
    assert read_points(file, "x").tolist() == XY
    assert len(read_points(file, "losses")) == 7
    wide = tmp_path / "w.npy"
    np.save(wide, np.arange(12.0).reshape(3, 4))
    assert "has 4 columns; choose one or two with data.columns" in str(refused(wide))
    assert read_points(wide, "2,4").tolist() == [[1, 3], [5, 7], [9, 11]]


def test_what_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "_BYTES", 2**16)
    packed = written(tmp_path, "b.csv.gz", gzip.compress(b"1,2\n" * 2**15))
    assert "unpacks to more than" in str(refused(packed))
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(2**20))
    assert "unpacks to too many bytes" in str(refused(tmp_path / "b.npz"))
    cut = gzip.compress(b"1,2\n" * 99)[:-9]
    lie = saved(x=PLANE).replace(b"(3, 2)", b"(9**9")
    broken = {"c.csv.gz": cut, "d.csv.gz": b"1,2\n", "e.npz": b"PK\x03\x04", "f.npz": lie}
    for name, content in broken.items():
        refused(written(tmp_path, name, content))


def test_a_run_keeps_the_points_that_were_chosen(tmp_path):
    file = written(tmp_path, "dino.tsv", DINO)
    experiment = of_file(file, columns="x,y", where="dataset:dino")
    run = open_run(str(save_run(tmp_path / "run", Trainer(experiment), "stopped")))
    assert run.experiment.data.points.tolist() == experiment.data.points.tolist()
    assert run.experiment.with_settings({"seed": 3}).data.points.shape == (3, 2)
    with pytest.raises(ConfigError, match=r"data.columns: does not apply while data.name is moons"):
        get_preset("edm-moons").experiment.with_settings({"data.columns": "x"})
    assert experiment.with_settings({"data.name": "moons"}).data.columns == ""
    again = experiment.with_settings({"data.where": "dataset:away"})
    assert again.data.points[0].tolist() == [1.5, -1.25]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([".csv", ".tsv", ".txt", ".csv.gz", ".npy", ".npz"]),
    st.text('0123456789.,;-+eE \t\n\r"#%xyN\x00:é', max_size=60) | st.binary(max_size=60),
    st.sampled_from(["", "1", "x,y", "2,1", '"', ","]),
    st.sampled_from(["", "1:1", "x:", ":", "x:y"]),
)
def test_anything_is_points_or_one_line(tmp_path_factory, suffix, content, columns, where):
    data = content.encode() if isinstance(content, str) else content
    file = tmp_path_factory.getbasetemp() / f"anything{suffix}"
    file.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    try:
        found = read_points(file, columns, where)
    except ConfigError as error:
        assert str(error).isprintable() and "allowed: " in str(error)
        assert error.field in ("data.path", "data.columns", "data.where")
    else:
        assert found.ndim == 2 and found.shape[1] in (1, 2) and np.isfinite(found).all()
    try:
        file_choices(file)
    except ConfigError as error:
        assert str(error).isprintable()


@given(
    st.lists(
        st.lists(st.text("0123456789.-+eE ", min_size=1, max_size=6), min_size=1, max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([",", "\t", ";", " ", ", "]),
)
@settings(max_examples=300, deadline=None)
def test_plain_numbers_are_those_that_are_read_cell_by_cell(rows, separator):
    text = "\n".join(separator.join(cells) for cells in [["7", "8.5"], *rows])
    try:
        table = read_table(text.encode(), several=True)
    except TableError:
        return
    plain = table.plain_numbers()
    if plain is not None:
        cells = [(line, cell) for line, cells in table.rows() for cell in cells]
        careful = np.array(parse_numbers(cells, table.separator)).reshape(plain.shape)
        assert np.array_equal(plain, careful)


def test_a_table_of_plain_numbers_is_not_read_cell_by_cell():
    for text in ("x,y\n1,2.5\n-3e-2, 4\n", "1 2\n 3  4 \n", "x\n1\n2\n", "1;2\n3;4\n# end\n"):
        assert read_table(text.encode(), several=True).plain_numbers() is not None, text


def test_an_array_beside_the_points_of_an_archive_holds_their_labels(tmp_path):
    y, other = np.array([2, 0, 0, 2, 2, 0]), np.array(["a", "b"] * 3)
    plane = np.arange(12.0).reshape(6, 2)
    for name in ("label", "labels", "Class", "classes", "y"):
        file = written(tmp_path, "a.npz", saved(points=plane, **{name: y}))
        values, labels = read_labelled(file)
        assert values.tolist() == plane.tolist()
        assert (labels[0].tolist(), labels[1]) == ([1, 0, 0, 1, 1, 0], ("0", "2"))
        assert file_choices(file).columns == ("1", "2", name)
        assert read_labelled(file, "2")[0].tolist() == plane[:, 1:].tolist()
    file = written(tmp_path, "b.npz", saved(points=plane, kind=other, short=y[:5]))
    assert read_labelled(file, "points")[1] is None
    assert read_labelled(file, "points", label="kind")[1][1] == ("a", "b")
    assert of_file(file, columns="points", label="kind").data.class_names == ("a", "b")
    for label in ("short", "none"):
        error = refused(file, columns="points", label=label)
        assert error.field == "data.label" and str(error).endswith("allowed: kind")
    file = written(tmp_path, "c.npz", saved(points=plane, y=np.arange(6.5, 12)))
    assert read_labelled(file)[1][1][0] == "6.5"
