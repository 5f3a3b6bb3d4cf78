"""The form names a file, its columns and its rows."""

from __future__ import annotations

from textual.widgets import OptionList

from .form_host import Host, about, post, until


async def test_a_file_is_named_and_its_columns_and_rows_are_chosen(tmp_path):
    """Its own columns and groups are the choices, also while it is refused for want of one."""
    file = tmp_path / "dino.tsv"
    file.write_text("dataset\tx\ty\n" + "".join(f"{'ab'[k % 2]}[b]\t{k}\t{-k}\n" for k in range(9)))
    async with Host("edm-moons").run_test(size=(100, 60)) as pilot:
        app = pilot.app
        app.form.select("data.name")
        await pilot.press("enter", "end", "enter")
        post(pilot, *str(file), "enter")
        await until(lambda: bool(app.form.problems))
        assert app.form.model.drafts == {"data.name": f"file:{file}"}
        assert "'dataset' is text; choose one or two with data.columns" in about(app)
        app.form.select("data.columns")
        await pilot.press("enter")
        assert prompts(app) == ["(all)", "x,y", "x", "y"]
        await pilot.press("down", "enter")
        await until(lambda: not app.form.problems)
        assert app.form.model.experiment.data.points.shape == (9, 2)
        app.form.select("data.where")
        await pilot.press("enter")
        assert prompts(app) == ["(all)", "dataset:a[b]", "dataset:b[b]"]
        await pilot.press("down", "down", "enter")
        await until(lambda: app.form.model.experiment.data.where == "dataset:b[b]")
        assert app.form.model.experiment.data.points[:, 0].tolist() == [1, 3, 5, 7]
        await pilot.press("enter", "home", "enter")
        await until(lambda: app.form.model.experiment.data.where == "")


def prompts(app: Host) -> list[str]:
    """What the open list offers."""
    choices = app.form.query_one(OptionList)
    return [str(choices.get_option_at_index(k).prompt) for k in range(choices.option_count)]
