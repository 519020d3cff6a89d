"""Units of several equal cores: which of them work on an operator together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from hetsim.soc.fields import Count, located
from hetsim.soc.pu import PUSpec
from hetsim.soc.turning import Joint, Turned


class CoresSpec(PUSpec):
    """Equal cores, divided into one or more schedulable units by ``workers``."""

    cores: Count
    workers: Annotated[list[Count], Field(min_length=1)] | None = Field(
        default=None,
        description="cores of each schedulable unit, e.g. [2, 2]: those of a unit share every"
        " operator, units take different ones; default one unit",
    )

    @model_validator(mode="after")
    def _workers_fit(self) -> CoresSpec:
        if self.workers is not None and sum(self.workers) > self.cores:
            need = sum(self.workers)
            message = f"{self.workers} need {need} cores, and the cluster has {self.cores}"
            raise located("workers", ("workers",), message, self.workers)
        return self

    @property
    def units(self) -> tuple[int, ...]:
        """Cores of each worker."""
        return tuple(self.workers) if self.workers else (self.cores,)

    def joints(self) -> tuple[Joint, ...]:
        """Workers grow with the cores they divide."""
        return (Joint("cores", ("cores", "workers"), str(self.cores), self._with_cores),)

    def _with_cores(self, factor: float) -> Turned | None:
        cores = max(1, int(self.cores * factor))
        if self.workers is None:
            same = cores == self.cores
            return None if same else Turned(str(cores), {"cores": cores}, cores / self.cores)
        split = [max(1, int(worker * factor)) for worker in self.workers]
        if split == self.workers:
            return None
        cores = max(sum(split), int(self.cores * factor))
        values = {"cores": cores, "workers": split}
        return Turned(f"{cores} as {split}", values, cores / self.cores)
