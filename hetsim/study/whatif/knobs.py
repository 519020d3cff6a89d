"""Every parameter of a SoC that can change a makespan, with what "less" and "more" of it mean.

Derived by walking the fields of the SoC's own description, so a field that is added to the schema
is varied, too. The rules, by type of field:

==========================  ======================  =====================================
type                        less                    more
==========================  ======================  =====================================
quantity (size, bandwidth,  half                    double
time, frequency, width)
share of one                half                    double, at most 1
count                       half, at least 1        double
other positive number       half                    double
list or table of these      all entries together
fields that change jointly  as their description says (:meth:`~hetsim.soc.fields.Spec.joints`)
yes/no, choice              –                       each other choice is an alternative
processing unit             –                       a second one, if it is ``repeatable``
==========================  ======================  =====================================

Left out is what no makespan depends on (powers, energies, area and cost models, ``uncertainty``,
``preemptible``), what is not a size (names, paths, layouts, operator lists, the channels that share
a memory's bandwidth), operating points not in force, parameters that are zero or absent, and the
measured ``slowdown`` tables.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Le
from pydantic.fields import FieldInfo

from hetsim.scenario.loader import Scenario
from hetsim.soc.fields import Quantity, Spec
from hetsim.soc.pu import PUSpec
from hetsim.soc.turning import Joint
from hetsim.units import format_quantity

SKIPPED = frozenset(
    {
        "slowdown", "operators", "precision", "priority", "area", "cost", "operating_points",
        "channels", "interleave", "uncertainty", "preemptible",
    }
)  # fmt: skip
"""Fields that are not walked, see above; operating points are, for the one in force."""

UNVARIED = frozenset({"power", "energy"})
"""Dimensions on which no makespan depends."""

_BASE_UNIT = {"size": "B", "bandwidth": "B/s", "time": "s", "frequency": "Hz", "width": "B"}


@dataclass(frozen=True)
class Change:
    """New values by path, in a few words; ``factor`` is new over old where that is a number."""

    label: str
    values: Mapping[str, object]
    factor: float | None = None


@dataclass(frozen=True)
class Knob:
    """A parameter: its name, the part of the SoC it belongs to, its changes.

    ``name`` is its path without the section, or a few words where the path says less.

    ``alternatives`` are changes that are neither less nor more. ``better`` is the side that a
    designer pays for: ``less`` of a time, ``more`` of everything else.
    """

    name: str
    component: str
    now: str
    less: Change | None = None
    more: Change | None = None
    alternatives: tuple[Change, ...] = ()
    better: Literal["less", "more"] = "more"

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes: less, more, then the alternatives."""
        sides = [side for side in (self.less, self.more) if side is not None]
        return (*sides, *self.alternatives)

    @property
    def improvement(self) -> Change | None:
        """The change towards the better side."""
        return self.less if self.better == "less" else self.more


def knobs_of(scenario: Scenario) -> tuple[Knob, ...]:
    """All knobs of the scenario's SoC, in the order of its file's sections."""
    spec = scenario.soc.spec
    found: list[Knob] = []
    for section in ("memory", "links", "pus"):
        for name, part in getattr(spec, section).items():
            found += _walk(part, f"{section}.{name}", name)
            if isinstance(part, PUSpec):
                found += _point_in_force(part, f"{section}.{name}", name)
                found += _another(scenario, name, part)
    found += _walk(spec.runtime, "runtime", "runtime")
    return tuple(found)


def _walk(spec: Spec, path: str, component: str) -> Iterator[Knob]:
    joint_of = {field: joint for joint in spec.joints() for field in joint.fields}
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        below = f"{path}.{field.alias or name}"
        if name in joint_of:
            if name == joint_of[name].fields[0]:
                knob = _joint(joint_of[name], path, component)
                if knob.changes:
                    yield knob
        elif name in SKIPPED or value is None:
            continue
        elif isinstance(value, Spec):
            yield from _walk(value, below, component)
        else:
            yield from _knob(spec, name, field, value, below, component)


def _joint(joint: Joint, path: str, component: str) -> Knob:
    def side(factor: float) -> Change | None:
        new = joint.turned(factor)
        if new is None:
            return None
        values = {f"{path}.{field}": value for field, value in new.values.items()}
        return Change(new.label, values, new.ratio)

    name = _short(f"{path}.{joint.name}" if joint.name else path)
    return Knob(name, component, joint.now, side(0.5), side(2.0))


def _knob(
    spec: Spec, name: str, field: FieldInfo, value: Any, path: str, component: str
) -> Iterator[Knob]:
    leaves = list(_metadata(field))
    quantity = next((leaf for leaf in leaves if isinstance(leaf, Quantity)), None)
    choices = list(_choices(field.annotation))
    if isinstance(value, bool):
        other = not value
        change = Change(str(other).lower(), {path: other})
        yield Knob(_short(path), component, str(value).lower(), alternatives=(change,))
    elif choices and len(choices) > 1:
        parent = path.rpartition(".")[0]
        changes = tuple(
            Change(str(choice), {path: choice, **{f"{parent}.{f}": v for f, v in along.items()}})
            for choice in choices
            if choice != value and (along := spec.along(name, choice)) is not None
        )
        if changes:
            yield Knob(_short(path), component, str(value), alternatives=changes)
    elif quantity is not None:
        if quantity.dimension not in UNVARIED and value:
            yield _scaled(path, component, value, quantity=quantity)
    elif _is_number(value) and value and (name in spec.model_fields_set or _limits(leaves)):
        yield _scaled(path, component, value, cap=_cap(leaves))


def _scaled(
    path: str,
    component: str,
    value: Any,
    *,
    quantity: Quantity | None = None,
    cap: float | None = None,
) -> Knob:
    """A knob whose sides are half and double."""

    def spell(number: Any) -> Any:
        unit = _BASE_UNIT[quantity.dimension] if quantity is not None else ""
        return f"{number!r} {unit}" if unit else number

    def show(number: Any) -> str:
        if isinstance(number, dict | list):
            return f"{len(number)} values" if len(number) > 1 else "1 value"
        if quantity is not None:
            return format_quantity(number, quantity.dimension)
        return f"{number:.4g}"

    def side(factor: float) -> Change | None:
        new = _multiplied(value, factor, cap)
        if new == value:
            return None
        label = f"{factor:g}×" if isinstance(value, dict | list) else show(new)
        achieved = new / value if not isinstance(value, dict | list) else factor
        return Change(label, {path: _each(new, spell)}, achieved)

    time = quantity is not None and quantity.dimension == "time"
    return Knob(
        _short(path), component, show(value), side(0.5), side(2.0),
        better="less" if time else "more",
    )  # fmt: skip


def _point_in_force(spec: PUSpec, path: str, component: str) -> Iterator[Knob]:
    name = next(n for n, p in spec.operating_points.items() if p is spec.point)
    for knob in _walk(spec.point, f"{path}.operating_points.{name}", component):
        # "cpu clock" says as much as cpu.operating_points.nominal.clock, which --set wants.
        yield replace(knob, name=f"{component} {knob.name.rpartition('.')[2]}")
    others = [other for other in spec.operating_points if other != name]
    if others:
        changes = tuple(Change(o, {f"{path}.operating_point": o}) for o in others)
        yield Knob(_short(f"{path}.operating_point"), component, name, alternatives=changes)


def _another(scenario: Scenario, name: str, spec: PUSpec) -> Iterator[Knob]:
    """A second one beside it."""
    data = scenario.soc_document.get(("pus", name))
    if not spec.repeatable or not isinstance(data, dict):
        return
    taken = scenario.soc.spec.pus
    new = next(n for k in range(2, 1000) if (n := f"{name}_{k}") not in taken)
    change = Change("2", {f"pus.{new}": data})
    yield Knob(f"number of {name}", name, "1", alternatives=(change,))


def _metadata(field: FieldInfo) -> Iterator[object]:
    """What annotations say about the numbers in a field, however deep."""
    yield from field.metadata
    yield from _annotations(field.annotation)


def _annotations(annotation: Any) -> Iterator[object]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        if get_origin(annotation) is not Literal:
            yield from _annotations(argument)
    for item in getattr(annotation, "__metadata__", ()):
        if isinstance(item, FieldInfo):
            yield from item.metadata


def _choices(annotation: Any) -> Iterator[object]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from _choices(argument)


def _is_number(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_number(v) for v in value.values())
    if isinstance(value, list):
        return bool(value) and all(_is_number(v) for v in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limits(leaves: list[object]) -> bool:
    """Whether a number says what range it is from; one that does not is a label, not a size."""
    return any(isinstance(leaf, Le) or hasattr(leaf, "metadata") for leaf in leaves)


def _cap(leaves: list[object]) -> float | None:
    flat = [m for leaf in leaves for m in [leaf, *getattr(leaf, "metadata", ())]]
    caps = [float(leaf.le) for leaf in flat if isinstance(leaf, Le)]  # type: ignore[arg-type]
    return min(caps, default=None)


def _multiplied(value: Any, factor: float, cap: float | None) -> Any:
    if isinstance(value, dict):
        return {key: _multiplied(item, factor, cap) for key, item in value.items()}
    if isinstance(value, list):
        return [_multiplied(item, factor, cap) for item in value]
    if isinstance(value, int):
        new = max(1, int(value * factor))
        return new if cap is None else min(new, int(cap))
    return value * factor if cap is None else min(value * factor, cap)


def _each(value: Any, spell: Any) -> Any:
    if isinstance(value, dict):
        return {key: _each(item, spell) for key, item in value.items()}
    if isinstance(value, list):
        return [_each(item, spell) for item in value]
    return spell(value)


def _short(path: str) -> str:
    """A path as ``--set`` understands it without its section."""
    words = path.split(".")
    return ".".join(words[1:] if words[0] in ("pus", "links", "memory") else words)
