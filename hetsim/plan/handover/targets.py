"""What the units of a SoC are called by a runtime: ``--map PU=NAME:option=value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hetsim.errors import Location, PlanError
from hetsim.names import suggest
from hetsim.plan.model import Plan
from hetsim.soc.model import SoC

HOW = "write it like --map npu=NAME, or --map npu=NAME:option=value,option=value"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a runtime is to run what the plan gives to a PU: its own name of it, and options."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict, hash=False)


def parse_targets(texts: Iterable[str]) -> dict[str, Target]:
    """Targets by PU, from what stands behind ``--map``.

    Raises:
        PlanError: no such form, or a PU that is named twice.
    """
    where = Location("--map")
    found: dict[str, Target] = {}
    for text in texts:
        pu, equals, said = text.partition("=")
        name, _, rest = said.partition(":")
        options: dict[str, str] = {}
        for part in filter(None, rest.split(",")):
            key, sign, value = part.partition("=")
            if not (key and sign):
                raise PlanError(f"{text!r}: {part!r} is no option", where=where, hint=HOW)
            options[key] = value
        if not (pu and equals and name):
            raise PlanError(f"{text!r} is no pair", where=where, hint=HOW)
        if pu in found:
            raise PlanError(f"{pu!r} is mapped twice", where=where)
        found[pu] = Target(name, options)
    return found


def settle_targets(
    plan: Plan,
    soc: SoC,
    given: Mapping[str, Target],
    roles: Mapping[str, str],
    choices: Iterable[str],
) -> dict[str, Target]:
    """The target of every PU that the plan uses, in the SoC's order.

    ``given`` names PUs, or clusters whose workers (``cpu.0``) share a target. What it leaves open
    follows from the unit's role where ``roles`` says so; ``choices`` are shown where it does not.

    Raises:
        PlanError: a PU that the SoC does not have, or whose target nothing tells.
    """
    known = {pu.name for pu in soc.pus} | {pu.name.split(".")[0] for pu in soc.pus}
    for pu in given:
        if pu not in known:
            raise PlanError(
                f"{pu!r} is no PU of {soc.name}", where=Location("--map"), hint=suggest(pu, known)
            )
    used = {partition.pu for partition in plan.partitions}
    settled: dict[str, Target] = {}
    open_pus = []
    for unit in soc.pus:
        if unit.name not in used:
            continue
        target = given.get(unit.name) or given.get(unit.name.split(".")[0])
        if target is None and unit.spec.role in roles:
            target = Target(roles[unit.spec.role])
        if target is None:
            open_pus.append(f"{unit.name} (a {unit.spec.role})")
        else:
            settled[unit.name] = target
    if open_pus:
        raise PlanError(
            f"nothing says what the runtime calls {', '.join(open_pus)}",
            where=Location("--map"),
            hint=f"{HOW}; names: {', '.join(choices)}",
        )
    return settled
