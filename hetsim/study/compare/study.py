"""Named variants of a scenario side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hetsim.analysis.result import Result, Run
from hetsim.errors import ConfigError, Location
from hetsim.overrides import split_assignment
from hetsim.report.summary import best_run, models_of
from hetsim.runs.scenario import run_scenario
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.study.axes import split_list

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Variant:
    """A named variant: what it changes, and what came out."""

    name: str
    changes: Mapping[str, object]
    result: Result = field(repr=False)

    def best(self, model: str) -> Run | None:
        """The fastest run of a network; ``None`` when all failed."""
        return best_run(self.result, model)


@dataclass(frozen=True)
class Comparison:
    """Variants of one scenario; the first is the scenario as it is."""

    scenario: str
    variants: tuple[Variant, ...]

    @property
    def base(self) -> Variant:
        """The scenario as it is."""
        return self.variants[0]

    @property
    def models(self) -> tuple[str, ...]:
        """Labels of the networks."""
        return models_of(self.base.result)

    @property
    def failed(self) -> tuple[tuple[Variant, Run], ...]:
        """Every run that failed."""
        return tuple((v, run) for v in self.variants for run in v.result.failed)

    def _repr_html_(self) -> str:
        from hetsim.study.compare.report import comparison_html

        return comparison_html(self)


def parse_variant(text: str) -> tuple[str, dict[str, object]]:
    """Reads ``NAME: PATH=VALUE, PATH=VALUE``.

    Raises:
        ConfigError: no name, no change, or something that is not a change.
    """
    where = Location("--variant")
    name, colon, changes = text.partition(":")
    items = [item for item in split_list(changes) if item]
    if not colon or not name.strip() or "=" in name or not items:
        raise ConfigError(
            f"{text!r} is not a variant", where=where,
            hint="write it like 'big sram: npu.sram=2x, bus.clock=100MHz'",
        )  # fmt: skip
    return name.strip(), dict(split_assignment(item) for item in items)


def compare(
    scenario: Scenario,
    variants: Mapping[str, Mapping[str, object]],
    *,
    progress: Progress | None = None,
) -> Comparison:
    """Runs the scenario as it is, then every variant, all networks under all schedulers.

    Raises:
        ConfigError: a change that leads nowhere; nothing has run then.
        HetsimError: an input that cannot be used; a network that does not fit a variant.
    """
    if not variants:
        raise ConfigError("there is nothing to compare", where=Location("--variant"))
    base = "as it is"
    if base in variants:
        raise ConfigError(f"a variant cannot be called {base!r}", where=Location("--variant"))
    prepared = {base: scenario}
    for name, changes in variants.items():
        prepared[name] = varied(scenario, changes)
    done = []
    for i, (name, changed) in enumerate(prepared.items()):

        def tell(what: str, at: int, of: int, i: int = i, name: str = name) -> None:
            if progress is not None:
                progress(f"{name}: {what}", i * of + at, len(prepared) * of)

        done.append(Variant(name, variants.get(name, {}), run_scenario(changed, progress=tell)))
    return Comparison(scenario.name, tuple(done))
