"""The README and the documentation say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.readme import DOCS, README, ROOT, TABLES, filled
from tui_diffusion import docs
from tui_diffusion.cli.docs import TOPIC_ROWS
from tui_diffusion.core import train

from ..cases import for_each
from ..changed import changed

PAGES = [README, *sorted(DOCS.glob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_tables_are_those_of_the_program(file: Path) -> None:
    text = file.read_text("utf-8")
    assert filled(file, text) == text, "run: python -m tests.readme"
    for name in TABLES[file]:
        wrong = text.replace(f"<!-- {name} -->\n", f"<!-- {name} -->\nsomething else\n")
        assert wrong != text
        assert filled(file, wrong) == text


def test_a_table_without_its_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"README\.md has 0 places .*'experiments'; allowed: 1"):
        filled(README, "")


def test_the_readme_takes_a_minute() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 200


def test_every_python_example_runs_as_it_stands(home: Path) -> None:
    """One process runs those of the README, then those of each page, from top to bottom."""
    found = re.search(r"<!-- example -->\n```python\n(.*?)```", README.read_text("utf-8"), re.S)
    assert found is not None
    assert len(found[1].strip().splitlines()) <= 12
    code = [found[1]]
    for page in sorted(DOCS.glob("*.md")):
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)
        code += [f"print({page.stem!r})", *blocks] if blocks else []
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"std \[0\.\d+", done.stdout), done.stdout
    assert {"extending", "python"} <= {*done.stdout.splitlines()}


@for_each("page", PAGES)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.S | re.M)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, heading = link.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file() and file.stat().st_size > 100, link
        titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.M) if heading else []
        assert not heading or heading in [title.lower().replace(" ", "-") for title in titles], link


def test_every_picture_is_seen() -> None:
    for file in (ROOT / "screenshots").iterdir():
        assert file.suffix == ".py" or not file.is_file() or file.name in README.read_text("utf-8")


def test_every_file_and_folder_that_contributing_names_is_there() -> None:
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    names = re.findall(r"`((?:tui_diffusion|tests)/[\w/.]+)`", text)
    assert len(names) > 20
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_topic_is_a_page_that_the_package_ships() -> None:
    assert {file.stem for file in DOCS.glob("*.md")} == {*docs.TOPICS} == {*TOPIC_ROWS}
    for topic in docs.TOPICS:
        text = docs.page(topic)
        assert text.startswith("# ")
        assert "![" not in text
        assert topic in README.read_text("utf-8")
        bodies = [body for _, body in docs.sections(topic)]
        assert bodies and all(body in text for body in bodies)


def test_a_comment_in_code_is_no_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# A\n\nfirst\n\n## Empty\n\n## B\n\n```python\n# comment\nx = 1\n```\nlast\n"
    monkeypatch.setattr(docs, "page", lambda _: text)
    assert docs.sections("a") == [
        ("A", "first"),
        ("B", "```python\n# comment\nx = 1\n```\nlast"),
    ]


def test_the_page_on_python_logs_as_it_shows(tmp_path: Path, monkeypatch) -> None:
    """Each example has five lines; a fake stands in for Weights & Biases."""
    page = (DOCS / "python.md").read_text("utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```", page, re.S | re.M)
    tensorboard, wandb = (code for code in blocks if "train(experiment" in code)
    experiment = changed("naive-1d", training__steps=40, device="cpu")
    logged: list[tuple[int, dict[str, float]]] = []

    class Run:
        def log(self, values: dict[str, float], step: int) -> None:
            logged.append((step, values))

    @contextmanager
    def init(project: str, config: dict[str, object]) -> Iterator[Run]:
        assert config["seed"] == 0
        yield Run()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    assert len([line for line in wandb.splitlines() if line]) <= 5
    exec(wandb, {"experiment": experiment, "train": train})
    assert logged[-1][0] == 40 and logged[-1][1].keys() == {"loss", "lr"}
    pytest.importorskip("tensorboard")
    assert len([line for line in tensorboard.splitlines() if line]) <= 5
    exec(tensorboard, {"experiment": experiment, "train": train})
    assert list(Path("logs").glob("events.out.tfevents.*"))
