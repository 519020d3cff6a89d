"""Which dispatcher wins where: the built-in ones on three scenarios with streams.

    python benchmarks/dispatchers.py
    python benchmarks/dispatchers.py --scenario multi_tenant --dispatcher eft --dispatcher fifo

Those that leave units to the plan run by the plans of `heft`; those that choose units take each
fused group as it becomes ready. Columns: the 99th percentile of all latencies, the share of
deadlines that were missed (given up is missed), inferences per second, the energy of the whole run
for each inference that ended (idling included; none where the SoC states no power), and what was
dropped. Everything is deterministic.
"""

from __future__ import annotations

import argparse

from hetsim.analysis.energy import energy
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import load_scenario

SCENARIOS = ("multi_tenant", "autonomous_pair", "xr_ar_gaming")
PREEMPTIVE = {"preemptive": True}
DISPATCHERS: dict[str, tuple[str, dict[str, object]]] = {
    "fifo": ("fifo", {}),
    "priority": ("priority", {}),
    "priority, preemptive": ("priority", PREEMPTIVE),
    "edf": ("edf", {}),
    "edf, preemptive": ("edf", PREEMPTIVE),
    "least_laxity": ("least_laxity", {}),
    "slots": ("slots", {}),
    "replan": ("replan", {}),
    "met": ("met", {}),
    "eft": ("eft", {}),
    "eft, by deadline": ("eft", {"order": "edf"}),
    "etf": ("etf", {}),
    "heft": ("heft", {}),
}


def main() -> None:
    """Prints a table for each scenario."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", action="append", help="default: all three")
    parser.add_argument("--dispatcher", choices=list(DISPATCHERS), action="append")
    arguments = parser.parse_args()
    chosen = arguments.dispatcher or list(DISPATCHERS)
    entries = [
        {"name": DISPATCHERS[label][0], "label": label, "parameters": DISPATCHERS[label][1]}
        for label in chosen
    ]
    for name in arguments.scenario or SCENARIOS:
        changes = {
            "serve.dispatchers": entries, "serve.plans": ["each"], "schedulers": ["heft"],
        }  # fmt: skip
        scenario = load_scenario(name, changes)
        mix = Mix.of(scenario)
        print(f"\n{name} on {scenario.soc.name}\n")
        print("| dispatcher | p99 | missed | inferences/s | energy of each | dropped |")
        print("|---|---:|---:|---:|---:|---:|")
        for contender in scenario.contenders:
            run = mix.run(contender)
            assert contender.dispatcher is not None
            label = contender.dispatcher.label
            if run.error is not None:
                print(f"| {label} | {run.error} | | | | |", flush=True)
                continue
            found = run.metrics
            assert run.served is not None
            joules = energy(run.served.trace, scenario.soc)
            ended = sum(ledger.count() for ledger in run.served.ledgers.values())
            drawn = "–" if joules is None else f"{joules / ended * 1e3:.1f} mJ"
            told = (
                f"{(found['latency_p99_s'] or 0.0) * 1e3:.1f} ms",
                f"{found['miss_rate'] or 0.0:.1%}",
                f"{found['throughput'] or 0.0:.1f}",
                drawn,
                f"{found['dropped'] or 0.0:.0f}",
            )
            print(f"| {label} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
