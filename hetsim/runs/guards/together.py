"""Whether a SoC can serve streams at all: room for all of their networks, time for all that comes.

What is certainly impossible is refused; what is asked for in vain is told, and simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from math import inf

from hetsim.analysis.serving.result import ServedRun
from hetsim.errors import InfeasibleError
from hetsim.runs.guards.memory import capacity_bytes
from hetsim.soc.model import SoC
from hetsim.streams.service import Service, Stream
from hetsim.units import format_quantity
from hetsim.workload.footprint import live_bytes, weight_bytes
from hetsim.workload.graph import DTYPE_BYTES, Graph


def check_together(service: Service, graphs: Mapping[str, Graph], soc: SoC) -> None:
    """Raises ``InfeasibleError`` at a stream whose network does not fit beside the others.

    ``graphs`` by the label of the model. Of the streams that are on the SoC at the same time the
    weights of every network lie in memory, once however many streams run it, and beside them the
    activations of one inference at least; in the networks' own data types.
    """
    have = capacity_bytes(soc)
    for entering in service.streams:
        weights: dict[str, int] = {}
        room = 0
        for stream in service.streams:
            if not stream.start_s <= entering.start_s < stream.until_s:
                continue
            graph = graphs[stream.model]
            weights[stream.model] = _weights(graph)
            room = max(room, max(live_bytes(graph)))
            need = sum(weights.values()) + room
            if need > have:
                words = ", ".join(f"{m} {format_quantity(b, 'size')}" for m, b in weights.items())
                raise InfeasibleError(
                    f"stream {stream.name!r} does not fit beside the others: together they need"
                    f" {format_quantity(need, 'size')} of memory, and {soc.name!r} has"
                    f" {format_quantity(have, 'size')}",
                    where=stream.where,
                    hint=f"weights: {words}; activations of the largest:"
                    f" {format_quantity(room, 'size')}",
                )


def _weights(graph: Graph) -> int:
    return sum(weight_bytes(graph).values()) + math.ceil(graph.unread * DTYPE_BYTES["float32"])


def overload_note(
    run: ServedRun, service: Service, busy_s: Mapping[str, Mapping[str, float]]
) -> str | None:
    """What ``run`` asks of its busiest unit where that is more than there is.

    ``busy_s`` is how long one inference of each stream keeps each unit, alone, by their names.
    Streams ask together only while they are there together. One that comes to an end before it
    leaves asks for its part over all that time. Closed loops ask for what is left, and are not
    counted.
    """
    rates = _rates(run, service)
    most, unit, shares = 1.0 + 1e-9, "", {}
    for entering in service.streams:
        there = [s.name for s in service.streams if s.start_s <= entering.start_s < s.until_s]
        asked: dict[str, dict[str, float]] = {}
        for name in there:
            for lane, seconds in busy_s[name].items():
                asked.setdefault(lane, {})[name] = seconds * rates.get(name, 0.0)
        for lane, parts in asked.items():
            if sum(parts.values()) > most:
                most, unit, shares = sum(parts.values()), lane, parts
    if not unit:
        return None
    words = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005)
    return (
        f"{run.label}: overload: {unit} is asked for {most:.0%} of its time ({words}); what waits"
        " grows as long as this lasts, or is given up"
    )


def _rates(run: ServedRun, service: Service) -> dict[str, float]:
    """Arrivals per second of each stream while it is there, as far as that is known.

    A trace or a ``count`` may end long before its stream leaves: what did arrive in all that time.
    """
    assert run.served is not None
    end_s = service.duration_s if not run.served.stopped else run.served.end_s
    found = {}
    for stream in service.streams:
        rate = service.rates()[stream.name]
        span_s = min(stream.until_s, end_s) - stream.start_s
        if rate and span_s > 0.0:
            came = len(run.served.ledgers[stream.name])
            found[stream.name] = min(rate, came / span_s) if span_s < inf else rate
    return found


def deadline_note(
    stream: Stream,
    service: Service,
    alone_s: Mapping[str, Mapping[str, float]],
    bound_s: Callable[[Stream], float],
) -> str | None:
    """What is told of a deadline that not even an inference alone on the SoC keeps.

    ``alone_s`` is how long one takes alone, by contender and stream; ``bound_s`` is what no plan of
    it goes below. A deadline that counts from the release of a chain of streams has to hold all of
    them.
    """
    if stream.deadline_s == inf:
        return None
    chain = [stream]
    while stream.deadline_from == "release":
        causes = chain[-1].arrivals.follows(chain[-1].name)
        if not causes or service.stream(causes[0]) in chain:
            break
        chain.append(service.stream(causes[0]))
    took = {label: sum(times[s.name] for s in chain) for label, times in alone_s.items()}
    if not took or min(took.values()) <= stream.deadline_s:
        return None
    best = min(took, key=lambda label: took[label])
    bound = sum(map(bound_s, chain))
    deadline, least = (format_quantity(s, "time") for s in (stream.deadline_s, bound))
    what = f"stream {stream.name!r}: its deadline of {deadline}"
    who = " and ".join(s.model for s in reversed(chain))
    if stream.deadline_s < bound:
        return f"{what} is below {least}, which no plan of {who} goes below: all will be late"
    alone = format_quantity(took[best], "time")
    return (
        f"{what} is below the {alone} that {best} takes on an idle SoC, the fastest here; the"
        f" lower bound of any plan is {least}"
    )
