"""Between a SoC description and the physical models: what it states, its bounds, what to write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from hetsim.cost.pu import PUModel, model_class, model_of
from hetsim.errors import ConfigError
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.tables.table import Measurements
from hetsim.names import suggest
from hetsim.plugins import load_class
from hetsim.soc.kinds import kinds
from hetsim.soc.model import PU, SoC
from hetsim.soc.pu import PUSpec
from hetsim.yamlio import Keys

Changes = Mapping[Keys, Any]
"""New values by their path in the SoC file."""


class Target(ABC):
    """What measurements can fit of one processing unit; a subclass for each way to describe one.

    :meth:`baseline` is fitted to parts of the measurements and judged on the rest, beside what is
    :meth:`stated` now; then once more to all of them, and :meth:`changes` says what to write.
    """

    form: ClassVar[str]
    """Name of the form of measurements (:mod:`hetsim.learn.tables.forms`) that can fit it."""

    correctable: ClassVar[bool] = True
    """Whether a learned model can be stored on top of the fit: its parameters say everything."""

    dtype: str
    """The data type that was measured."""

    def __init__(self, soc: SoC, model: PUModel[Any], table: Measurements) -> None:
        """Checks that ``table``, of the right form, speaks of what the unit states.

        Raises:
            ConfigError: it does not.
        """
        self.soc = soc
        self.model = model

    @property
    def pu(self) -> PU:
        """The unit that was measured."""
        return self.model.pu

    @abstractmethod
    def baseline(self, table: Measurements) -> Baseline:
        """The physical model, bounded by what the description states as the peak."""

    def stated(self) -> Fitted | None:
        """The model as described now, before calibration; ``None`` if it has no closed form."""
        return None

    @abstractmethod
    def changes(self, fitted: Fitted, table: Measurements) -> Changes:
        """What to write into the SoC file to make it state ``fitted``, the fit to ``table``."""

    def doubts(self, table: Measurements) -> list[str]:
        """Rows that cannot be what they say on this SoC, and what would have to be true."""
        return []

    def bound_notes(self, fitted: Fitted) -> list[str]:
        """Parameters that ended at a bound, which says that the description's peak is too low."""
        return []


def find_target(soc: SoC, name: str, table: Measurements) -> Target:
    """What ``table`` can say about the PU ``name``.

    Raises:
        ConfigError: no such PU, a form of measurement that its kind has no parameters for, or
            one that :class:`Target` refuses.
    """
    pu = next((pu for pu in soc.pus if name in (pu.name, pu.cluster)), None)
    if pu is None:
        known = [pu.cluster for pu in soc.pus]
        raise ConfigError(f"{soc.name} has no PU called {name!r}; {suggest(name, known)}")
    target = target_class(type(pu.spec))
    if target is None or target.form != table.form:
        raise ConfigError(
            f"{table.form} does not calibrate {name}, which is a {pu.kind}", hint=_who_needs_what()
        )
    return target(soc, model_of(pu), table)


def target_class(schema: type[PUSpec]) -> type[Target] | None:
    """What fits a kind; ``None`` for one with nothing to fit.

    Raises:
        ConfigError: the kind names no model, or a model or target that cannot be loaded.
    """
    reference = model_class(schema).calibration
    if reference is None:
        return None
    what = f"the calibration of {schema.__qualname__}"
    return load_class(reference, Target, what)  # type: ignore[type-abstract]


def _who_needs_what() -> str:
    needs: dict[str, list[str]] = {}
    for kind, schema in kinds().items():
        if (target := target_class(schema)) is not None:
            needs.setdefault(target.form, []).append(kind)
    return "; ".join(f"{form} calibrates {' and '.join(who)}" for form, who in needs.items())


def rounded(value: float) -> float:
    """To the four digits that a SoC file gets of a fitted value."""
    return float(f"{value:.4g}")
