"""``python -m tests.fuzz``: fuzz for minutes or a number of inputs, and print a table."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.run import fuzz

WIDTHS = (9, 9, 7, 14, 9)


def main() -> int:
    """Returns 1 when an input broke a rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long at most [1]")
    parser.add_argument("--inputs", type=int, default=10**9, help="how many at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input [0]")
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), metavar="DIR",
                        help="where inputs that break a rule are kept [build/fuzz]")  # fmt: skip
    given = parser.parse_args()
    begun = time.monotonic()
    tallies = fuzz(
        given.seed, given.first, given.inputs, begun + 60 * given.minutes,
        given.failures.absolute(),
    )  # fmt: skip
    titles = zip(("inputs", "refused", "ran", "broke a rule", "slowest"), WIDTHS, strict=True)
    print(f"{'kind of file':<16}" + "".join(f"{title:>{width}}" for title, width in titles))
    for kind, tally in sorted(tallies.items()):
        print(
            f"{kind:<16}{tally.inputs:>9,}{tally.codes[2]:>9,}{tally.codes[0]:>7,}"
            f"{len(tally.failures):>14,}{tally.slowest_s:>7.1f} s"
        )
    total = sum(tally.inputs for tally in tallies.values())
    broken = sum(len(tally.failures) for tally in tallies.values())
    print(f"{total:,} inputs in {time.monotonic() - begun:.0f} s; {broken:,} broke a rule")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
