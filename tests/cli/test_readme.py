"""The README says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.readme import README, TABLES, filled


def test_tables_are_those_of_the_program() -> None:
    text = README.read_text("utf-8")
    assert filled(text) == text, "run: python -m tests.readme"


@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table_is_noticed(name: str) -> None:
    text = README.read_text("utf-8")
    wrong = text.replace(f"<!-- {name} -->\n", f"<!-- {name} -->\nsomething else\n")
    assert wrong != text
    assert filled(wrong) == text


def test_the_python_example_runs_as_it_stands() -> None:
    found = re.search(r"<!-- example -->\n```python\n(.*?)```", README.read_text("utf-8"), re.S)
    assert found is not None
    code = found[1]
    assert len(code.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"std \[0\.\d+", done.stdout), done.stdout


def test_pictures_are_there() -> None:
    for picture in re.findall(r"\]\((screenshots/[^)]+)\)", README.read_text("utf-8")):
        assert (README.parent / picture).stat().st_size > 1000, picture
