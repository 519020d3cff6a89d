"""Two checkouts of hetsim against one another: their own benchmarks, in turn, in one run.

Each checkout has an environment of its own beside its sources. A busy moment of the machine hits
both alike; the figure to trust is the ratio, with the range of the pairs::

    python benchmarks/versus.py ../before . --pairs 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RATES = ("operators/s", "events/s", "plans/s")
"""Units of what is compared: more is faster."""


def main() -> int:
    """Prints a line per rate that both checkouts measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--pairs", type=int, default=5, metavar="N")
    parser.add_argument("--suites", default="engine,tune", help="comma-separated")
    parser.add_argument("--repetitions", type=int, default=3, help="of each figure, in each run")
    parser.add_argument("--least", type=float, default=0.97, help="ratio below which it fails")
    options = parser.parse_args()
    found: list[list[dict[str, float]]] = [[], []]
    for pair in range(options.pairs):
        # Who goes first alternates: what warms up or cools down favours neither.
        order = (0, 1) if pair % 2 == 0 else (1, 0)
        for side in order:
            checkout = (options.before, options.after)[side]
            found[side].append(_rates(checkout, options.suites.split(","), options.repetitions))
        print(f"pair {pair + 1} of {options.pairs}", file=sys.stderr, flush=True)
    slower = False
    for name in found[0][0]:
        if name not in found[1][0]:
            continue
        before, after = ([row[name] for row in side] for side in found)
        ratios = sorted(b / a for a, b in zip(before, after, strict=True))
        ratio = statistics.median(ratios)
        slower = slower or ratio < options.least
        print(
            f"{name}: {statistics.median(before):,.0f} before, {statistics.median(after):,.0f}"
            f" after, ratio {ratio:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        )
    return 1 if slower else 0


def _rates(checkout: Path, suites: list[str], repetitions: int) -> dict[str, float]:
    root = checkout.absolute()
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "figures.json")
        command = [str(root / ".venv" / "bin" / "python"), "benchmarks/run.py", *suites]
        subprocess.run(
            [*command, "--repetitions", str(repetitions), "--json", str(file)],
            cwd=root, check=True, capture_output=True,
        )  # fmt: skip
        figures = json.loads(file.read_text())["measurements"]
    return {figure["name"]: figure["value"] for figure in figures if figure["unit"] in RATES}


if __name__ == "__main__":
    sys.exit(main())
