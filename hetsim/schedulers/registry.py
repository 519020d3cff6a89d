"""Finding schedulers by name or by file, and constructing them with checked parameters.

What a name may be is that of every :class:`~hetsim.catalogue.Catalogue`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hetsim.catalogue import Catalogue, parameter_texts, parameters_of
from hetsim.errors import SchedulerError
from hetsim.schedulers.base import Scheduler

GROUP = "hetsim.schedulers"
"""The entry-point group in which other packages register scheduler classes."""

BUILT_IN: Mapping[str, str] = {
    "best_single_pu": "hetsim.schedulers.simple.best_single_pu:BestSinglePU",
    "cpu_only": "hetsim.schedulers.simple.cpu_only:CPUOnly",
    "npu_only": "hetsim.schedulers.simple.npu_only:NPUOnly",
    "type_based": "hetsim.schedulers.simple.type_based:TypeBased",
    "profile_greedy": "hetsim.schedulers.simple.profile_greedy:ProfileGreedy",
    "delegate_largest": "hetsim.schedulers.delegate.largest:DelegateLargest",
    "delegate_tuned": "hetsim.schedulers.delegate.tuned:DelegateTuned",
    "mosaic": "hetsim.schedulers.stages.mosaic:Mosaic",
    "heft": "hetsim.schedulers.list.heft:HEFT",
    "heft_lookahead": "hetsim.schedulers.list.heft_lookahead:HEFTLookahead",
    "peft": "hetsim.schedulers.list.peft:PEFT",
    "cpop": "hetsim.schedulers.list.cpop:CPOP",
    "partition_tuner": "hetsim.schedulers.partition_tuner.scheduler:PartitionTuner",
    "partition_tuner_tuned": "hetsim.schedulers.partition_tuner.tuned:PartitionTunerTuned",
    "duet": "hetsim.schedulers.stages.duet:Duet",
    "ios": "hetsim.schedulers.stages.ios:IOS",
    "iops": "hetsim.schedulers.stages.iops:IOPS",
    "exact": "hetsim.schedulers.exact.scheduler:Exact",
    "random": "hetsim.schedulers.simple.controls:Random",
    "round_robin": "hetsim.schedulers.simple.controls:RoundRobin",
}
"""Module and class of every scheduler that ships with hetsim."""


SCHEDULERS = Catalogue("scheduler", GROUP, Scheduler, BUILT_IN, SchedulerError)  # type: ignore[type-abstract]
"""Every scheduler there is."""

create, construct, find = SCHEDULERS.create, SCHEDULERS.construct, SCHEDULERS.find
scheduler_names, check_class = SCHEDULERS.names, SCHEDULERS.check


@dataclass(frozen=True)
class SchedulerInfo:
    """A row of ``hetsim list schedulers``. ``parameters`` maps names to defaults, as text."""

    name: str
    optimises: str
    ignores: str
    complexity: str
    source: str
    parameters: Mapping[str, str]
    origin: str


def list_schedulers() -> list[SchedulerInfo]:
    """A row for each of :func:`scheduler_names`.

    Raises:
        SchedulerError: an installed scheduler cannot be loaded.
    """
    return [describe(find(name), name, SCHEDULERS.origin(name)) for name in scheduler_names()]


def describe(cls: type[Scheduler], name: str, origin: str) -> SchedulerInfo:
    """The row of one scheduler class."""
    optimises, ignores, complexity, source = (
        str(getattr(cls, field, "")) for field in ("optimises", "ignores", "complexity", "source")
    )
    parameters = parameter_texts(cls)
    return SchedulerInfo(name, optimises, ignores, complexity, source, parameters, origin)


def stated_parameters(scheduler: Scheduler) -> dict[str, object]:
    """The parameters that a scheduler was made with, as far as it keeps them as plain attributes.

    Those that it keeps under their own names, as numbers, texts or truth values, and that differ
    from the default.
    """
    found: dict[str, object] = {}
    for key, parameter in parameters_of(type(scheduler)).items():
        value = getattr(scheduler, key, parameter.default)
        plain = value is None or isinstance(value, str | int | float)
        if plain and value != parameter.default:
            found[key] = value
    return found
