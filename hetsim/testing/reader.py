"""What every reader of foreign profiles owes: what a file says arrives, and faults have a place."""

from __future__ import annotations

import math
import tempfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from hetsim.cost.measured.files import dump_profile, parse_profile
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.cost.measured.table import ProfileTable
from hetsim.errors import ConfigError
from hetsim.testing.kit import Kit
from hetsim.workload.graph import Graph, Operator
from hetsim.workload.zoo import load_model

JUNK: Mapping[str, bytes] = {
    "empty": b"",
    "blank": b"\n \n",
    "another format": b"\x89PNG\r\n\x1a\n\x00\x00",
    "no text": bytes(range(256)),
    "unbalanced": b'{"a": [1, 2',
    "a list": b"[]\n",
    "a number": b"7\n",
}


class ReaderKit(Kit):
    """Checks one reader: override :meth:`write`, and :meth:`read` or ``form``.

    ``form`` is the format's name in :mod:`hetsim.cost.measured.readers.registry`; a reader that is
    not there is called by :meth:`read`. ``model`` is the network the kit asks about.
    """

    form: ClassVar[str]
    file: ClassVar[str] = "profile.txt"
    model: ClassVar[str] = "squeezenet"
    precision: ClassVar[float] = 1e-6
    """Relative error that times may have after a round trip (a format may count whole µs)."""

    tells: ClassVar[Sequence[str] | None] = None
    """Kinds of operators the format can speak of; ``None`` when it is all."""

    @abstractmethod
    def write(self, graph: Graph, times: Mapping[str, float]) -> str:
        """A file of this format that gives these seconds by operator name."""

    def read(self, request: Request) -> list[ProfileTable]:
        """The tables of a request."""
        return import_profiles(self.form, request)

    @cached_property
    def graph(self) -> Graph:
        """The network the kit asks about."""
        return load_model(self.model)

    @property
    def spoken_of(self) -> list[Operator]:
        """The operators that the format can tell."""
        return [op for op in self.graph.operators if self.tells is None or op.kind in self.tells]

    def times(self) -> dict[str, float]:
        """Seconds by operator name; operators that a profile cannot tell apart take the same."""
        distinct: dict[str, float] = {}
        for op in self.spoken_of:
            distinct.setdefault(operator_key(self.graph, op), 1e-5 * (len(distinct) + 1))
        return {op.name: distinct[operator_key(self.graph, op)] for op in self.spoken_of}

    def test_what_was_written_arrives(self) -> None:
        times = self.times()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            path.write_text(self.write(self.graph, times), encoding="utf-8")
            request = Request((path,), (self.graph,))
            tables = self.read(request)
            again = self.read(request)
        assert len(tables) == 1, f"{len(tables)} tables of a file that speaks of one device"
        [table] = tables
        assert again == tables, "the same file read twice gives two answers"
        for op in self.spoken_of:
            key = operator_key(self.graph, op)
            assert key in table.entries, f"nothing arrived of {op.name} ({key})"
            found = table.time(key)
            assert found is not None, f"{op.name}: {times[op.name]} s became no time"
            assert math.isclose(found, times[op.name], rel_tol=self.precision), (
                f"{op.name}: {times[op.name]} s became {found} s"
            )
        self._check_sound(table)

    def test_the_device_can_be_named_by_the_user(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            path.write_text(self.write(self.graph, self.times()), encoding="utf-8")
            for table in self.read(Request((path,), (self.graph,), device="my board")):
                told = f"the user says 'my board', the table {table.device!r}"
                assert table.device == "my board", told

    def test_it_becomes_a_profile_of_our_own_and_comes_back(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.file)
            path.write_text(self.write(self.graph, self.times()), encoding="utf-8")
            for table in self.read(Request((path,), (self.graph,))):
                again = parse_profile(dump_profile(table), "again.yaml")
                assert again.scope == table.scope, f"scope {table.scope} became {again.scope}"
                lost = table.entries.keys() ^ again.entries.keys()
                assert not lost, f"entries that do not survive: {sorted(lost)}"

    def test_a_missing_file_is_told_by_name(self) -> None:
        self._refused(Path("no-such-file"), "no-such-file")

    def test_junk_is_an_error_that_names_the_file(self) -> None:
        for what, content in JUNK.items():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, self.file)
                path.write_bytes(content)
                self._refused(path, self.file, f"{what}: ")

    def test_a_file_that_ends_early_is_read_or_refused_with_its_name(self) -> None:
        text = self.write(self.graph, self.times())
        for tenth in range(1, 10):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, self.file)
                path.write_text(text[: len(text) * tenth // 10], encoding="utf-8")
                try:
                    tables = self.read(Request((path,), (self.graph,)))
                except ConfigError as error:
                    assert self.file in str(error), f"which file? {error}"  # noqa: PT017
                    continue
                for table in tables:
                    self._check_sound(table)

    def _refused(self, path: Path, name: str, told: str = "") -> None:
        try:
            tables = self.read(Request((path,), (self.graph,)))
        except ConfigError as error:
            assert name in str(error), f"{told}which file? {error}"  # noqa: PT017
            return
        raise AssertionError(f"{told}{len(tables)} tables came out of it")

    def _check_sound(self, table: ProfileTable) -> None:
        assert table.entries, "a table without a time"
        for key, entry in table.entries.items():
            assert entry.key == key, f"{entry.key} stands under {key}"
            assert entry.seconds is None or entry.seconds > 0, f"{key} takes {entry.seconds} s"
            copied = entry.transfer_s
            assert copied is None or 0 <= copied < math.inf, f"{key}: inputs take {copied} s"
            assert (entry.seconds, copied) != (None, None), f"{key} says nothing"
            assert entry.spread_s is None or entry.spread_s >= 0, f"{key}: {entry.spread_s} s"
        assert all(str(doubt) for doubt in table.doubts), "a doubt that says nothing"
