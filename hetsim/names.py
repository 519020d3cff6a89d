"""Names: what somebody meant by an unknown one, and those of files that are made out of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Control characters, halves of characters, and what is no character (XML 1.0, 2.2)."""


MEANINGS = tuple(
    tuple(line.split())
    for line in """
    cpu_cluster cpu cpus processor cluster cortex arm core
    gpu mali adreno powervr geforce accelerator
    dsp hexagon hvx accelerator
    npu tpu dla vpu ethos accelerator
    clock frequency freq mhz ghz speed
    bandwidth bw throughput
    capacity size
    cores core threads num_cores n_cores core_count
    memory memories dram ddr ram
    sram scratchpad spm tcm local_memory on_chip_memory
    links buses interconnect interconnects
    pus units processors processing_units devices
    path route bus
    array pe_array mac_array systolic_array systolic pes
    macs_per_cycle macs flops tops
    element_ops_per_cycle ops elementwise vector_ops
    dtypes data_types datatypes precisions types
    active_power power tdp
    latency delay
    soc platform chip board target
    models networks model network nets workloads
    schedulers scheduler algorithms algorithm policies policy
    execution runtime mode
    """.strip().splitlines()
)
"""Words for the same thing, the best first; others in the field use them in their files."""


def nearest(word: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that means what ``word`` does, or looks most like it.

    Looks count from ``cutoff`` (0 to 1) on.
    """
    names = list(known)
    if (meant := _meant(str(word).casefold(), names)) is not None:
        return meant
    folded = {name.casefold(): name for name in reversed(names)}
    found = difflib.get_close_matches(str(word).casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def _meant(word: str, names: list[str]) -> str | None:
    for words in MEANINGS:
        if word in words:
            found = next((name for name in words if name in names and name != word), None)
            if found is not None:
                return found
    return None


def suggest(word: object, known: Iterable[str], what: str = "known") -> str:
    """``"did you mean 'x'? known: x, y, z"``: the hint that goes with an unknown name."""
    names = list(known)
    guess = nearest(word, names)
    listed = f"{what}: {', '.join(names) or '(none)'}"
    return f"did you mean {guess!r}? {listed}" if guess else listed


def printable(text: str) -> str:
    """``text`` with a mark in place of what neither a picture nor XML can hold."""
    return _UNPRINTABLE.sub("\ufffd", text)


def plain_name(label: str, default: str, *, ascii_only: bool = True) -> str:
    """The part of a file's name that stands for ``label``, which may hold anything.

    Letters, digits and ``._+=-`` stay, at most 60 of them and no mark at either end, so it never
    leaves its directory; ``default`` where nothing stays.
    """
    flags = re.ASCII if ascii_only else re.UNICODE
    text = re.sub(r"[^\w.+=-]+", "_", label, flags=flags).strip("._-")
    return text[:60].strip("._-") or default


def distinct_name(name: str, taken: set[str]) -> str:
    """``name``, with a number where it is ``taken`` already, and taken from now on.

    ``taken`` holds lower case, because some file systems do not tell cases apart.
    """
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.lower())
    return found


def stems(prefix: str, labels: Iterable[str]) -> dict[str, str]:
    """``PREFIX-LABEL``, plain and distinct, for a file of each label."""
    taken: set[str] = set()
    return {
        label: distinct_name(f"{prefix}-{plain_name(label, 'unnamed')}", taken) for label in labels
    }


def results_place(scenario: str, suffix: str = "") -> Path:
    """Where the command line keeps what it finds out about a scenario, unless told otherwise."""
    return Path("results", plain_name(scenario, "scenario", ascii_only=False) + suffix)
