"""Results directories when processes die, race, or find what others left."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from pathlib import Path

import pytest

from hetsim.errors import ResultsError
from hetsim.report.files.directory import check_directory, fresh_directory, recover
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import SCHEMA
from hetsim.report.files.studydir import StudyIdentity, check_study_directory, write_study
from hetsim.report.page.study import Page
from tests.samples_killed import dies_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX locks")


def publish(place: Path, text: str, *, force: bool = False, names: tuple[str, ...] = ("a", "b")):
    with fresh_directory(place, force=force) as draft:
        for name in names:
            (draft / name).write_text(text)
        manifest = {"schema": SCHEMA, "files": sorted(names)}
        (draft / MANIFEST).write_text(json.dumps(manifest))


def content(place: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in place.iterdir() if path.name != MANIFEST}


@pytest.mark.slow
@pytest.mark.parametrize("before", ["nothing", "empty", "results"])
def test_a_process_killed_at_any_step_loses_nothing_and_the_next_tidies_up(tmp_path, before):
    place = tmp_path / "out"
    new, old, mine = dict.fromkeys("ab", "new"), dict.fromkeys("ac", "old"), {"notes": "mine"}
    for step in range(200):
        shutil.rmtree(place, ignore_errors=True)
        allowed: list[dict[str, str] | None] = [None, new]
        if before == "empty":
            place.mkdir()
            allowed = [{}, new]
        elif before == "results":
            publish(place, "old", names=("a", "c"))
            (place / "notes").write_text("mine")
            allowed = [old | mine, new | mine]
        force = before == "results"
        died = dies_at(step, lambda force=force: publish(place, "new", force=force), tmp_path)
        recover(place)
        assert [p.name for p in tmp_path.iterdir()] in ([], ["out"]), f"left over at step {step}"
        found = content(place) if place.exists() else None
        assert found in allowed, f"at step {step}"
        assert (place / MANIFEST).exists() == (found not in (None, {}))
        publish(place, "later", force=True)
        assert content(place) == dict.fromkeys("ab", "later") | (mine if force else {})
        if not died:
            assert found == allowed[-1]
            break
    assert 5 < step < 199


@pytest.mark.slow
def test_the_recovery_of_a_killed_process_may_be_killed_itself(tmp_path):
    place = tmp_path / "out"
    for step in range(8, 200, 2):
        for second in range(0, 100, 2):
            shutil.rmtree(place, ignore_errors=True)
            publish(place, "old", names=("a", "c"))
            (place / "notes").write_text("mine")
            died = dies_at(step, lambda: publish(place, "new", force=True), tmp_path)
            again = dies_at(second, lambda: recover(place), tmp_path)
            recover(place)
            assert content(place) in (
                {"a": "old", "c": "old", "notes": "mine"}, {"a": "new", "b": "new", "notes": "mine"}
            ), (step, second)  # fmt: skip
            assert [p.name for p in tmp_path.iterdir()] == ["out"]
            if not again:
                break
        if not died:
            break


def test_of_two_that_may_not_replace_one_is_refused(tmp_path):
    place, both = tmp_path / "out", threading.Barrier(8)
    done, refused = [], []

    def run(number: int) -> None:
        try:
            with fresh_directory(place) as draft:
                (draft / "a").write_text(f"{number}")
                (draft / MANIFEST).write_text(json.dumps({"schema": SCHEMA, "files": ["a"]}))
                both.wait(30)
            done.append(number)
        except ResultsError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert len(refused) == 7
    assert all("exists and is not empty" in message for message in refused)
    assert content(place) == {"a": f"{done[0]}"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_results_moved_aside_by_a_killed_process_come_back_when_somebody_asks(tmp_path):
    place = tmp_path / "out"
    publish(place, "old")
    place.rename(tmp_path / ".out.old-123456-0123abcd")
    (tmp_path / ".out.partial-123456-0123abcd").mkdir()
    with pytest.raises(ResultsError, match="exists and is not empty"):
        check_directory(place)
    assert content(place) == {"a": "old", "b": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_results_moved_aside_become_visible_when_their_name_is_taken(tmp_path):
    place = tmp_path / "out"
    publish(place, "old")
    place.rename(tmp_path / ".out.old-123456-0123abcd")
    (tmp_path / ".out.partial-123456-0123abcd").mkdir()
    place.mkdir()
    (place / "thesis").write_text("years of work")
    recover(place)
    assert content(place) == {"thesis": "years of work"}
    [other] = [p for p in tmp_path.iterdir() if p != place]
    assert other.name.startswith("out.old-")
    assert content(other) == {"a": "old", "b": "old"}


def test_a_file_of_ones_own_is_never_lost_to_one_of_ours_in_a_recovery(tmp_path):
    place = tmp_path / "out"
    publish(place, "new")
    (place / "notes").write_text("written after the kill")
    old = tmp_path / ".out.old-123456-0123abcd"
    publish(old, "old")
    (old / "notes").write_text("written before")
    recover(place)
    texts = sorted(path.read_text() for path in place.iterdir() if path.name.startswith("notes"))
    assert texts == ["written after the kill", "written before"]
    assert not old.exists()


def test_what_only_looks_like_a_draft_is_left_alone(tmp_path):
    place = tmp_path / "out"
    for name in (".out.partial-mine", ".out.old-1-xyz", ".outer.old-1-0123abcd", "out.old-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("mine")
    before = sorted(p.name for p in tmp_path.iterdir())
    publish(place, "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*before, "out"])


@pytest.mark.slow
def test_a_study_knows_its_directory_again_whatever_its_scenario_is_called(tmp_path):
    identity = StudyIdentity("sweep", "half a \udc80 character", "0")
    for _ in range(2):
        write_study(tmp_path / "out", identity, Page("t", "s", "h", []), {"x.txt": "\udc80"})
    assert check_study_directory(tmp_path / "out", identity)
    assert not check_study_directory(tmp_path / "other", identity)
