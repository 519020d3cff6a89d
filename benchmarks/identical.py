"""Whether two checkouts of hetsim give the same results to the last bit.

Runs the shipped scenarios with both interpreters and compares every file of the results
directories that does not speak of time or place: ``runs.json.gz``, which holds plans, traces and
metrics to the last digit, ``result.json``, tables, plans. Exits with 1 and the names of the files
that differ. Give each checkout an environment of its own::

    python benchmarks/identical.py --before ../before/.venv/bin/python \\
        --after .venv/bin/python --without exact
"""

from __future__ import annotations

import argparse
import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from hetsim.schedulers.registry import scheduler_names

LEFT_OUT = ("manifest.json", "report.html", ".png", ".svg")
"""Names or endings of what holds versions, commands and wall-clock times, or is a picture."""


def main() -> int:
    """Compares scenario by scenario."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", required=True, metavar="PYTHON")
    parser.add_argument("--after", required=True, metavar="PYTHON")
    parser.add_argument("--keep", type=Path, help="where the results go, and are found again")
    parser.add_argument(
        "--without", action="append", default=[], metavar="SCHEDULER",
        help="leave out what searches for a stated time, and so depends on the machine's load",
    )  # fmt: skip
    parser.add_argument("scenarios", nargs="*")
    options = parser.parse_args()
    here = Path(__file__).resolve().parents[1] / "scenarios"
    names = options.scenarios or sorted(path.stem for path in here.glob("*.yaml"))
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        base = options.keep or Path(scratch)
        for name in names:
            places = [base / side / name for side in ("before", "after")]
            for python, place in zip((options.before, options.after), places, strict=True):
                _run(python, name, place, _chosen(here / f"{name}.yaml", options.without))
            differing = differences(*places)
            count = len(_files(places[0]))
            print(f"{name}: {count} files, {len(differing)} differ", flush=True)
            for file in differing:
                print(f"  {file}")
            bad += len(differing)
    return 1 if bad else 0


def _run(python: str, scenario: str, place: Path, options: list[str]) -> None:
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    # Not resolved: an environment's interpreter is a link.
    command = [str(Path(python).absolute()), "-m", "hetsim", "run", scenario]
    command += ["--output", str(place), "--quiet", "--figures", "none", *options]
    done = subprocess.run(command, cwd=place.parent, capture_output=True, text=True)
    if not place.exists():
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")


def _files(place: Path) -> set[str]:
    """Files that depend on the result alone, relative to the results directory."""
    return {
        str(path.relative_to(place))
        for path in place.rglob("*")
        if path.is_file() and not path.name.endswith(LEFT_OUT)
    }


def _chosen(file: Path, without: list[str]) -> list[str]:
    """Options that leave schedulers out of a scenario; none if it has none of them."""
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))["schedulers"]
    every = scheduler_names() if listed == "all" else listed
    names = [entry if isinstance(entry, str) else entry["name"] for entry in every]
    if not set(names) & set(without):
        return []
    return [part for name in names if name not in without for part in ("--scheduler", name)]


def differences(before: Path, after: Path) -> list[str]:
    """Files that only one side has, or whose bytes differ."""
    ours, theirs = _files(before), _files(after)
    lone = ours ^ theirs
    _, unequal, errors = filecmp.cmpfiles(before, after, sorted(ours & theirs), shallow=False)
    return sorted([*lone, *unequal, *errors])


if __name__ == "__main__":
    sys.exit(main())
