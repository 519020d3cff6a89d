"""Finish times of flow sets in SimGrid: run by a Python that has the ``simgrid`` module.

Reads a JSON list of flow sets from standard input, writes a JSON list of lists of finish times
(seconds) to standard output. A flow set is ``{"links": {name: B/s}, "flows": [{"start", "bytes",
"path", "cap", "weight"}, ...]}``.

SimGrid's TCP refinements are switched off (no bandwidth or latency factors, no window bound, no
cross traffic), which leaves its max-min solver. That solves the whole system at every event here:
the lazy partial updates of version 3.32 oversubscribe a link in about one weighted set in 100.
SimGrid has no weights as such, but shares in inverse proportion to a path's latency: where weights
are used each flow crosses a link of its own with the latency :func:`lead` and starts that much
earlier, so that its first byte leaves when it should.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

LATENCY = 1e-3
SETTINGS = {
    "network/model": "CM02",
    "network/TCP-gamma": "1e30",
    "network/weight-S": "0",
    "network/bandwidth-factor": "1",
    "network/latency-factor": "1",
    "network/crosstraffic": "no",
    "network/loopback-lat": "0",
    "network/optim": "Full",
    "surf/precision": "1e-12",
}


def lead(flow: dict[str, Any]) -> float:
    """Seconds before a weighted flow's start at which SimGrid has to be told of it."""
    return LATENCY / float(flow["weight"])


def main() -> None:
    """Reads, simulates, writes."""
    sets = json.load(sys.stdin)
    simgrid = import_module("simgrid")
    options = [f"--cfg={key}:{value}" for key, value in SETTINGS.items()]
    engine = simgrid.Engine(["reference", "--log=root.thresh:critical", *options])
    zone = simgrid.NetZone.create_full_zone("zone")
    finish: list[list[float]] = []
    for number, flow_set in enumerate(sets):
        build(simgrid, zone, number, flow_set, finish)
    zone.seal()
    engine.run()
    # SimGrid may print to standard output as well: the answer is its last line.
    print("\n" + json.dumps(finish))


def build(
    simgrid: Any,
    zone: Any,
    number: int,
    flow_set: dict[str, Any],
    finish: list[list[float]],
) -> None:
    """One flow set: links and hosts of its own, so that sets do not see one another."""
    links = {
        name: zone.create_link(f"{number}:{name}", bandwidth).seal()
        for name, bandwidth in flow_set["links"].items()
    }
    flows = flow_set["flows"]
    weighted = any(flow["weight"] != 1.0 for flow in flows)
    times = [0.0] * len(flows)
    finish.append(times)
    for i, flow in enumerate(flows):
        source = zone.create_host(f"{number}:{i}:from", 1e9).seal()
        target = zone.create_host(f"{number}:{i}:to", 1e9).seal()
        path = [links[name] for name in flow["path"]]
        start = flow["start"]
        if weighted:
            own = zone.create_link(f"{number}:{i}", 1e30)
            own.set_latency(lead(flow))
            path.append(own.seal())
            start -= lead(flow)
        route = [simgrid.LinkInRoute(link) for link in path]
        zone.add_route(source.netpoint, target.netpoint, None, None, route, False)
        box = simgrid.Mailbox.by_name(f"{number}:{i}")
        simgrid.Actor.create(f"{number}:{i}:to", target, box.get)
        simgrid.Actor.create(
            f"{number}:{i}:from", source, send, simgrid, box, start, flow, times, i
        )


def send(
    simgrid: Any,
    box: Any,
    start: float,
    flow: dict[str, Any],
    times: list[float],
    i: int,
) -> None:
    """The life of one flow; its receiver has been waiting all the time."""
    if start > 0:
        simgrid.this_actor.sleep_until(start)
    moving = box.put_init(i, int(flow["bytes"]))
    if flow["cap"] is not None:
        moving.set_rate(flow["cap"])
    moving.start()
    moving.wait()
    times[i] = simgrid.Engine.clock


if __name__ == "__main__":
    main()
