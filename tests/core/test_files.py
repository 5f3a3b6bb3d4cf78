"""Whatever is written, only plain files are replaced, and a symbolic link is followed."""

import os
import stat
import threading
from contextlib import suppress

import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.user_presets import save_preset
from tui_diffusion.core.files import (
    flush_tree,
    flushing_later,
    remove_unfinished,
    replacing,
    write_whole,
)
from tui_diffusion.core.paths import presets_folder
from tui_diffusion.export.atomic import write_files as export_whole
from tui_diffusion.export.formats import check
from tui_diffusion.export.options import ExportError, ExportOptions
from tui_diffusion.interface.settings import Settings, load, save
from tui_diffusion.lab.clipboard import copied_file, keep


def by_settings(file):
    assert save(file, Settings(fps=3)) == ""


def by_preset(file):
    named = presets_folder() / "mine.json"
    named.parent.mkdir(parents=True)
    named.symlink_to(file)
    save_preset("mine", get_preset("naive-1d").experiment)
    assert named.is_symlink()


def by_export(file):
    export_whole([file], True, lambda places: places[0].write_text("new"))


def by_copy(file):
    copied_file().parent.mkdir(parents=True)
    copied_file().symlink_to(file)
    keep("new")
    assert copied_file().is_symlink()


@pytest.mark.parametrize("write", [by_settings, by_preset, by_export, by_copy])
def test_a_link_is_followed_and_what_it_leads_to_keeps_its_permissions(write, tmp_path):
    real, link = tmp_path / "elsewhere" / "kept.svg", tmp_path / "link.svg"
    real.parent.mkdir()
    real.write_text("")
    real.chmod(0o640)
    link.symlink_to(real)
    write(link)
    assert link.is_symlink() and real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert list(real.parent.iterdir()) == [real]


def test_a_device_and_a_pipe_are_left_alone(tmp_path, monkeypatch):
    null, pipe = tmp_path / "null.svg", tmp_path / "pipe.svg"
    null.symlink_to("/dev/null")
    os.mkfifo(pipe)
    assert load(null) == (Settings(), "")
    assert save(null, Settings(fps=3)) == ""  # nothing is kept there, as was wished
    for file in (null, pipe):
        before = file.stat()
        with pytest.raises(OSError, match="not a plain file"):
            write_whole(file, "new")
        with pytest.raises(ExportError, match=r"\(not a plain file\); allowed: a file"):
            check(file, ExportOptions(force=True))
        assert os.path.samestat(file.stat(), before)
        assert not stat.S_ISREG(file.stat().st_mode)


def test_what_fails_or_is_refused_at_the_end_changes_nothing(tmp_path):
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for file in files:
        file.write_text("old")

    def refuse() -> None:
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"), replacing(files, refuse) as places:
        for place in places:
            place.write_text("new")
    assert [file.read_text() for file in files] == ["old", "old"]
    assert sorted(tmp_path.iterdir()) == files


def test_the_end_of_the_process_leaves_no_temporary_file(tmp_path):
    hidden = tmp_path / ".0123456789ab.tmp.mp4"  # somebody's own
    hidden.write_text("mine")
    with replacing([tmp_path / "film.mp4"]) as (place,):
        place.write_text("half")
        remove_unfinished()
        assert list(tmp_path.iterdir()) == [hidden]
        place.write_text("whole")  # the writer got to its end all the same
    assert (tmp_path / "film.mp4").read_text() == "whole"

    began, goes_on = threading.Event(), threading.Event()

    def write() -> None:
        with suppress(RuntimeError), replacing([tmp_path / "film.mp4"]) as (place,):
            place.write_text("half")
            began.set()
            goes_on.wait()
            raise RuntimeError("given up")

    writer = threading.Thread(target=write)
    writer.start()
    began.wait()
    threading.Timer(0.02, goes_on.set).start()
    remove_unfinished(60)  # returns when the writer has given up
    writer.join()
    assert sorted(tmp_path.iterdir()) == [hidden, tmp_path / "film.mp4"]
    assert (tmp_path / "film.mp4").read_text() == "whole"


def test_what_is_flushed_later_is_flushed_whole(tmp_path, monkeypatch):
    flushed = set()
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.add(os.fstat(handle).st_ino))
    folder = tmp_path / "run"
    (folder / "checkpoint-1").mkdir(parents=True)
    files = [folder / "run.json", folder / "checkpoint-1" / "weights"]
    with flushing_later():
        for file in files:
            write_whole(file, "content")
        assert not flushed
        other = threading.Thread(target=write_whole, args=(folder / "losses", "of a thread"))
        other.start()
        other.join()
    assert len(flushed) == 1  # that of the other thread
    (folder / "link").symlink_to("nowhere")
    flush_tree(folder)
    whole = [*files, folder / "losses", folder / "checkpoint-1", folder, tmp_path]
    assert {file.stat().st_ino for file in whole} <= flushed
    flushed.clear()
    write_whole(files[0], "new")
    assert flushed
    flush_tree(tmp_path / "gone")
