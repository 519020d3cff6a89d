"""From ``streams`` and ``serve`` of a scenario file to its checked :class:`Service`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from pathlib import Path

import numpy as np

from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.infiles import user_path
from hetsim.names import suggest
from hetsim.scenario.schema import ScenarioSpec
from hetsim.schedulers.joint.registry import create_joint_scheduler
from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.runtimes.registry import DEFAULT
from hetsim.streams.schema import DispatcherSpec, ServeSpec, StreamSpec
from hetsim.streams.service import DispatcherRef, Service, Stream
from hetsim.yamlio import Document

MOST = 100_000_000
"""Inferences that one stream may bring: a day of simulating, a gigabyte or two of them."""


def service_of(
    spec: ScenarioSpec, document: Document, models: Sequence[str], schedulers: Sequence[str]
) -> Service | None:
    """The streams of a scenario with such ``models`` and ``schedulers``, by label.

    ``None`` where it has none.

    Raises:
        ConfigError: a stream of an unknown model, scheduler or stream; two of one name; streams
            that never end or never begin; a file of arrivals that cannot be used.
    """
    if not spec.streams:
        if spec.serve is not None:
            raise ConfigError(
                "'serve' has no effect: there are no 'streams'", where=document.where(("serve",))
            )
        return None
    if spec.execution != DEFAULT:
        raise ConfigError(
            _NO_EXECUTION.format(spec.execution), where=document.where(("execution",)), hint=_RATHER
        )
    serve = spec.serve or ServeSpec()
    found: dict[str, Stream] = {}
    for i, entry in enumerate(spec.streams):
        for key, name, known in (
            ("model", entry.model, models), ("scheduler", entry.scheduler, schedulers)
        ):  # fmt: skip
            if name is not None and name not in known:
                raise ConfigError(
                    f"streams[{i}].{key}: the scenario has no {key} {name!r}",
                    where=document.where(("streams", i, key)),
                    hint=suggest(name, known),
                )
        stream = _stream(i, entry, document)
        if stream.name in found:
            raise ConfigError(
                f"two streams are called {stream.name!r}; the first stands at"
                f" {found[stream.name].where}",
                where=stream.where,
                hint="give one a 'name' of its own",
            )
        found[stream.name] = stream
    for i, stream in enumerate(found.values()):
        _check_end(i, stream, serve, document)
        for name in stream.arrivals.follows(stream.name):
            if name not in found:
                raise ConfigError(
                    f"streams[{i}] follows {name!r}, and there is no such stream",
                    where=document.where(("streams", i, "arrivals")),
                    hint=suggest(name, found),
                )
    _check_begin(found)
    _check_number(found.values(), serve)
    if isinstance(serve.warm_up, float) and serve.warm_up >= (serve.duration or inf):
        raise ConfigError(
            f"nothing is left after a 'warm_up' of {serve.warm_up:g} s: 'duration' is"
            f" {serve.duration:g} s",
            where=document.where(("serve", "warm_up")),
        )
    return Service(
        tuple(found.values()),
        inf if serve.duration is None else serve.duration,
        serve.warm_up,
        tuple(_dispatchers(serve, document)),
        serve.preemption_cost,
        serve.backlog,
        tuple(_ways(serve, document)),
    )


_NO_EXECUTION = "execution {!r} has no effect on 'streams': their dispatchers decide"
_RATHER = "leave it out, or choose 'serve.dispatchers'; {name: priority, parameters: {preemptive: \
true}} lets the more urgent go between launches"


def check_choices(
    service: Service,
    models: Sequence[str],
    schedulers: Sequence[str],
    execution: str | None,
    asked_by: tuple[str, str],
) -> None:
    """Whether streams can run with the models and schedulers that were chosen in place of theirs.

    Raises:
        ConfigError: at one of ``asked_by`` (who chose models, who chose schedulers).
    """
    for stream in service.streams:
        for what, name, known, place in (
            ("runs", stream.model, models, asked_by[0]),
            ("is planned by", stream.scheduler, schedulers, asked_by[1]),
        ):
            if name is not None and name not in known:
                raise ConfigError(
                    f"stream {stream.name!r} {what} {name!r}, which is not among those chosen",
                    where=Location(place), hint=f"choose {name!r} as well, or change the stream"
                    f" at {stream.where}",
                )  # fmt: skip
    if execution not in (None, DEFAULT):
        raise ConfigError(
            _NO_EXECUTION.format(execution), where=Location("execution"), hint=_RATHER
        )


def plans_for_nothing(asked_by: str) -> ConfigError:
    """The error for plan files that are to run beside streams, which name their own."""
    return ConfigError(
        "a scenario with streams runs no other plans", where=Location(asked_by),
        hint="give a stream its 'plan': --set streams.NAME.plan=FILE",
    )  # fmt: skip


def _stream(i: int, entry: StreamSpec, document: Document) -> Stream:
    directory = Path(document.file).parent
    plan = None
    if entry.plan is not None:
        where = document.where(("streams", i, "plan"))
        plan = directory / user_path(entry.plan, where)
        if not plan.is_file():
            problem = "is a directory" if plan.is_dir() else "does not exist"
            raise ConfigError(f"plan file {str(plan)!r} {problem}", where=where)
    return Stream(
        entry.name or entry.model,
        entry.model,
        entry.arrivals.ready(directory, document.where(("streams", i, "arrivals", "file"))),
        entry.priority,
        inf if entry.deadline is None else entry.deadline,
        entry.deadline_from,
        entry.late,
        entry.queue,
        entry.when_full,
        entry.in_flight,
        entry.count,
        entry.start,
        inf if entry.until is None else entry.until,
        entry.scheduler,
        plan,
        document.where(("streams", i)),
    )


def _check_end(i: int, stream: Stream, serve: ServeSpec, document: Document) -> None:
    bounded = serve.duration is not None or stream.count is not None or stream.until_s < inf
    if not bounded and not stream.arrivals.ends:
        raise ConfigError(
            f"stream {stream.name!r} never ends",
            where=stream.where,
            hint="give it a 'count' or an 'until', or 'serve' a 'duration'",
        )
    if serve.duration is not None and stream.start_s >= serve.duration:
        raise ConfigError(
            f"stream {stream.name!r} enters after {stream.start_s:g} s, and nothing arrives after"
            f" the 'duration' of {serve.duration:g} s",
            where=document.where(("streams", i, "start")),
        )


def _check_number(streams: Iterable[Stream], serve: ServeSpec) -> None:
    """No stream may bring more than anybody waits for."""
    for stream in streams:
        rate = stream.arrivals.rate
        if rate is None or stream.arrivals.ends:
            continue
        end = min(stream.until_s, inf if serve.duration is None else serve.duration)
        number = min(rate * (end - stream.start_s), inf if stream.count is None else stream.count)
        if number > MOST:
            raise ConfigError(
                f"stream {stream.name!r} brings {number:.3g} inferences; at most {MOST:,} are"
                " simulated",
                where=stream.where,
                hint="give it a 'count', or 'serve' a shorter 'duration'",
            )


def _check_begin(streams: Mapping[str, Stream]) -> None:
    """Every stream needs arrivals, or one behind whose ends it arrives.

    What goes round in a circle has none, however small or large its probabilities: each waits for
    the others.
    """
    drawn = np.random.default_rng(0)
    begun = {name for name, stream in streams.items()
             if next(iter(stream.arrivals.times(drawn)), None) is not None}  # fmt: skip
    for _ in streams:
        begun |= {name for name, stream in streams.items()
                  if begun & set(stream.arrivals.follows(name))}  # fmt: skip
    for name, stream in streams.items():
        if name in begun:
            continue
        way = [name]
        while (before := next(iter(streams[way[-1]].arrivals.follows(way[-1])), None)) is not None:
            way.append(before)
            if before in way[:-1]:
                circle = " after ".join(repr(each) for each in way[way.index(before) :])
                raise ConfigError(
                    f"streams wait for one another in a circle, so none of them begins: {circle}",
                    where=streams[before].where,
                    hint="give one of them arrivals of its own",
                )
        raise ConfigError(f"nothing ever arrives in stream {way[-1]!r}", where=stream.where)


def _ways(serve: ServeSpec, document: Document) -> Iterator[str]:
    for i, name in enumerate(serve.plans):
        where = document.where(("serve", "plans", i))
        if name in serve.plans[:i]:
            raise ConfigError(f"serve.plans names {name!r} twice", where=where)
        name = _by_file(name, document)
        try:  # a mistake shows before anything runs
            create_joint_scheduler(name)
        except HetsimError as error:
            error.where = error.where or where
            raise
        yield name


def _by_file(name: str, document: Document) -> str:
    """``FILE.py:CLASS`` from the root where ``name`` says it from the scenario's directory."""
    file, colon, attribute = name.rpartition(":")
    if colon and file.endswith(".py"):
        return f"{(Path(document.file).parent / file).absolute()}:{attribute}"
    return name


def _dispatchers(serve: ServeSpec, document: Document) -> Iterator[DispatcherRef]:
    labels: set[str] = set()
    for i, entry in enumerate(serve.dispatchers):
        said = DispatcherSpec(name=entry) if isinstance(entry, str) else entry
        where = document.where(("serve", "dispatchers", i))
        name, label = said.name, said.label or said.name
        name = _by_file(name, document)
        if label in labels:
            raise ConfigError(
                f"two dispatchers are called {label!r}", where=where,
                hint="remove one, or give it a 'label' of its own",
            )  # fmt: skip
        labels.add(label)
        try:  # a mistake shows before anything runs
            made = create_dispatcher(name, said.parameters)
        except HetsimError as error:
            error.where = error.where or where
            raise
        yield DispatcherRef(name, label, said.parameters, said.overhead, made.grain, where)
