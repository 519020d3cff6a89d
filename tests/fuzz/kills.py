"""``python -m tests.fuzz.kills``: kills verbs at any moment and looks at what is left.

Each trial starts a verb in a process of its own, kills it (SIGKILL, sometimes SIGTERM) at a random
moment or while it publishes, and gives the same command again. Then the results must be those of a
run that nobody disturbed; files of the user's must be where they were; nothing hidden may be left;
a store must hold every point once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.targets import timeless
from tests.study.samples import small_scenario

MINE = "written by hand"


@dataclass(frozen=True)
class Verb:
    """A command, what it makes (``out``, and the file in it that tells), and what stands before.

    ``again`` are options for the second time, when the first one came far enough to need them.
    """

    name: str
    command: tuple[str, ...]
    out: str
    tells: str | None = None
    before: tuple[str, ...] | None = None
    again: Callable[[Path], tuple[str, ...]] = field(default=lambda place: ())
    store: str | None = None


def _resume(place: Path) -> tuple[str, ...]:
    return ("--resume",) if (place / "t.json").exists() else ()


RUN = ("run", "small.yaml", "-o", "out", "--quiet")
VARY = ("--vary", "npu.sram=64KiB,128KiB,256KiB,512KiB")
VERBS = (
    Verb("run", RUN, "out", "result.json"),
    Verb("run --force", (*RUN, "--force"), "out", "result.json", RUN),
    Verb("run --workers", (*RUN, "--workers", "2"), "out", "result.json"),
    Verb("report --traces", ("report", "out", "--traces", "all", "--quiet"), "out", "result.json",
         RUN),
    Verb("report", ("report", "out", "--quiet"), "out", "result.json", RUN),
    Verb("sweep", ("sweep", "small.yaml", *VARY, "-o", "out", "--workers", "2", "--quiet",
                   "--store", "s.sqlite"), "out", "sweep.json", store="s.sqlite"),
    Verb("explore", ("explore", "small.yaml", *VARY, "--trials", "4", "-o", "out", "--workers",
                     "1", "--quiet", "--storage", "e.sqlite"), "out", "explore.json"),
    Verb("whatif", ("whatif", "small.yaml", "--only", "npu", "-o", "out", "--workers", "1",
                    "--quiet"), "out", "whatif.json"),
    Verb("tune", ("tune", "small.yaml", "--only", "plans", "--evaluations", "3000", "-o", "out",
                  "--workers", "1", "--state", "t.json", "--quiet"), "out", "tune.json",
         again=_resume),
    Verb("profile", ("profile", "--model", "small.onnx", "--soc", "edge-mcu", "-o", "out"), "out"),
    Verb("plan", ("plan", "make", "--model", "small.onnx", "--soc", "edge-mcu", "--scheduler",
                  "heft", "-o", "out.yaml"), "out.yaml"),
    Verb("plan --force", ("plan", "make", "--model", "small.onnx", "--soc", "edge-mcu",
                          "--scheduler", "heft", "-o", "out.yaml", "--force"), "out.yaml",
         before=("plan", "make", "--model", "small.onnx", "--soc", "edge-mcu", "--scheduler",
                 "npu_only", "-o", "out.yaml")),
)  # fmt: skip


def _start(place: Path, command: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hetsim", *command], cwd=place, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def _whole(place: Path, command: tuple[str, ...]) -> tuple[int, str, float]:
    begun = time.monotonic()
    process = _start(place, command)
    _, err = process.communicate(timeout=600)
    return process.returncode, err, time.monotonic() - begun


def _content(place: Path, verb: Verb) -> object:
    """What the verb made, as far as it must be the same each time."""
    out = place / verb.out
    if out.is_file():
        return out.read_text(encoding="utf-8")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    for name in manifest["files"]:
        assert (out / name).is_file(), f"{name} is listed and not there"
    told = timeless((out / verb.tells).read_text(encoding="utf-8")) if verb.tells else None
    return sorted(manifest["files"]), told


class Harness:
    """A directory with a network for all trials, and what every verb makes undisturbed."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place = place
        self.random = Random(seed)
        self.expected: dict[str, object] = {}
        self.takes: dict[str, float] = {}
        for i, verb in enumerate(VERBS):
            start = self._prepare(i, verb)
            trial = shutil.copytree(start, place / "undisturbed")
            code, err, self.takes[verb.name] = _whole(trial, verb.command)
            assert code == 0, (verb.name, err)
            self.expected[verb.name] = _content(trial, verb)
            shutil.rmtree(trial)

    def _prepare(self, number: int, verb: Verb) -> Path:
        start = self.place / f"start-{number}"
        start.mkdir()
        small_scenario(start)
        if verb.before is not None:
            code, err, _ = _whole(start, verb.before)
            assert code == 0, (verb.name, err)
            if (start / verb.out).is_dir():
                (start / verb.out / "notes.txt").write_text(MINE)
        return start

    def trial(self, number: int) -> tuple[str, str, list[str]]:
        """One kill: the verb, how it was killed, and what is wrong afterwards."""
        i = number % len(VERBS)
        verb = VERBS[i]
        place = self.place / "trial"
        shutil.copytree(self.place / f"start-{i}", place)
        try:
            sent = self._kill(place, verb)
            return verb.name, sent, self._look(place, verb)
        finally:
            shutil.rmtree(place)

    def _kill(self, place: Path, verb: Verb) -> str:
        process = _start(place, verb.command)
        sent = signal.SIGTERM if self.random.random() < 0.2 else signal.SIGKILL
        end = time.monotonic() + self.takes[verb.name] * self.random.uniform(0.1, 1.1)
        if self.random.random() < 0.6:  # while it publishes
            while process.poll() is None and not list(place.glob(".out*")):
                time.sleep(0.001)
            end = time.monotonic() + self.random.uniform(0, 0.3) ** 2
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        if process.poll() is not None:
            process.communicate()
            return "too late"
        # The verb alone, as the system does when memory runs out: workers must end by themselves.
        os.kill(process.pid, sent)
        process.communicate(timeout=120)
        return sent.name

    def _look(self, place: Path, verb: Verb) -> list[str]:
        wrong = []
        code, err, _ = _whole(place, (*verb.command, *verb.again(place)))
        published = code == 2 and "exists" in err and "--force" not in verb.command
        if code != 0 and not published:
            wrong.append(f"lost: the same command again: {code}: {err.strip()}")
        try:
            if _content(place, verb) != self.expected[verb.name]:
                wrong.append("lost: other results than undisturbed")
        except (OSError, ValueError, AssertionError) as error:
            wrong.append(f"lost: {error}")
        notes = place / verb.out / "notes.txt"
        with_notes = verb.before is not None and (place / verb.out).is_dir()
        if with_notes and not (notes.is_file() and notes.read_text() == MINE):
            wrong.append("lost: a file of the user's")
        hidden = [str(p.relative_to(place)) for p in place.rglob(".*")]
        extra = [p.name for p in place.glob("out.*") if p.name != verb.out]
        if hidden or extra:
            wrong.append(f"leftovers: {hidden + extra}")
        if verb.store is not None:
            with sqlite3.connect(place / verb.store) as database:
                count = database.execute("SELECT count(*) FROM outcomes").fetchone()[0]
            if count != 4:
                wrong.append(f"twice: {count} outcomes of 4 points")
        return wrong


def main() -> int:
    """Returns 1 when anything was lost, done twice or left over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how many [20]")
    parser.add_argument("--minutes", type=float, default=600.0, help="how long at most")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    kills: Counter[tuple[str, str]] = Counter()
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="hetsim-kills-") as folder:
        harness = Harness(Path(folder), given.seed)
        done = number = 0
        while done < given.kills and time.monotonic() < until:
            name, sent, found = harness.trial(number)
            number += 1
            done += sent != "too late"
            kills[name, sent] += 1
            for what in found:
                print(f"{name}, {sent}: {what}", flush=True)
                wrong[what.partition(":")[0]] += 1
    print(f"{'verb':<14}{'SIGKILL':>9}{'SIGTERM':>9}{'too late':>10}")
    for verb in VERBS:
        counts = [kills[verb.name, sent] for sent in ("SIGKILL", "SIGTERM", "too late")]
        print(f"{verb.name:<14}{counts[0]:>9}{counts[1]:>9}{counts[2]:>10}")
    found_wrong = ", ".join(f"{wrong[what]} {what}" for what in ("lost", "twice", "leftovers"))
    print(f"{done} kills: {found_wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
