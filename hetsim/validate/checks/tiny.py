"""MLPerf Tiny on Cortex-M boards: latency and energy of an inference, as a vendor measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hetsim.analysis.energy import energy
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Check, Row, Setting
from hetsim.workload.networks import load_network

TABLE = "measured_tiny_energy.csv"

SOCS = {
    "NUCLEO_L4R5ZI": "nucleo-l4r5zi",
    "NUCLEO_U575ZI_Q": "nucleo-u575zi",
    "NUCLEO_H7A3ZI_Q": "nucleo-h7a3zi",
}
"""By board of the table."""

FITTED = "NUCLEO_L4R5ZI"
"""The board to which the one factor in the SoC files was fitted; it is left out."""


class TinyLatency(Check):
    """A network on the core alone."""

    title = "networks on microcontrollers"
    compared = (
        "time of one int8 inference beside one over the measured throughput, on two boards; SoC"
        " files count instructions and scale them by DMIPS/MHz, and what the vendor's library needs"
        " beside that count was fitted to a third board"
    )
    kind = "measured"
    unit = "s"
    tables = (TABLE,)
    grouped = "board"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each network on the two boards."""
        records = setting.tables.records(TABLE)
        for record in (r for r in records if r["board"] != FITTED):
            case = _case(record, {})
            plan = case.plan(create("cpu_only"))
            trace = case.simulate(plan)
            seconds = 1.0 / float(record["inferences_per_s_performance_run"])
            low, high = case.range(plan, trace).ends(trace.makespan_s) or (None, None)
            name, board = record["network"], record["board"]
            yield Row(name, board, seconds, trace.makespan_s, low, high)


class TinyEnergy(Check):
    """Power of a board times the simulated time."""

    title = "energy on microcontrollers"
    compared = (
        "energy of one int8 inference beside the measured one; the power is the mean that the other"
        " three networks drew on the board"
    )
    kind = "measured"
    unit = "J"
    tables = (TABLE,)
    grouped = "board"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each network on the two boards."""
        records = setting.tables.records(TABLE)
        for record in (r for r in records if r["board"] != FITTED):
            drawn = [
                float(other["power_uw_during_energy_run"]) * 1e-6
                for other in records
                if other["board"] == record["board"] and other is not record
            ]
            power = {"cpu.operating_points.nominal.active_power": f"{sum(drawn) / len(drawn)} W"}
            case = _case(record, power)
            joules = energy(case.simulate(case.plan(create("cpu_only"))), case.soc)
            assert joules is not None  # the files state power
            measured = float(record["energy_uj_per_inference"]) * 1e-6
            yield Row(record["network"], record["board"], measured, joules)


def _case(record: Mapping[str, str], overrides: Mapping[str, str]) -> Case:
    return Case(load_network(record["network"]), load_soc(SOCS[record["board"]], overrides))
