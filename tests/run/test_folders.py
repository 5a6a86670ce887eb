"""Run folders: staged, published in one step, held by one run at a time."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from abaco.core import files
from abaco.core.errors import InputError, RunError
from abaco.run import folders
from tests.support.programs import missing

DECEMBER = "2025-12-31"
HOLD = """
import sys, time
from pathlib import Path
from abaco.run import folders
with folders.hold(Path(sys.argv[1]), "2025-12-31", 0, print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the date until its standard input ends."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def stage(output, run_id="20251231-0123456789ab", published=False):
    folder = folders.stage(output, DECEMBER, run_id)
    files.write_json(folder / "run.json", {"run_id": run_id})
    if published:
        folders.publish(folder, output)
    return folder


def test_stage_makes_folders_and_the_work_folder_is_private(tmp_path):
    folder = stage(tmp_path)
    assert folder.parent == tmp_path / ".runs/2025-12-31"
    assert folder.name.endswith("Z_20251231-0123456789ab")
    assert sorted(p.name for p in folder.iterdir()) == ["notebooks", "run.json", "tables", "work"]
    assert (folder / "work").stat().st_mode & 0o777 == 0o700


def test_folder_of_runs_on_another_file_system_is_refused_and_nothing_is_left(tmp_path):
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        missing("no second file system is mounted here")
    with tempfile.TemporaryDirectory(dir=memory) as elsewhere:
        (tmp_path / ".runs").symlink_to(elsewhere, target_is_directory=True)
        with pytest.raises(InputError, match=r"2025-12-31 is on another file system than .* OUTPUT$"):
            stage(tmp_path)
        assert list(Path(elsewhere).glob("*/*")) == []


def test_staging_alone_shows_nothing(tmp_path):
    stage(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [".runs"]


def test_publish_switches_and_keeps_the_former_run(tmp_path):
    former = stage(tmp_path, "20251231-aaaaaaaaaaaa", published=True)
    assert files.read_json(tmp_path / "2025-12-31/run.json") == {"run_id": "20251231-aaaaaaaaaaaa"}
    fresh = stage(tmp_path, "20251231-bbbbbbbbbbbb")
    assert folders.publish(fresh, tmp_path) == tmp_path / "2025-12-31"
    assert files.read_json(tmp_path / "2025-12-31/run.json") == {"run_id": "20251231-bbbbbbbbbbbb"}
    assert files.read_json(former / "run.json") == {"run_id": "20251231-aaaaaaaaaaaa"}


def test_everything_is_on_the_disk_before_it_is_visible_and_then_the_link(tmp_path, monkeypatch):
    folder, synced, before = stage(tmp_path), set(), []
    (folder / "tables/tape.parquet").write_bytes(b"rows")
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (fsync(file), synced.add(os.readlink(f"/proc/self/fd/{file}"))))
    monkeypatch.setattr(os, "replace", lambda *paths: (before.extend(synced), replace(*paths)))
    folders.publish(folder, tmp_path)
    needed = {folder, *folder.rglob("*"), folder.parent, tmp_path / ".runs"}
    assert {str(path) for path in needed} <= set(before)
    assert synced - set(before) == {str(tmp_path)}


def test_published_link_survives_a_move_of_the_reports(tmp_path):
    (tmp_path / "here").mkdir()
    stage(tmp_path / "here", published=True)
    (tmp_path / "here").rename(tmp_path / "there")
    assert (tmp_path / "there/2025-12-31/run.json").is_file()


def test_what_a_killed_switch_left_is_no_obstacle(tmp_path):
    folder = stage(tmp_path)
    (folder.parent / "next").symlink_to("nowhere")
    folders.publish(folder, tmp_path)
    assert (tmp_path / "2025-12-31/run.json").is_file()
    assert not (folder.parent / "next").is_symlink()


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_what_no_run_made_is_never_replaced(tmp_path, make):
    getattr(tmp_path / "2025-12-31", make)()
    with pytest.raises(RunError, match=r"2025-12-31 was not made by a run: move it away, then run again"):
        folders.stage(tmp_path, DECEMBER, "x")
    assert not (tmp_path / ".runs").exists()


def test_discard_work_removes_only_the_work(tmp_path):
    folder = stage(tmp_path)
    (folder / "work/staged.parquet").touch()
    folders.discard_work(folder)
    assert sorted(p.name for p in folder.iterdir()) == ["notebooks", "run.json", "tables"]


@pytest.mark.parametrize("place", ["/proc/reports", "file/reports", "file"])
def test_output_that_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=rf"Cannot write to the output folder .*{place}: .+: choose another with OUTPUT"
    ):
        folders.check_writable(tmp_path / place)


def test_check_writable_leaves_no_file_whoever_else_checks(tmp_path):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(folders.check_writable, [tmp_path / "new/reports"] * 200))
    assert list((tmp_path / "new/reports/.runs").iterdir()) == []


# Holding a date


def test_a_date_is_held_by_one_and_free_afterwards(tmp_path):
    said = []
    for _ in range(2):
        with folders.hold(tmp_path, DECEMBER, 0, said.append):
            assert folders.holder(tmp_path, DECEMBER)["pid"] == os.getpid()
        assert folders.holder(tmp_path, DECEMBER) is None
    assert said == []


def test_hold_ends_with_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), folders.hold(tmp_path, DECEMBER, 0, print):
        raise ZeroDivisionError
    with folders.hold(tmp_path, DECEMBER, 0, print):
        pass


def test_who_holds_the_date_is_said(tmp_path, other):
    said = []
    with pytest.raises(RunError) as caught, folders.hold(tmp_path, DECEMBER, 0, said.append):
        pass
    assert f"2025-12-31 is held by another run, process {other.pid} on " in str(caught.value)
    assert str(caught.value).endswith("wait for it, or raise run.lock_timeout_seconds")
    assert len(said) == 1
    assert said[0].startswith(f"Waiting for 2025-12-31, held by another run, process {other.pid} on ")


def test_another_date_is_free(tmp_path, other):
    with folders.hold(tmp_path, "2025-11-30", 0, print):
        pass


def test_second_goes_on_when_the_first_has_ended(tmp_path, other):
    said = []

    def waiting(text):
        said.append(text)
        other.stdin.close()

    with folders.hold(tmp_path, DECEMBER, 60, waiting):
        assert folders.holder(tmp_path, DECEMBER)["pid"] == os.getpid()
    assert len(said) == 1


def test_killed_process_does_not_block_and_what_it_left_at_work_can_be_removed(tmp_path, other):
    folder = stage(tmp_path)
    (folder / "work/staged.parquet").write_text("personal")
    other.send_signal(signal.SIGKILL)
    other.wait()
    said = []
    with folders.hold(tmp_path, DECEMBER, 0, said.append):
        kept = folders.stage(tmp_path, DECEMBER, "next")
        folders.discard_work_of_others(tmp_path, kept)
    assert not (folder / "work").exists()
    assert (kept / "work").exists()
    assert said == []
    assert (folder / "run.json").exists()


def test_next_run_of_any_date_removes_the_work_of_killed_runs_and_of_no_other(tmp_path, other):
    left = {}
    for date, status in (("2025-09-30", "running"), ("2025-10-31", "failed"), (DECEMBER, "running")):
        left[date] = folders.stage(tmp_path, date, "x")
        files.write_json(left[date] / "run.json", {"status": status, "run_id": "r1", "started_at": ""})
    begun = folders.stage(tmp_path, "2025-08-31", "without-a-record")
    folders.discard_work_of_others(tmp_path, folders.stage(tmp_path, "2025-11-30", "current"))
    assert {date: (folder / "work").exists() for date, folder in left.items()} == {
        "2025-09-30": False, "2025-10-31": True, DECEMBER: True,
    }  # fmt: skip
    assert (begun / "work").exists()


# JSON


def test_json_is_readable_and_ends_with_a_line(tmp_path):
    files.write_json(tmp_path / "a.json", {"período": "2025", "b": [1, None]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n "período": "2025",\n "b": [\n  1,\n  null\n ]\n}\n'
    )
    assert files.read_json(tmp_path / "a.json") == {"período": "2025", "b": [1, None]}


def test_json_that_cannot_be_written_leaves_the_former_whole(tmp_path):
    files.write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "a.json", {"a": object()})
    assert json.loads((tmp_path / "a.json").read_text()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


# What is at work


def test_a_run_at_work_is_seen_by_others_with_its_phase_and_cell(tmp_path):
    former = folders.stage(tmp_path, DECEMBER, "20251231-0123456789ab")
    former.rename(former.with_name("20250101T000000000000Z_20251231-0123456789ab"))
    with folders.hold(tmp_path, DECEMBER, 0, print):
        (found,) = folders.running(tmp_path)
        assert (found["date"], found["phase"]) == (DECEMBER, None) and found["since"].endswith("Z")
        folder = stage(tmp_path)
        folders.note_progress(folder, "03_calculation", 7, 41)
        (found,) = folders.running(tmp_path)
        assert (found["phase"], found["cell"], found["cells"]) == ("03_calculation", 7, 41)
    assert folders.running(tmp_path) == []


def test_a_killed_run_is_not_at_work(tmp_path, other):
    assert [one["date"] for one in folders.running(tmp_path)] == [DECEMBER]
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert folders.running(tmp_path) == []
