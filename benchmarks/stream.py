"""Memory of long streams: inferences one after the other, the trace written to disk.

    python benchmarks/stream.py [--operators 10000,100000,1000000]

Each size runs in a process of its own and prints its peak memory; a trace that was kept in memory
would grow with the stream. A million operators take a minute or two and 1.3 GB of disk.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(operators: int) -> None:
    """Streams GoogLeNet until ``operators`` have run; prints operators, seconds, MB, bytes."""
    from hetsim.runs.case import Case
    from hetsim.schedulers.registry import create
    from hetsim.sim.simulate import execute
    from hetsim.sim.source import Inference
    from hetsim.sim.tracefile import TraceFile
    from hetsim.soc.loader import load_soc
    from hetsim.workload.zoo import load_model

    graph, soc = load_model("googlenet"), load_soc("zcu102-vta")
    case = Case(graph, soc)
    program = case.lowering.program(case.plan(create("type_based", {})))
    count = -(-operators // len(graph))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.jsonl")
        begun = time.perf_counter()
        with TraceFile(path) as trace:
            execute(soc, [Inference(program, i * 0.41) for i in range(count)], trace=trace)
        seconds = time.perf_counter() - begun
        size = path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count * len(graph):>10,} operators {seconds:8.1f} s {peak:8.1f} MB peak {size:>14,} B")


def main() -> int:
    """One process for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--operators", default="10000,100000,1000000")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run(options.one)
        return 0
    for size in options.operators.split(","):
        subprocess.run([sys.executable, __file__, "--one", size], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
