"""What is kept of streams: columns of numbers, and results that can be shown."""

from __future__ import annotations

from math import inf

import numpy as np

from hetsim.sim.serving.served import DONE, DROPPED, OPEN, Ledger
from tests.sim.samples import NPU, lower, make_graph, make_soc
from tests.sim.serving.samples import chain, served, stream


def test_a_ledger_gives_back_what_it_took_in_the_order_of_the_ends() -> None:
    ledger = Ledger()
    assert (len(ledger), ledger.count(), ledger.status.tolist()) == (0, 0, [])
    ledger.add(1, 0.25, 0.5, 1.0)
    ledger.add(0, 0.125, 2.0, 2.0, DROPPED, 1.5)
    ledger.add(2, 0.75, 1.5, 3.0, OPEN, deadline=4.0)
    ledger.add(2**40, 0.875, 3.0, 3.5)
    assert len(ledger) == 4
    assert [ledger.count(), ledger.count(DROPPED), ledger.count(OPEN)] == [2, 1, 1]
    assert ledger.number.tolist() == [1, 0, 2, 2**40]
    assert ledger.arrival.tolist() == [0.25, 0.125, 0.75, 0.875]
    assert ledger.start.tolist() == [0.5, 2.0, 1.5, 3.0]
    assert ledger.finish.tolist() == [1.0, 2.0, 3.0, 3.5]
    assert ledger.deadline.tolist() == [inf, 1.5, 4.0, inf]
    assert ledger.status.tolist() == [DONE, DROPPED, OPEN, DONE]
    assert (ledger.number.dtype, ledger.status.dtype) == (np.int64, np.int8)


def test_what_was_served_is_shown_in_a_few_words_and_totals_are_those_of_its_trace() -> None:
    found = served(
        stream("s", "periodic", period="5 ms", count=5), programs={"s": chain(1, 1)}, trace=True
    )
    assert len(found.trace.spans) == 10
    shown = repr(found)
    assert "ledgers" in shown
    assert "ByStream" not in shown
    assert "Span" not in shown
    assert found.unit_busy_s == found.trace.pu_busy_s
    assert found.links == found.trace.links
    assert (found.stopped, found.windows) == ("", ())
    assert found.trace.rates == []  # of links that grows with the run
    late = stream("s", "periodic", period="5 ms", offset="2 s")
    nothing = served(late, programs={"s": chain(1)}, duration_s=1.0)
    assert (len(nothing.ledgers["s"]), nothing.trace.makespan_s) == (0, 0.0)
    untold = served(stream("s", "periodic", period="5 ms", count=5), programs={"s": chain(1, 1)})
    assert (untold.trace.spans, untold.trace.tasks) == ([], [])  # which would grow with the run


def test_what_nobody_says_is_the_first_seed_on_links_that_are_shared() -> None:
    soc = make_soc({"npu": NPU})  # one memory, 1 GB/s, of which each asks for nearly all
    graph = make_graph(("a", ["x"], 2.0))
    units = {"s": "cpu", "t": "npu"}
    programs = {name: lower(graph, soc, [(unit, "a")]) for name, unit in units.items()}
    streams = [stream(name, "poisson", period="4 ms", count=6) for name in programs]
    plain, said, other, alone = (
        [found.ledgers[name].finish.tolist() for name in programs]
        for found in (
            served(*streams, programs=programs, soc=soc, **options)
            for options in (
                {}, {"seed": 0, "contention": True, "fidelity": "fluid"}, {"seed": 1},
                {"contention": False},
            )
        )
    )  # fmt: skip
    assert plain == said
    assert other != plain
    assert sum(map(sum, alone)) < sum(map(sum, plain))
