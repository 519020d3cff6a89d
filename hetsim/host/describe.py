"""From measurements to files: a SoC description of this machine, its profile, a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from statistics import median

from hetsim.cost.analytical.roofline import fewest_products
from hetsim.cost.measured.table import ProfileTable
from hetsim.host.bandwidth import Bandwidth
from hetsim.host.cuts import CutCosts
from hetsim.host.machine import Machine
from hetsim.host.measure import NetworkTimes, chains_of, entries_of
from hetsim.units import format_quantity

UNSTATED_CLOCK = 1e9
"""Hertz assumed when the system states no clock; efficiencies are then relative to it."""

WIDER = {"float32": 1, "int16": 2, "int8": 4}
"""Products a cycle by data type, as multiples of float32's: what dot-product instructions reach."""

LEAST = 1e-4
"""Efficiencies below this are written as this: a share must be more than zero."""


@dataclass(frozen=True)
class HostMeasurements:
    """Everything measured of this machine with workers of ``threads`` threads.

    ``bandwidths`` are of 1, 2, ... workers at once; ``cuts`` the cost of one more partition;
    ``company`` the share of its speed a worker keeps beside the others; ``speed`` how many times
    faster a worker is than a single thread (``None`` when that was not measured).
    """

    machine: Machine
    threads: int
    networks: tuple[NetworkTimes, ...]
    bandwidths: tuple[Bandwidth, ...]
    cuts: CutCosts
    company: float
    speed: float | None = None
    runtime: str = "ONNX Runtime"

    @property
    def workers(self) -> int:
        """Workers of this many threads that the machine has cores for."""
        return max(1, len(self.machine.cpus) // self.threads)

    @property
    def clock_hz(self) -> float:
        """The stated clock, or a higher one that the fastest operator proves (boost clocks)."""
        return max(self.machine.clock_hz or UNSTATED_CLOCK, self.proven_hz)

    @cached_property
    def proven_hz(self) -> float:
        """The lowest clock at which all that was measured is possible, rounded up by 0.1 %."""
        cycles = self.machine.macs_per_cycle * self.threads
        least = (
            fewest_products(op.nest) / (cycles * WIDER.get(op.dtype, 1) * costs[op.name,])
            for times in self.networks
            for costs in [times.costs(self.cuts.call_s)]
            for op in times.network.graph.operators
            if op.nest is not None and costs.get((op.name,))
        )
        return 1.001 * max(least, default=0.0)


def host_profile(measured: HostMeasurements, name: str) -> ProfileTable:
    """The measured times of all operators of all networks, as a profile of kernels."""
    remarks = [
        f"{times.network.graph.name}: {times.latency.median_s * 1e3:.4g} ms +- "
        f"{(times.latency.spread_s or 0.0) * 1e3:.2g} ms whole ({times.wall_s * 1e3:.4g} ms on the"
        f" wall), kernels {times.kernel_sum_s * 1e3:.4g} ms, {times.latency.samples} runs,"
        f" optimisation level {times.level}, {'' if times.pinned else 'not '}pinned"
        for times in measured.networks
    ]
    remarks.append("the difference between whole and kernels is part of the operators' times")
    return ProfileTable.of(
        entries_of(measured.networks, measured.cuts.call_s),
        name=name,
        device=f"{measured.machine.name}, {measured.threads} threads",
        source=f"{measured.runtime} on {measured.machine.system}, {_today()}",
        scope="kernel",
        remarks=remarks,
    )


def efficiencies(measured: HostMeasurements) -> dict[str, float]:
    """Share of the peak by operator kind and variant: the median of what each operator reached."""
    machine = measured.machine
    rate = measured.clock_hz * (measured.speed or measured.threads)
    reached: dict[str, list[float]] = {}
    for times in measured.networks:
        costs = times.costs(measured.cuts.call_s)
        for op in times.network.graph.operators:
            at_once = machine.macs_per_cycle * WIDER.get(op.dtype, 1)
            cycles = op.macs / at_once + op.element_ops / _element_rate(machine)
            took = costs.get((op.name,), 0.0)
            if cycles and took > 0:
                for key in op.kind_path:
                    reached.setdefault(key, []).append(cycles / (rate * took))
    found = {key: min(1.0, max(LEAST, median(shares))) for key, shares in sorted(reached.items())}
    products = {op.kind for t in measured.networks for op in t.network.graph.operators if op.macs}
    plain = [share for key, share in found.items() if key.partition(".")[0] not in products]
    return {"default": median(plain or found.values() or [0.1]), **found}


def _element_rate(machine: Machine) -> int:
    """Element operations per cycle: as many as multiply-accumulates."""
    return machine.macs_per_cycle


def _products(machine: Machine) -> str:
    return ", ".join(f"{dtype}: {machine.macs_per_cycle * times}" for dtype, times in WIDER.items())


def host_soc(measured: HostMeasurements, name: str, profile: str) -> str:
    """The SoC file of this machine; ``profile`` is the profile's file name beside it."""
    machine, workers, threads = measured.machine, measured.workers, measured.threads
    best = max(b.best for b in measured.bandwidths)
    shares = ", ".join(f"{b.best / best:.4g}" for b in measured.bandwidths)
    arrays = measured.bandwidths[0]
    beyond = "they fit the largest cache" if arrays.fits_cache else "more than the caches hold"
    level2 = [cache for cache in machine.caches if cache.level == 2]
    clock = "stated by the system" if machine.clock_hz else "not stated; efficiencies refer to it"
    if measured.clock_hz == measured.proven_hz:
        clock = "higher than the system states: the fastest operator proves it"
    networks = ", ".join(times.network.graph.name for times in measured.networks)
    lines = [
        f"# {machine.name}, measured by hetsim with {measured.runtime} on {_today()}.",
        f"# Networks: {networks}. [measured] on this machine; [system] as the system states it;",
        "# [fitted] to the measured operators.",
        "hetsim: soc/1",
        f"name: {name}",
        f"description: this machine, {workers} worker(s) of {threads} core(s)",
        "",
        "memory:",
        "  dram:",
        f"    # [measured] numpy copy and triad, arrays of {arrays.array_bytes >> 20} MiB,"
        f" {beyond};",
        f"    # {_rates(measured.bandwidths)}.",
        f"    bandwidth: {format_quantity(best, 'bandwidth')}",
        f"    efficiency: [{shares}]",
        f"    capacity: {_size(machine.memory_bytes or 4 << 30)}",
        "",
        "pus:",
        "  cpu:",
        "    kind: cpu_cluster",
        f"    cores: {workers * threads}",
        f"    workers: [{', '.join([str(threads)] * workers)}]",
        "    path: [dram]",
        f"    # [system] clock: {clock}.",
        "    operating_points:",
        f"      nominal: {{clock: {format_quantity(measured.clock_hz, 'frequency')}}}",
        "    # [system] Peak of the instruction set, two vector pipes.",
        f"    macs_per_cycle: {{{_products(machine)}}}",
        f"    element_ops_per_cycle: {{float32: {_element_rate(machine)}}}",
    ]
    if threads > 1:
        share = ((measured.speed or threads) - 1) / (threads - 1)
        how = "[measured] against one thread" if measured.speed else "not measured: one is assumed"
        lines.append(f"    # {how}.")
        lines.append(f"    parallel_efficiency: {min(1.0, max(0.0, share)):.4g}")
    lines.append("    # [fitted] Share of the peak that operators nobody measured may expect.")
    lines.append("    efficiency:")
    lines += [f"      {key}: {share:.4g}" for key, share in efficiencies(measured).items()]
    if level2:
        lines.append(f"    l2: {_size(level2[0].size)}  # [system]")
    if measured.company < 1.0 and workers > 1:
        kept = min(1.0, max(0.01, measured.company))
        lines += [
            "    # [measured] Speed that a worker keeps while the others run the same networks.",
            f"    slowdown: {{own: [1 B/s], external: [1 B/s, 1 MB/s], kept: [[1.0, {kept:.4g}]]}}",
        ]
    if chains := chains_of(measured.networks):
        lines.append("    # [measured] What the runtime ran as one kernel.")
        lines.append(f"    fuse: [{', '.join(chains)}]")
    if crossing := _crossing(measured.cuts):
        lines.append("    # [measured] What a cut adds, by the bytes that cross and for waking up.")
        lines.append(f"    crossing: {{{crossing}}}")
    lines += [
        "    # [measured] Times of single operators, in the file beside this one.",
        f"    profile: {profile}",
        "",
        "runtime:",
        "  host: cpu",
        "  # [measured] One more partition on a worker: chains of convolutions, whole and cut.",
        f"  partition_call: {format_quantity(measured.cuts.call_s, 'time')}",
        "",
    ]
    return "\n".join(lines)


def _crossing(cuts: CutCosts) -> str:
    said = []
    if cuts.refetch:
        said.append(f"refetch: {format_quantity(cuts.refetch, 'bandwidth')}")
    if cuts.handover_s:
        said.append(f"handover: {format_quantity(cuts.handover_s, 'time')}")
    return ", ".join(said)


def host_scenario(measured: HostMeasurements, soc: str, models: Sequence[str]) -> str:
    """A scenario of the measured networks on this machine, for ``run`` and ``verify``.

    ``models`` are entries of its list: names, or mappings in YAML's flow style.
    """
    lines = [
        "# Plans to simulate (hetsim run) and to run for real (hetsim verify) on this machine.",
        "hetsim: scenario/1",
        "name: host",
        f"soc: {soc}",
        f"models: [{', '.join(models)}]",
        "schedulers: [best_single_pu, heft, partition_tuner, mosaic]",
        "",
    ]
    return "\n".join(lines)


def _rates(bandwidths: Sequence[Bandwidth]) -> str:
    return "; ".join(
        f"{b.threads} thread(s): copy {b.copy / 1e9:.3g}, triad {b.triad / 1e9:.3g} GB/s"
        for b in bandwidths
    )


def _size(size: int) -> str:
    """Bytes with the largest binary unit that divides them."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
