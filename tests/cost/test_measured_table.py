"""Repeated measurements of one operator become one entry: medians, doubts, how sure they are."""

from __future__ import annotations

import math

import pytest

from hetsim.cost.measured.table import CANNOT_RUN, Doubt, Entry, merge
from hetsim.errors import Location
from tests.cost.samples import table

KEY = "Relu[1x8>1x8] float32"


def entries(*seconds: float | None) -> list[Entry]:
    return [Entry(KEY, s, where=Location("p", line)) for line, s in enumerate(seconds, start=7)]


def test_one_entry_is_taken_as_it_is() -> None:
    (entry,) = entries(1.0)
    assert merge([entry]) == (entry, [])
    assert entry == Entry(KEY, 1.0)  # wherever it stands


def test_medians_of_what_ran_the_largest_spread_and_all_samples() -> None:
    found, doubts = merge([
        Entry(KEY, 1e-3, 2e-4, 2, ("a",)),
        Entry(KEY, math.inf, None, 3, ("b", "a")),
        Entry(KEY, 3e-3, 1e-4, 4, ("c",)),
        Entry(KEY, None, None, 8, (), None, 5e-3),
    ])  # fmt: skip
    # Samples are those of times; the transfer was measured apart.
    assert found == Entry(KEY, 2e-3, 2e-4, 9, ("a", "b", "c"), None, 5e-3)
    assert [str(doubt) for doubt in doubts] == [
        f"3 measurements of {KEY} disagree (cannot run in 1 of them); the median 2000 us is used"
    ]


def test_samples_of_transfers_count_where_no_time_was_measured() -> None:
    found, doubts = merge([
        Entry(KEY, None, samples=2, transfer_s=1.0), Entry(KEY, None, samples=3, transfer_s=1.0)
    ])  # fmt: skip
    assert (found.seconds, found.transfer_s, found.samples, doubts) == (None, 1.0, 5, [])


@pytest.mark.parametrize(
    ("seconds", "agree"), [((95.0, 100.0, 105.0), True), ((94.9, 100.0, 105.0), False)]
)
def test_repeats_agree_within_a_twentieth_of_their_median(
    seconds: tuple[float, ...], agree: bool
) -> None:
    assert (merge(entries(*seconds))[1] == []) is agree


def test_what_never_runs_is_no_disagreement() -> None:
    found, doubts = merge(entries(math.inf, math.inf))
    assert (found.seconds, doubts) == (CANNOT_RUN, [])


def test_a_doubt_names_the_first_five_places() -> None:
    _, (doubt,) = merge(entries(1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6))
    assert doubt == Doubt(
        "repeats disagree",
        f"6 measurements of {KEY} disagree (from 1 to 6 us; line 7, line 8, line 9, line 10,"
        " line 11); the median 3.5 us is used",
        Location("p", 7),
    )
    assert str(doubt).startswith("p:7: 6 measurements")
    assert doubt.where == Location("p", 7)  # the first of them


def test_a_spread_comes_from_quartiles_else_from_how_far_repeats_agree() -> None:
    """Quartiles of a normal distribution are 0.6745 standard deviations from its middle."""
    found = table([
        Entry("a", 2.0, 0.1), Entry("b", 2.0), Entry("c", math.inf, 0.1), Entry("d", None, 0.1)
    ])  # fmt: skip
    assert found.spread("a") == pytest.approx(0.05 / 0.6745)
    assert [found.spread(key) for key in "bcd"] == [0.05] * 3
    assert [found.time(key) for key in ("a", "c", "d", "e")] == [2.0, math.inf, None, None]
    assert len(found) == 4
