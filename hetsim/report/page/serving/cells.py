"""Inferences in few bytes, for a timeline that hides no spike.

A *cell* is one inference, or, where a page would be too large, several that arrived one after the
other: then it has the least and the greatest of their latencies. Whatever is drawn of cells is
drawn from the least to the greatest, so the longest latency of a run is always to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from hetsim.analysis.serving.result import ServedRun
from hetsim.numeric import Floats
from hetsim.report.page.serving.units import units_of
from hetsim.sim.serving.served import DONE, Ledger
from hetsim.soc.model import SoC
from hetsim.streams.service import Stream

BEST, OTHERS = 100_000, 50_000
"""Cells of the best run of a page, and of all others; each takes some 16 bytes."""

Json = dict[str, object]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """The inferences of a stream in order of arrival; seconds, shape (n,) each.

    ``latency`` of what did not end is how long it was there until it was given up, or the
    simulation stopped; ``ended`` tells the two apart. ``late`` is what ended after its deadline.
    """

    arrival: Floats
    wait: Floats
    latency: Floats
    ended: Flags
    late: Flags

    @classmethod
    def of(cls, ledger: Ledger) -> Rows:
        """From a ledger, in which they stand in order of their ends."""
        order = np.argsort(ledger.arrival, kind="stable")
        arrival, start, finish = (c[order] for c in (ledger.arrival, ledger.start, ledger.finish))
        ended = ledger.status[order] == DONE
        late = ended & (finish > ledger.deadline[order])
        return cls(arrival, start - arrival, finish - arrival, ended, late)

    def __len__(self) -> int:
        return len(self.arrival)


def cells_of(rows: Rows, most: int, grid_s: float) -> Json:
    """At most ``most`` cells of ``rows``, whole multiples of ``grid_s``.

    ``at`` are steps from one (first) arrival to the next, ``high`` and ``low`` latencies, ``wait``
    what of the longest one was waiting; ``lost`` and ``late`` are the positions of cells in which
    one did not end, or ended late. ``each`` is how many inferences a cell stands for; the last one
    may have fewer. Where it is one there is no ``low``.
    """
    each = max(1, ceil(len(rows) / max(most, 1)))
    firsts = np.arange(0, len(rows), each)

    def whole(values: Floats) -> list[int]:
        found: list[int] = np.rint(values / grid_s).astype(np.int64).tolist()
        return found

    def where(flags: Flags) -> list[int]:
        found: list[int] = np.unique(np.flatnonzero(flags) // each).tolist()
        return found

    at = np.rint(rows.arrival[firsts] / grid_s).astype(np.int64)
    steps: list[int] = np.diff(at, prepend=0).tolist()
    cells: Json = {
        "each": each, "count": len(rows), "at": steps, "lost": where(~rows.ended),
        "late": where(rows.late),
    }  # fmt: skip
    if each == 1:
        return cells | {"high": whole(rows.latency), "wait": whole(rows.wait)}
    longest = [
        first + int(np.argmax(rows.latency[first : first + each])) for first in firsts.tolist()
    ]
    return cells | {
        "high": whole(rows.latency[longest]),
        "low": whole(np.minimum.reduceat(rows.latency, firsts)),
        "wait": whole(rows.wait[longest]),
    }


def timelines_of(runs: Sequence[ServedRun | None], best: int, soc: SoC) -> Json:
    """What the script of the page reads: the streams of each run; ``None`` is a run not shown.

    The run at position ``best`` has room of its own, the others share theirs.
    """
    sizes = [
        0 if run is None or run.served is None else sum(map(len, run.served.ledgers.values()))
        for run in runs
    ]
    others = sum(size for i, size in enumerate(sizes) if i != best)
    told: list[Json | None] = []
    for i, run in enumerate(runs):
        if run is None or run.served is None:
            told.append(None)
            continue
        share = BEST / max(sizes[i], 1) if i == best else OTHERS / max(others, 1)
        rows = [Rows.of(run.served.ledgers[found.stream.name]) for found in run.streams]
        lengths = np.concatenate([own.latency for own in rows]) if rows else np.zeros(0)
        grid = grid_of(lengths)
        streams = [
            {
                "name": found.stream.name,
                "deadline": _deadline(found.stream),
                "due": found.stream.deadline_s < inf,
                "bound": found.metrics.get("response_bound_s"),
                **cells_of(own, ceil(min(share, 1.0) * len(own)), grid),
            }
            for found, own in zip(run.streams, rows, strict=True)
        ]
        told.append(
            {"label": run.label, "grid": grid, "end": run.served.end_s, "warm_up": run.warm_up_s,
             "streams": streams, "units": units_of(run, soc)}
        )  # fmt: skip
    return {"runs": told, "best": best}


def grid_of(latencies: Floats) -> float:
    """A power of ten of seconds, in which a median latency has four digits."""
    positive = latencies[latencies > 0.0]
    middle = float(np.median(positive)) if len(positive) else 1e-3
    return float(10.0 ** (np.floor(np.log10(middle)) - 3))


def _deadline(stream: Stream) -> float | None:
    """Seconds after the arrival; none where it counts from a release, which may be earlier."""
    known = stream.deadline_s < inf and stream.deadline_from == "arrival"
    return stream.deadline_s if known else None
