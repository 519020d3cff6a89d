"""Every built-in process passes the kit of arrivals, and the kit catches broken ones."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import pytest

from hetsim.streams.arrivals.base import Arrivals
from hetsim.testing import ArrivalsKit

OPEN = [
    {"kind": "periodic", "period": "30 Hz", "jitter": "10 ms", "offset": "5 ms"},
    {"kind": "poisson", "period": "20 ms"},
    {"kind": "bursts", "period": "100 ms", "size": 4, "gap": "5 ms"},
    {"kind": "bursts", "period": "100 ms", "size": 4, "gap": "5 ms", "between": "exponential"},
    {"kind": "on_off", "period": "1 ms", "active": "20 ms", "silent": "60 ms"},
]


@pytest.mark.parametrize("entry", OPEN, ids=lambda entry: f"{entry['kind']}-{len(entry)}")
def test_built_in_processes_keep_what_they_owe(entry):
    ArrivalsKit.of(entry=entry).check()


class Sound(Arrivals):
    kind: Literal["broken"] = "broken"

    def times(self, random):
        return (0.1 * k for k in itertools.count())

    @property
    def rate(self):
        return 10.0

    def separation_s(self, count):
        return 0.1 * count


class Backwards(Sound):
    def times(self, random):
        return (1.0 - 0.1 * k if k < 5 else 0.1 * k for k in itertools.count())


class Slow(Sound):
    def times(self, random):
        return (0.2 * k for k in itertools.count())


class Crowded(Sound):
    def times(self, random):
        return itertools.chain.from_iterable((0.2 * k, 0.2 * k) for k in itertools.count())


class Elsewhere(Sound):
    def times(self, random):
        own = np.random.default_rng()
        return iter(np.cumsum(own.exponential(0.1, 5000)))

    def separation_s(self, count):
        return 0.0


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (Backwards, "after 1.0"),
        (Slow, "says 10 arrivals a second, and 5 come"),
        (Crowded, "is the least that it says"),
        (Elsewhere, "draws from elsewhere"),
    ],
)
def test_a_broken_process_is_caught(broken, complaint):
    def kit(process):
        found = ArrivalsKit.of(entry={"kind": "broken"}, make=lambda self: process())
        found.test_it_goes_to_other_processes = lambda self: None  # a class of a test does not
        return found

    kit(Sound).check()
    with pytest.raises(AssertionError, match=complaint):
        kit(broken).check()
