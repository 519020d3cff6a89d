"""No simulated remedy gains more than what is said to be the most."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from hetsim.analysis.launches import operator_rows
from hetsim.analysis.limits import Limit, limits
from hetsim.analysis.ran import Ran
from hetsim.sim.simulate import execute
from hetsim.soc.describe import describe_soc
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.units import parse_quantity
from tests.analysis.samples import ran, runs

FACTORS = (3.0, 1000.0)


def remedies(run: Ran, limit: Limit) -> Iterator[SoC]:
    """The SoC with more of what the limit is about, by several means."""
    file = describe_soc(run.soc)
    cluster = run.soc.by_name[limit.pu].cluster
    for factor in FACTORS:
        for mend in MEANS[limit.cause]:
            changed = copy.deepcopy(file)
            if mend(changed, changed["pus"][cluster], factor) is not False:
                yield SoC.from_spec(SoCSpec.model_validate(changed))


def times(value: str, dimension: str, factor: float) -> str:
    unit = {"frequency": "Hz", "bandwidth": "B/s", "size": "B"}[dimension]
    return f"{parse_quantity(value, dimension) * factor:.6f} {unit}"


def clock(file: Any, unit: Any, factor: float) -> None:
    for point in unit["operating_points"].values():
        point["clock"] = times(point["clock"], "frequency", factor)


def array(file: Any, unit: Any, factor: float) -> bool | None:
    if "array" not in unit:
        return False
    sides = {"rows": 4, "columns": 4, "block_in": 4, "block_out": 4}
    unit["array"] = {k: v * sides[k] if k in sides else v for k, v in unit["array"].items()}
    unit["array_efficiency"] = 1.0
    return None


def bandwidth(file: Any, unit: Any, factor: float) -> None:
    for memory in file["memory"].values():
        memory["bandwidth"] = times(memory["bandwidth"], "bandwidth", factor)
    for link in file["links"].values():
        link["bandwidth"] = times(link["bandwidth"], "bandwidth", factor)


def engines(file: Any, unit: Any, factor: float) -> bool | None:
    if "dma" not in unit:
        return False
    if isinstance(unit["dma"], str):
        unit["dma"] = times(unit["dma"], "bandwidth", factor)
        return None
    unit["dma"] |= {"bandwidth": times(unit["dma"]["bandwidth"], "bandwidth", factor), "setup": 0}
    return None


def sram(file: Any, unit: Any, factor: float) -> bool | None:
    if not isinstance(unit.get("sram"), str):
        return False
    unit["sram"] = times(unit["sram"], "size", factor)
    return None


def dispatch(file: Any, unit: Any, factor: float) -> None:
    unit["dispatch"] = 0


def crossing(file: Any, unit: Any, factor: float) -> None:
    file["runtime"] |= {"partition_call": 0, "thread_create": 0, "thread_join": 0}
    file["runtime"].pop("input_copy", None)
    # Layouts around kernels decide what stays on chip; that is no matter of rates.
    around = unit.get("crossing", {}).get("relayout_at") == "kernel"
    unit["crossing"] = {"relayout": "0.001 ps", "relayout_at": "kernel"} if around else {}
    if "interrupt_latency" in unit:
        unit["interrupt_latency"] = 0


def cores(file: Any, unit: Any, factor: float) -> None:
    for spec in file["pus"].values():
        if "cores" in spec:
            spec["workers"] = spec.get("workers") or [spec["cores"]]
            spec["cores"] += 16


MEANS = {
    "compute": (clock, array), "memory": (bandwidth,), "contention": (), "dma": (engines, sram),
    "dma_setup": (engines, sram), "dispatch": (dispatch,), "crossing": (crossing,),
    "sharing": (cores,),
}  # fmt: skip


def undisturbed(run: Ran) -> float:
    fidelity = "tile" if run.tiled else "fluid"
    name = "barrier" if run.runtime.forks else "dataflow"
    return execute(
        run.soc, run.program, execution=name, fidelity=fidelity, trace=False, contention=False
    ).makespan_s


def again(run: Ran, soc: SoC) -> float:
    """The makespan of the same plan on another SoC."""
    name, fidelity = (
        "barrier" if run.runtime.forks else "dataflow",
        "tile" if run.tiled else "fluid",
    )
    return ran(run.graph, soc, run.plan, name, fidelity).trace.makespan_s


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(runs)
def test_no_remedy_gains_more_than_its_limit(run: Ran) -> None:
    found = limits(run, operator_rows("any", run))
    assert {limit.pu for limit in found} <= {pu.name for pu in run.soc.pus}
    for limit in found:
        assert 0.0 < limit.share <= 1.0 + 1e-9
        most = limit.gain_s + 1e-9 * run.trace.makespan_s
        if not run.tiled:  # else a unit's own loads and stores would not share its way, either
            assert run.trace.makespan_s - undisturbed(run) <= most, limit
        for soc in remedies(run, limit):
            assert run.trace.makespan_s - again(run, soc) <= most, limit
