"""The notebook's way in: what ``hetsim.run`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hetsim.analysis.result import Result
from hetsim.progress import Progress
from hetsim.runs.scenario import run_scenario
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.workload.sizes import Sizes


def run(
    scenario: str | Path | Scenario,
    overrides: Mapping[str, object] | None = None,
    *,
    models: Sequence[str | Path] = (),
    schedulers: Sequence[str] | None = None,
    plans: Sequence[str | Path] = (),
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    dims: Mapping[str, int] | None = None,
    max_output: Mapping[str, int | Sequence[int]] | None = None,
    execution: str | None = None,
    fidelity: str | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Simulates a scenario, given by shipped name, path, or as loaded.

    ``overrides`` are changes such as ``{"npu.sram": "1 MiB", "bus.bandwidth": "0.5x"}`` to one that
    is named or a path. The other arguments stand in for what the scenario says, see
    :func:`hetsim.scenario.choices.choose`; ``plans`` are plan files to run as well. ``progress`` is
    told what is being worked on, how many rows are done, and how many there are.

    A row that fails has its reason in ``Run.error``; the others are there.

    Raises:
        HetsimError: an input that cannot be used.
    """
    if isinstance(scenario, Scenario):
        if overrides:
            raise TypeError("overrides apply to a scenario's file; give its name or path")
        loaded = scenario
    else:
        loaded = load_scenario(scenario, overrides)
    loaded = choose(
        loaded, models=models, schedulers=schedulers,
        sizes=Sizes.of(input_shapes, dims, max_output),
        execution=execution, fidelity=fidelity, seed=seed,
    )  # fmt: skip
    return run_scenario(loaded, plans=[Path(plan) for plan in plans], progress=progress)
