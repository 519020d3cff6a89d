"""The store survives whatever happens to the process, and refuses what is not its own."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

import hetsim.version
from hetsim.cli.main import entry
from hetsim.errors import ResultsError
from hetsim.study.axes import parse_axis
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point
from hetsim.study.store import Store
from hetsim.study.sweep.study import sweep
from tests.study.samples import loaded, planned, small_scenario, start, wait_until

POINT = Point("net", "heft", {"npu.sram": "1 MiB"})
DONE = Outcome({"makespan_s": 0.1 + 0.2, "partitions": 2}, utilization={"npu": 1 / 3})


def test_outcomes_come_back_bit_by_bit(tmp_path):
    with Store(tmp_path / "s.sqlite", "x") as store:
        store.put("k", POINT, DONE)
    with Store(tmp_path / "s.sqlite", "x") as store:
        assert store.get("k") == DONE
        assert store.get("other") is None
        assert len(store) == 1


@pytest.mark.slow
def test_a_killed_study_loses_only_what_was_under_way_and_resumes(tmp_path, monkeypatch, capsys):
    scenario = small_scenario(tmp_path)
    arguments = (
        "sweep", scenario.name, "--vary", "npu.sram=64KiB..1MiB:16", "--workers", "1",
        "--scheduler", "slow.py:Slow",
    )  # fmt: skip
    study = start(tmp_path, *arguments)
    wait_until(lambda: len(planned(tmp_path)) >= 5)
    study.send_signal(signal.SIGKILL)
    assert study.wait() == -signal.SIGKILL
    study.communicate()
    begun = planned(tmp_path)
    kept = rows(tmp_path / "results" / "small-sweep.sqlite")
    # One run was under way; everything before it is in the store, whole.
    assert len(begun) - 1 <= len(kept) <= len(begun)
    assert not (tmp_path / "results" / "small-sweep").exists()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANNED", str(tmp_path / "planned.txt"))
    assert entry([*arguments]) == 0
    out, _ = capsys.readouterr()
    assert f"{len(kept)} known already" in out
    ran_now = planned(tmp_path)[len(begun) :]
    assert len(ran_now) == 16 - len(kept)
    assert set(ran_now).isdisjoint(begun[: len(kept)])
    assert len(rows(tmp_path / "results" / "small-sweep.sqlite")) == 16

    # A third time there is nothing to do, and the report is made again without asking.
    assert entry([*arguments]) == 0
    out, _ = capsys.readouterr()
    assert "0 run now" in out
    assert len(planned(tmp_path)) == len(begun) + len(ran_now)
    table = json.loads((tmp_path / "results" / "small-sweep" / "sweep.json").read_text())
    fresh = sweep(loaded(tmp_path), [parse_axis("npu.sram=64KiB..1MiB:16")])
    assert [row["makespan_s"] for row in table["rows"]] == [o.makespan_s for _, o in fresh.rows]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_killed_parents_take_their_workers_along(tmp_path):
    scenario = small_scenario(tmp_path)
    study = start(
        tmp_path, "sweep", scenario.name, "--vary", "npu.sram=64KiB..1MiB:16", "--workers", "2",
        "--scheduler", "slow.py:Slow",
    )  # fmt: skip
    wait_until(lambda: len(planned(tmp_path)) >= 8)
    workers = children(study.pid)
    assert len(workers) >= 2
    study.send_signal(signal.SIGKILL)
    study.wait()
    study.communicate()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 20)
    begun = len(planned(tmp_path))
    # Each of two workers holds two: one under way and one that is queued, or just done and not
    # told yet. Orphans may begin what is queued before they notice. All others are in the store.
    assert len(rows(tmp_path / "results" / "small-sweep.sqlite")) >= begun - 4


def test_a_store_of_another_scenario_or_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "s.sqlite"
    with Store(path, "one") as store:
        store.put("k", POINT, DONE)
    with pytest.raises(ResultsError, match="belongs to scenario 'one'; this is 'two'"):
        Store(path, "two")
    monkeypatch.setattr(hetsim.version, "installed", lambda: "99.0")
    with pytest.raises(ResultsError, match=r"was made by hetsim '.*'; this is '99.0'"):
        Store(path, "one")
    monkeypatch.undo()
    with Store(path, "one") as store:
        assert store.get("k") == DONE


def test_what_is_no_store_is_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("my notes, which are long enough to be read as a header" * 10)
    with pytest.raises(ResultsError, match="not a database"):
        Store(text, "x")
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    before = other.read_bytes()
    with pytest.raises(ResultsError, match="not a hetsim study"):
        Store(other, "x")
    assert other.read_bytes() == before
    assert text.read_text().startswith("my notes")
    with pytest.raises(ResultsError):
        Store(tmp_path, "x")


def test_one_study_at_a_time(tmp_path):
    path = tmp_path / "s.sqlite"
    with Store(path, "x"), pytest.raises(ResultsError, match="in use by another study"):
        Store(path, "x")
    Store(path, "x").close()


def test_a_full_disk_is_told_and_the_store_stays_whole(tmp_path):
    path = tmp_path / "s.sqlite"
    with Store(path, "x") as store:
        store.put("k", POINT, DONE)
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")

        def fill() -> None:
            for i in range(1000):
                store.put(f"k{i}", POINT, DONE)

        with pytest.raises(ResultsError, match="the disk is full") as told:
            fill()
        assert "same command" in str(told.value.hint)
    with Store(path, "x") as store:
        assert store.get("k") == DONE
        assert store._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_directory_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ResultsError, match="Read-only"):
        Store(tmp_path / "deep" / "s.sqlite", "x")


def test_failed_points_are_kept_and_run_again_on_demand(tmp_path):
    scenario = loaded(tmp_path)
    axes = [parse_axis("npu.array.rows=8,0")]
    path = tmp_path / "s.sqlite"
    first = sweep(scenario, axes, store=path)
    assert [o.error is None for _, o in first.rows] == [True, False]
    assert "npu.array" in str(first.failed[0][1].error)
    assert sweep(scenario, axes, store=path).reused == 2
    assert sweep(scenario, axes, store=path, retry_failed=True).reused == 1


def test_a_store_can_be_moved(tmp_path):
    scenario = loaded(tmp_path)
    axes = [parse_axis("npu.sram=128KiB,256KiB")]
    sweep(scenario, axes, store=tmp_path / "s.sqlite")
    shutil.move(tmp_path / "s.sqlite", tmp_path / "t.sqlite")
    assert sweep(scenario, axes, store=tmp_path / "t.sqlite").reused == 2


def rows(path: Path) -> list[Outcome]:
    """Outcomes in a store, read as another program would."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = [
        Outcome.from_json(text) for (text,) in database.execute("SELECT outcome FROM outcomes")
    ]
    database.close()
    return found


def children(pid: int) -> list[int]:
    """Processes whose parent is ``pid``."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == pid:
                found.append(int(place.name))
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX locks")
@pytest.mark.parametrize("target", ["thesis.tex", "not there"])
def test_the_lock_of_a_store_follows_no_link(tmp_path, target):
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / ".s.sqlite.lock").symlink_to(tmp_path / target)
    with pytest.raises(ResultsError, match=r"\.s\.sqlite\.lock"):
        Store(tmp_path / "s.sqlite", "small")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert not (tmp_path / "not there").exists()
