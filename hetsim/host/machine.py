"""What this machine is: cores, caches, clock, memory, and pinning threads to cores."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SYSTEM = Path("/sys/devices/system/cpu")
_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")

LANES = (("avx512f", 32), ("amx_tile", 32), ("fma", 16), ("avx2", 16), ("avx", 8), ("asimd", 8))
"""float32 multiply-accumulates per cycle by instruction set: two vector pipes, widest first."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache of the first core: level, bytes, and how many cores share it."""

    level: int
    size: int
    shared_by: int


@dataclass(frozen=True)
class Machine:
    """A computer as its operating system describes it. ``None`` stands for what it does not say.

    ``cpus`` are the logical cores this process may use. ``clock_hz`` is the stated clock.
    ``macs_per_cycle`` follows from the instruction set.
    """

    name: str
    system: str
    cpus: tuple[int, ...]
    clock_hz: float | None
    caches: tuple[Cache, ...]
    memory_bytes: int | None
    macs_per_cycle: int
    can_pin: bool

    @property
    def largest_cache(self) -> int:
        """Bytes of the largest cache, 8 MiB when unknown."""
        return max((cache.size for cache in self.caches), default=8 << 20)


def this_machine() -> Machine:
    """Describes the machine this process runs on."""
    text = _read(_CPUINFO)
    return Machine(
        name=_field(text, "model name") or platform.processor() or platform.machine(),
        system=platform.platform(),
        cpus=_usable(),
        clock_hz=_clock(text),
        caches=tuple(_caches()),
        memory_bytes=_memory(),
        macs_per_cycle=_macs_per_cycle(text),
        can_pin=hasattr(os, "sched_setaffinity"),
    )


@contextmanager
def pinned(cpus: Sequence[int]) -> Iterator[bool]:
    """Keeps the calling thread on ``cpus`` while the block runs; yields whether that worked.

    Threads started inside inherit it. Where the system does not allow pinning, nothing happens.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, cpus)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setaffinity(0, before)


def _usable() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _clock(cpuinfo: str) -> float | None:
    highest = _read(_SYSTEM / "cpu0/cpufreq/cpuinfo_max_freq").strip()
    if highest.isdecimal():
        return int(highest) * 1e3
    stated = _field(cpuinfo, "cpu MHz")
    return float(stated) * 1e6 if stated else None


def _macs_per_cycle(cpuinfo: str) -> int:
    flags = set((_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split())
    if platform.machine() == "arm64":  # no /proc there, and every such core has two or more pipes
        return 16
    return next((lanes for flag, lanes in LANES if flag in flags), 4)


def _caches() -> Iterator[Cache]:
    for folder in sorted((_SYSTEM / "cpu0/cache").glob("index*")):
        size = re.fullmatch(r"(\d+)([KMG]?)", _read(folder / "size").strip())
        level = _read(folder / "level").strip()
        if size is None or not level.isdecimal() or _read(folder / "type").strip() == "Instruction":
            continue
        factor = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[size[2]]
        shared = _count(_read(folder / "shared_cpu_list").strip())
        yield Cache(int(level), int(size[1]) * factor, shared)


def _count(cpus: str) -> int:
    """How many CPUs a list such as ``0-3,8`` names."""
    total = 0
    for part in filter(None, cpus.split(",")):
        first, dash, last = part.partition("-")
        total += int(last) - int(first) + 1 if dash else 1
    return max(total, 1)


def _memory() -> int | None:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _read(_MEMINFO), re.MULTILINE)
    return int(found[1]) * 1024 if found else None
