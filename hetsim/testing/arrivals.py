"""What every arrival process owes: times in order, at its rate, no closer than it says, alike."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from itertools import islice, pairwise
from typing import ClassVar

import numpy as np

from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.registry import arrival_kinds
from hetsim.testing.kit import Kit


class ArrivalsKit(Kit):
    """Checks one process whose arrivals come by themselves, not from the ends of others.

    Set ``entry`` to what a scenario says under ``arrivals``, its ``kind`` included.
    """

    entry: ClassVar[Mapping[str, object]]
    count: ClassVar[int] = 4000
    """How many arrivals are looked at, if there are so many."""

    deviations: ClassVar[float] = 6.0
    """Standard errors by which the rate of what arrives may miss the stated one."""

    def make(self) -> Arrivals:
        """The process, as a scenario file makes it."""
        return arrival_kinds()[str(self.entry["kind"])].model_validate(dict(self.entry))

    def times(self, seed: int = 1) -> list[float]:
        """What arrives with the draws of ``seed``, seconds."""
        return list(islice(self.make().times(np.random.default_rng(seed)), self.count))

    def test_times_are_numbers_in_order(self) -> None:
        found = self.times()
        assert found, f"{self.entry} brings nothing"
        for before, after in pairwise([0.0, *found]):
            assert math.isfinite(after), f"{self.entry} brings an arrival at {after}"
            assert after >= before, f"{self.entry} brings an arrival at {after} after {before}"

    def test_the_same_draws_give_the_same_times(self) -> None:
        first, again = self.times(), self.times()
        assert first == again, f"{self.entry} draws from elsewhere than what it is handed"

    def test_nothing_is_drawn_ahead_of_its_time(self) -> None:
        """It may be endless: one arrival is asked for after the other."""
        process, random = self.make(), np.random.default_rng(1)
        assert list(islice(process.times(random), 3)) == self.times()[:3]

    def test_it_brings_what_it_says_in_the_long_run(self) -> None:
        rate, found = self.make().rate, self.times()
        assert rate is not None, f"{self.entry} comes by itself, and states no rate"
        if len(found) < 2:
            return
        gaps = np.diff(found)
        # Gaps may hang together: their error is that of the means of twenty stretches.
        stretches = np.array([part.mean() for part in np.array_split(gaps, min(20, len(gaps)))])
        error = stretches.std(ddof=1) / math.sqrt(len(stretches)) if len(stretches) > 1 else 0.0
        miss = abs(gaps.mean() - 1.0 / rate)
        allowed = self.deviations * error + 1.0 / rate / len(gaps) + 1e-9
        assert miss <= allowed, (
            f"{self.entry} says {rate:g} arrivals a second, and {1.0 / gaps.mean():g} come"
        )

    def test_no_arrivals_are_closer_than_it_says(self) -> None:
        """Proofs of response times rest on it."""
        process, found = self.make(), np.array(self.times())
        for count in (1, 2, 3, 7, 50):
            if count >= len(found):
                break
            nearest = float((found[count:] - found[:-count]).min())
            stated = process.separation_s(count)
            assert stated <= nearest * (1.0 + 1e-9) + 1e-12, (
                f"{self.entry}: {count + 1} arrivals span {nearest} s, and {stated} s is the least"
                " that it says"
            )

    def test_it_goes_to_other_processes(self) -> None:
        made = self.make()
        assert pickle.loads(pickle.dumps(made)) == made, f"{self.entry} does not survive pickling"
