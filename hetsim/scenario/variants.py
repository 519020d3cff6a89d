"""A scenario with some of its values changed, made from what was read: nothing is read again.

Studies make thousands of variants of one scenario. A variant's changes are a mapping of paths to
values, as ``--set`` takes them, plus some kinds of paths of its own::

    npu.sram, links.bus.bandwidth, soc.…     the SoC (see :mod:`hetsim.overrides`)
    execution, fidelity, seed, soc, …        fields of the scenario listed in :data:`SCENARIO`
    schedulers.LABEL.PARAMETER               a parameter of one of the scenario's schedulers
    dims.NAME                                an open dimension of its networks
    weights.FIELD                            how the weights of its networks are stored
    streams.NAME.FIELD, serve.FIELD          its streams, and how they are served
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.names import suggest
from hetsim.overrides import Override, apply_overrides
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import Scenario, labels, load_scenario, own_changes, resized
from hetsim.scenario.refs import SchedulerRef
from hetsim.scenario.schema import ScenarioSpec
from hetsim.scenario.streams import service_of
from hetsim.soc.loader import build_soc, read_soc
from hetsim.soc.model import SoC
from hetsim.validation import validate
from hetsim.yamlio import Document, parse_value

SCENARIO = ("soc", "execution", "fidelity", "seed")
"""Fields of a scenario that a study may vary."""

WITHIN = ("weights", "streams", "serve")
"""Fields within which it may vary what stands there."""


def asked(
    scenario: str | Path | Scenario,
    overrides: Mapping[str, object] | None = None,
    *,
    soc: str | Path | SoC | None = None,
    **choices: Any,
) -> Scenario:
    """What a notebook asks for: a scenario by shipped name, by path or as loaded, and changes.

    ``overrides`` are what ``--set`` takes, on top of ``soc``; ``choices`` are those of
    :func:`hetsim.scenario.choices.choose`.

    Raises:
        ConfigError: something of it cannot be used.
    """
    changes = overrides or {}
    if not isinstance(scenario, str | Path | Scenario):
        raise ConfigError(
            f"{type(scenario).__name__} is no scenario",
            where=Location("scenario"),
            hint="give a name of 'hetsim list scenarios', a file, or what hetsim.load_scenario"
            " returns",
        )
    if not isinstance(scenario, Scenario):
        # Named together with its changes it may be changed in all its fields.
        scenario = load_scenario(scenario, None if soc is not None else changes)
        changes = changes if soc is not None else {}
    return varied(choose(scenario, soc=soc, **choices), changes)


def varied(scenario: Scenario, changes: Mapping[str, object], asked_by: str = "--set") -> Scenario:
    """``scenario`` with ``changes`` applied; ``asked_by`` is what errors say instead of a line.

    Raises:
        ConfigError: a path that leads nowhere, a value that is not allowed there.
    """
    for_soc: dict[str, object] = {}
    for_scenario: dict[str, object] = {}
    result = scenario
    for path, value in changes.items():
        where = Location(f"{asked_by} {path}")
        first, _, rest = path.partition(".")
        if path in SCENARIO or first in WITHIN:
            for_scenario[path] = Override(value, where)
        elif first == "schedulers" and rest:
            result = _with_parameter(result, rest, value, where)
        elif first == "dims" and rest:
            result = replace(result, models=resized(result.models, rest, value, where))
        elif first in ScenarioSpec.model_fields and first != "soc":
            raise ConfigError(
                f"a study cannot vary {path!r}",
                where=where,
                hint=f"it can vary {', '.join(SCENARIO)}, schedulers.LABEL.PARAMETER,"
                " weights.FIELD, dims.NAME, streams.NAME.FIELD, serve.FIELD, and the SoC",
            )
        else:
            for_soc[rest if first == "soc" else path] = Override(value, where)
    document = result.soc_document
    if for_scenario:
        changed = apply_overrides(result.document, for_scenario, WITHIN)
        spec = validate(ScenarioSpec, changed)
        result = replace(
            result,
            document=changed,
            reading=spec.reading,
            service=service_of(spec, changed, labels(result.models), labels(result.schedulers)),
            **{name: getattr(spec, name) for name in for_scenario if name in SCENARIO[1:]},
        )
        if "soc" in for_scenario:
            document = _soc_named(spec.soc, changed.where(("soc",)))
            document = apply_overrides(document, own_changes(changed))
    if for_soc or document is not result.soc_document:
        document = apply_overrides(document, for_soc)
        result = replace(result, soc_document=document, soc=build_soc(document))
    return result


@lru_cache(maxsize=64)
def _soc_named(name: str, where: Location) -> Document:
    # Named on a command line: relative to where the command was given.
    return read_soc(name, where=where)


def _with_parameter(scenario: Scenario, path: str, value: object, where: Location) -> Scenario:
    label, _, parameter = path.partition(".")
    refs = scenario.schedulers
    labels = [ref.label for ref in refs]
    if label not in labels or not parameter:
        raise ConfigError(
            f"{path!r} is not LABEL.PARAMETER of a scheduler that the scenario lists",
            where=where,
            hint=suggest(label, labels, "listed"),
        )
    if isinstance(value, str):
        value = parse_value(value, where)
    return replace(scenario, schedulers=tuple(_tuned(r, label, parameter, value) for r in refs))


def _tuned(ref: SchedulerRef, label: str, parameter: str, value: Any) -> SchedulerRef:
    if ref.label != label:
        return ref
    return ref.with_parameter(parameter, value)
