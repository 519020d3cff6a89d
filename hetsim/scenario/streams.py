"""From ``streams`` and ``serve`` of a scenario file to its checked :class:`Service`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from hetsim.errors import ConfigError
from hetsim.names import suggest
from hetsim.scenario.schema import ScenarioSpec
from hetsim.sim.dispatchers.registry import dispatchers
from hetsim.streams.schema import DispatcherSpec, ServeSpec
from hetsim.streams.service import DispatcherRef, Service, Stream
from hetsim.yamlio import Document


def service_of(
    spec: ScenarioSpec, document: Document, models: Sequence[str], schedulers: Sequence[str]
) -> Service | None:
    """The streams of a scenario with such ``models`` and ``schedulers``, by label.

    ``None`` where it has none.

    Raises:
        ConfigError: a stream of an unknown model, scheduler or stream; two of one name; streams
            that never end.
    """
    if not spec.streams:
        if spec.serve is not None:
            raise ConfigError(
                "'serve' has no effect: there are no 'streams'", where=document.where(("serve",))
            )
        return None
    serve = spec.serve or ServeSpec()
    found: dict[str, Stream] = {}
    for i, entry in enumerate(spec.streams):
        where = document.where(("streams", i))
        for key, name, known in (
            ("model", entry.model, models), ("scheduler", entry.scheduler, schedulers)
        ):  # fmt: skip
            if name is not None and name not in known:
                raise ConfigError(
                    f"streams[{i}].{key}: the scenario has no {key} {name!r}",
                    where=document.where(("streams", i, key)),
                    hint=suggest(name, known),
                )
        name = entry.name or entry.model
        if name in found:
            raise ConfigError(
                f"two streams are called {name!r}; the first stands at {found[name].where}",
                where=where,
                hint="give one a 'name' of its own",
            )
        found[name] = Stream(
            name,
            entry.model,
            entry.arrivals,
            entry.priority,
            inf if entry.deadline is None else entry.deadline,
            entry.count,
            entry.scheduler,
            where,
        )
    for i, stream in enumerate(found.values()):
        for name in stream.arrivals.follows(stream.name):
            if name not in found:
                raise ConfigError(
                    f"streams[{i}] follows {name!r}, and there is no such stream",
                    where=document.where(("streams", i, "arrivals")),
                    hint=suggest(name, found),
                )
        if serve.duration is None and stream.count is None and stream.arrivals.rate is not None:
            raise ConfigError(
                f"stream {stream.name!r} never ends",
                where=stream.where,
                hint="give it a 'count', or 'serve' a 'duration'",
            )
    refs = tuple(_dispatchers(serve, document))
    duration = inf if serve.duration is None else serve.duration
    return Service(tuple(found.values()), duration, serve.warm_up, refs)


def _dispatchers(serve: ServeSpec, document: Document) -> Iterator[DispatcherRef]:
    for i, entry in enumerate(serve.dispatchers):
        said = DispatcherSpec(name=entry) if isinstance(entry, str) else entry
        where = document.where(("serve", "dispatchers", i))
        if said.name not in dispatchers():
            hint = suggest(said.name, dispatchers())
            raise ConfigError(f"unknown dispatcher {said.name!r}", where=where, hint=hint)
        yield DispatcherRef(said.name, said.label or said.name, said.parameters, where)
