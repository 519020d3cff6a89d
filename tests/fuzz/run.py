"""The fuzzer: inputs by number, each run in this process, its ending and result held to the rules.

Input ``n`` of seed ``s`` is always the same. What breaks a rule is kept in a directory of failures
with the number that makes it again.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

from tests.fuzz.targets import TARGETS, Answer, Target, make_corpus

CPU_S = 20.0
"""Processor time that one input may take; the slowest honest one takes about one."""

MEMORY = 6 * 2**30
"""Address space of the process, so that a bomb is a failure and not the end of the machine."""

MOST_SAID = 6_000
"""Characters of a message: message and hint are cut at 2,000 each."""


class TooSlow(BaseException):
    """An input took more than :data:`CPU_S`."""


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    inputs: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


class Fuzzer:
    """A corpus in a directory of its own, and the answers to its good files."""

    def __init__(self, place: Path, failures: Path | None = None) -> None:
        self.place = place
        self.failures = failures
        make_corpus(place)
        self.good: dict[int, Answer] = {}
        self.tallies: dict[str, Tally] = {}
        self._weights = [target.weight for target in TARGETS]
        with contextlib.chdir(place):
            for i, target in enumerate(TARGETS):
                path = self._path(target)
                with self._kept(path):
                    self.good[i] = target.command(self._shown(target))
                self._clean()
                assert self.good[i].code == 0, (target.kind, self.good[i].err)

    def _path(self, target: Target) -> Path:
        return self.place / target.file

    def _shown(self, target: Target) -> Path:
        return Path(target.file)

    def input(self, seed: int, number: int) -> tuple[int, bytes]:
        """The target of an input, by position, and the damaged content."""
        random = Random(f"{seed}:{number}")
        [i] = random.choices(range(len(TARGETS)), self._weights)
        target = TARGETS[i]
        content = random.choice(target.mutators)(random, self._path(target).read_bytes())
        return i, content

    def try_one(self, seed: int, number: int) -> str | None:
        """Runs one input; the reason when it breaks a rule."""
        i, content = self.input(seed, number)
        reason, answer, seconds = self.run(i, content)
        target = TARGETS[i]
        tally = self.tallies.setdefault(target.kind, Tally())
        tally.inputs += 1
        tally.codes[answer.code] += 1
        tally.slowest_s = max(tally.slowest_s, seconds)
        if reason is not None:
            tally.failures.append(f"{seed}:{number}: {reason}")
            if self.failures is not None:
                self.failures.mkdir(parents=True, exist_ok=True)
                stem = f"{target.kind.replace(' ', '-')}-{seed}-{number}"
                (self.failures / f"{stem}{Path(target.file).suffix}").write_bytes(content)
                (self.failures / f"{stem}.txt").write_text(f"{reason}\n{answer.err}", "utf-8")
        return reason

    def run(self, i: int, content: bytes) -> tuple[str | None, Answer, float]:
        """The reason why ``content`` breaks a rule, how it ended, and processor seconds."""
        target, path = TARGETS[i], self._path(TARGETS[i])
        with contextlib.chdir(self.place), self._kept(path):
            path.write_bytes(content)
            begun = time.process_time()
            answer = Answer(-1, "", "")
            try:
                with _limited():
                    answer = target.command(self._shown(target))
                reason = _ending(
                    answer, path.name if path.parent == self.place else path.parent.name
                )
                if answer.code == 0:
                    target.judge(answer, self.good[i])
            except TooSlow:
                reason = f"it took more than {CPU_S:g} s"
            except AssertionError as error:
                reason = f"exit code 0, and {error}"
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                reason = f"{type(error).__name__} escaped"
                answer = Answer(-1, "", traceback.format_exc())
            seconds = time.process_time() - begun
        with contextlib.chdir(self.place):
            self._clean()
        return reason, answer, seconds

    @contextlib.contextmanager
    def _kept(self, path: Path) -> Iterator[None]:
        good = path.read_bytes()
        try:
            yield
        finally:
            path.write_bytes(good)

    def _clean(self) -> None:
        for name in ("again", "out-sweep", "out-tune", "out-explore", "results"):
            shutil.rmtree(name, ignore_errors=True)


def _ending(answer: Answer, name: str) -> str | None:
    if answer.code == 1:
        last = [line for line in answer.err.splitlines() if line.strip()]
        return f"traceback: {last[-2] if len(last) > 1 else last}"
    if answer.code not in (0, 2):
        return f"exit code {answer.code}"
    if "Traceback" in answer.err:
        return "a traceback on the terminal"
    if answer.code == 2 and not answer.err.startswith("error: "):
        return f"no message: {answer.err[:100]!r}"
    if len(answer.err) > MOST_SAID:
        return f"a message of {len(answer.err)} characters"
    # A failed row names its network; a path that was put into the file is a place as well.
    named = any(place in answer.err for place in (name, "rows failed", "/dev/zero"))
    return None if answer.code == 0 or named else f"a message without a place: {answer.err[:100]!r}"


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def fuzz(
    seed: int, first: int, count: int, until: float, failures: Path | None
) -> dict[str, Tally]:
    """Runs inputs ``first`` to ``first + count`` of ``seed``, or as many as the time allows."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory(prefix="hetsim-fuzz-") as folder:
        fuzzer = Fuzzer(Path(folder), failures)
        for number in range(first, first + count):
            if time.monotonic() > until:
                break
            reason = fuzzer.try_one(seed, number)
            if reason is not None:
                print(f"{seed}:{number}: {reason}", flush=True)
        return fuzzer.tallies
