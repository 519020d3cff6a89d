"""Files that appear whole or not at all: with readers, links, devices, rivals and deaths."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from hetsim.drafts import draft_directory, hold, leave, turn, write_file
from tests.samples_killed import dies_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX locks")


def names(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("replace", [True, False])
def test_a_writer_killed_at_any_step_leaves_the_old_or_the_new(tmp_path, replace):
    file = tmp_path / "state.json"
    for step in range(100):
        if replace:
            file.write_text("old")
        else:
            file.unlink(missing_ok=True)
        died = dies_at(step, lambda: write_file(file, "new", replace=replace), tmp_path)
        kept = file.read_text() if file.exists() else None
        assert kept == "new" if not died else kept in ("new", "old" if replace else None)
        write_file(file, "later")
        assert file.read_text() == "later"
        assert names(tmp_path) == ["state.json"], "drafts of the dead are cleared away"
        if not died:
            break
    assert 2 < step < 99


def test_what_is_there_is_not_replaced_unasked(tmp_path):
    file = tmp_path / "plan.yaml"
    file.write_text("mine")
    with pytest.raises(FileExistsError):
        write_file(file, "theirs", replace=False)
    assert file.read_text() == "mine"
    assert names(tmp_path) == ["plan.yaml"]


def test_of_many_writers_who_may_not_replace_exactly_one_wins(tmp_path):
    file = tmp_path / "plan.yaml"
    outcomes = []

    def write(number):
        try:
            write_file(file, f"{number}", replace=False)
            outcomes.append(number)
        except FileExistsError:
            pass

    threads = [threading.Thread(target=write, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [file.read_text()] == [f"{n}" for n in outcomes]
    assert names(tmp_path) == ["plan.yaml"]


def test_a_link_is_followed_and_stays_and_a_device_is_written_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_text("old")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
    (tmp_path / "null").symlink_to("/dev/null")
    write_file(tmp_path / "null", "gone")
    assert not os.path.isfile("/dev/null")


def test_drafts_of_the_living_are_left_alone(tmp_path):
    with draft_directory(tmp_path / "out") as draft:
        (draft / "file").write_text("half")
        write_file(tmp_path / "out", "somebody else's")
        assert (draft / "file").read_text() == "half"
    assert names(tmp_path) == ["out"]


def test_a_lock_keeps_others_out_and_leaves_no_file(tmp_path):
    lock = tmp_path / ".store.lock"
    handle = hold(lock)
    assert handle is not None
    assert hold(lock) is None
    leave(lock, handle)
    assert names(tmp_path) == []
    with turn(tmp_path) as alone:
        assert alone


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "directory"])
def test_a_lock_never_touches_what_stands_in_its_place(tmp_path, kind):
    lock, victim = tmp_path / ".store.lock", tmp_path / "thesis.tex"
    victim.write_text("years of work")
    if kind == "link":
        lock.symlink_to(victim)
    elif kind == "dangling":
        lock.symlink_to(tmp_path / "made by the lock")
    elif kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.mkdir()
    before = names(tmp_path)
    with pytest.raises(OSError):
        hold(lock)
    assert victim.read_text() == "years of work"
    assert names(tmp_path) == before
