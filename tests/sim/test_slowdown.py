"""The table of speeds kept: its points, between them, and outside."""

from __future__ import annotations

import pytest

from hetsim.sim.network.slowdown import slowdown_curve
from hetsim.soc.pu import Slowdown

KEPT = slowdown_curve(
    Slowdown.model_validate(
        {
            "own": ["1 GB/s", "3 GB/s", "7 GB/s"],
            "external": ["2 GB/s", "4 GB/s", "8 GB/s"],
            "kept": [[0.9, 0.7, 0.5], [0.8, 0.4, 0.3], [0.6, 0.3, 0.1]],
        }
    )
)


@pytest.mark.parametrize(
    ("own", "external", "share"),
    [
        (1, 2, 0.9), (1, 4, 0.7), (3, 2, 0.8), (3, 4, 0.4),  # the points
        (1, 3, 0.8), (2, 2, 0.85), (2, 3, 0.7), (1.5, 2.5, 0.8125),  # between them
        (5, 4, 0.35), (3, 6, 0.35), (5, 6, 0.275), (1, 6, 0.6),
        (0.1, 2, 0.9), (9, 9, 0.1), (1, 0.1, 0.9),  # outside: constant
        (1, 0, 1.0), (9, 0, 1.0),  # nobody else: no loss
        (1, 1e-9, 0.9),  # a byte a second is somebody
    ],
)  # fmt: skip
def test_by_hand(own: float, external: float, share: float) -> None:
    assert KEPT(own * 1e9, external * 1e9) == pytest.approx(share)
