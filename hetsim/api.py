"""The notebook's way in: what ``hetsim.run`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hetsim.analysis.result import Result
from hetsim.analysis.serving.result import ServedResult
from hetsim.errors import Location
from hetsim.progress import Progress, told
from hetsim.runs.scenario import run_scenario
from hetsim.runs.serving import run_service
from hetsim.scenario.choices import SomeModel, SomeScheduler, check_list
from hetsim.scenario.loader import Scenario
from hetsim.scenario.streams import plans_for_nothing
from hetsim.scenario.variants import asked
from hetsim.soc.model import SoC
from hetsim.workload.sizes import Sizes


def run(
    scenario: str | Path | Scenario,
    overrides: Mapping[str, object] | None = None,
    *,
    models: Sequence[SomeModel] = (),
    schedulers: Sequence[SomeScheduler] | None = None,
    soc: str | Path | SoC | None = None,
    plans: Sequence[str | Path] = (),
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    dims: Mapping[str, int] | None = None,
    max_output: Mapping[str, int | Sequence[int]] | None = None,
    execution: str | None = None,
    fidelity: str | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Result | ServedResult:
    """Simulates a scenario, given by shipped name, path, or as loaded; streams are served.

    ``overrides`` are changes such as ``{"cpu.cores": 4, "bus.clock": "0.5x"}``. The other
    arguments stand in for what the scenario says, by name or as objects, see
    :func:`hetsim.scenario.choices.choose`; ``plans`` are plan files to run as well. ``progress`` is
    told what is being worked on, how many rows are done, and how many there are; without one, a
    notebook shows a bar.

    A row that fails has its reason in ``Run.error``; the others are there.

    Raises:
        HetsimError: an input that cannot be used.
    """
    check_list(plans, Location("plans"), "'plan.yaml'")
    loaded = asked(
        scenario, overrides, models=models, schedulers=schedulers, soc=soc,
        sizes=Sizes.of(input_shapes, dims, max_output),
        execution=execution, fidelity=fidelity, seed=seed,
    )  # fmt: skip
    with told(progress) as teller:
        if loaded.service is not None:
            if plans:
                raise plans_for_nothing("plans")
            return run_service(loaded, progress=teller)
        return run_scenario(loaded, plans=[Path(plan) for plan in plans], progress=teller)
