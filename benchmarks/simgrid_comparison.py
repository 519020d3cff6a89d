"""How far hetsim's links and SimGrid's differ: ``python benchmarks/simgrid_comparison.py``.

Random flow sets (see ``tests/sim/simgrid_compare.py``) run in both; the table shows the largest
relative difference of any flow's finish time. Needs the Debian package ``python3-simgrid``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "sim"))

from simgrid_compare import compare, interpreter


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=250, help="flow sets per row (default: 250)")
    sets = parser.parse_args().sets
    if sets < 1:
        parser.error("--sets must be at least 1")
    python, version = interpreter()
    if python is None:
        print(version, file=sys.stderr)
        return 2
    print(f"SimGrid {version}, model CM02 without its TCP refinements\n")
    print("| flow sets | flows | sharing  | largest relative difference |")
    print("|----------:|------:|----------|----------------------------:|")
    for first, weighted in ((0, False), (sets, True)):
        a = compare(range(first, first + sets), weighted=weighted)
        name = "weighted" if weighted else "max-min"
        print(f"| {a.sets:9} | {a.flows:5} | {name:8} | {a.worst:27.1e} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
