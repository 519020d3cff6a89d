"""What every check of fidelity owes: rows that can be compared, the same again, an origin."""

from __future__ import annotations

import math
from collections import Counter
from typing import ClassVar

from hetsim.testing.kit import Kit
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.registry import checks
from hetsim.validate.run import CheckBench, Job
from hetsim.validate.tables import Tables, sources


class CheckKit(Kit):
    """Checks one by its ``name`` in the registry; it runs twice, with :attr:`tables`."""

    name: ClassVar[str]
    tables: ClassVar[Tables] = Tables()

    @property
    def check_class(self) -> type[Check]:
        """What the name means."""
        return checks()[self.name]

    def run(self) -> list[Row]:
        """The rows of all parts, as ``hetsim validate`` gets them."""
        setting = Setting(self.tables)
        bench = CheckBench(setting)
        found: list[Row] = []
        for part in self.check_class().parts(setting):
            answer = bench.evaluate(Job(self.name, part))
            assert not answer.reason, f"part {part!r} has no rows: {answer.reason}"
            found += answer.rows
        return found

    @property
    def rows(self) -> list[Row]:
        """Those of the first run, which all tests look at."""
        kit = type(self)
        if "_first" not in vars(kit):
            kit._first = self.run()
        return kit._first

    _first: ClassVar[list[Row]]

    def test_it_tells_what_it_compares(self) -> None:
        check = self.check_class
        for told in (check.title, check.compared, check.kind, check.unit, check.grouped):
            assert told, "title, compared, kind, unit and grouped are words"

    def test_it_tells_where_the_reference_is_from(self) -> None:
        check = self.check_class
        assert check.tables or check.source, "neither a table nor a source"
        unknown = set(check.tables) - set(sources())
        assert not unknown, f"hetsim has no tables {sorted(unknown)}: tell the source in 'source'"

    def test_it_compares_values_that_have_a_ratio(self) -> None:
        assert self.rows, "it has no rows"
        for row in self.rows:
            for value in (row.reference, row.simulated):
                assert 0.0 < value < math.inf, f"no positive number: {row}"

    def test_each_row_can_be_told_from_the_others(self) -> None:
        names = Counter((row.group, row.name) for row in self.rows)
        twice = [name for name, count in names.items() if count > 1]
        assert not twice, f"several rows of one group are called {twice[:3]}"

    def test_ranges_have_two_ends_in_order(self) -> None:
        for row in self.rows:
            assert (row.low is None) == (row.high is None), f"half a range: {row}"
            assert row.low is None or row.high is None or row.low <= row.high, f"{row}"

    def test_the_same_tables_give_the_same_rows(self) -> None:
        assert self.run() == self.rows, "two runs differ"
