"""What a SoC description may say: the schema of ``socs/*.yaml``.

Quantities are SI floats once loaded (see :mod:`hetsim.units`). Every field changes a result; a
field that did not would be a defect. This module holds the whole SoC and its runtime; processing
units have a module each and are listed in :mod:`hetsim.soc.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, SerializeAsAny, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from hetsim.names import suggest
from hetsim.soc.calibrated import Calibration
from hetsim.soc.fields import Bandwidth, Name, Spec, Time, detail
from hetsim.soc.kinds import OF_ITS_KIND
from hetsim.soc.links import Arbitration as Arbitration
from hetsim.soc.links import LinkSpec, MemorySpec
from hetsim.soc.price import AdditiveModel
from hetsim.soc.pu import PUSpec as PUSpec


class RuntimeSpec(Spec):
    """The software that calls partitions: who it runs on and what its calls cost."""

    host: Name = Field(
        description="the unit, a cpu_cluster as a rule, whose threads convert, poll and call"
    )
    partition_call: Time = Field(default=0.0, description="calling one partition")
    thread_create: Time = Field(default=0.0, description="forking one member of a parallel group")
    thread_join: Time = Field(default=0.0, description="joining one member of a parallel group")
    exchange: Literal["native", "host"] = Field(
        default="native",
        description="the format in which partitions leave what others read: their unit's own, which"
        " the reader's host thread converts; or the host's, in and out of every partition",
    )
    input_copy: Bandwidth | None = Field(
        default=None,
        description="rate at which the host copies the inputs of each partition before it is"
        " called; absent = it reads them where they are",
    )


class SoCSpec(Spec):
    """A whole SoC, as written in its file."""

    hetsim: Literal["soc/1"] = Field(description="format of this file")
    name: str
    description: str = ""
    memory: dict[Name, MemorySpec] = Field(min_length=1)
    links: dict[Name, LinkSpec] = Field(default_factory=dict)
    pus: dict[Name, Annotated[SerializeAsAny[PUSpec], OF_ITS_KIND]] = Field(min_length=1)
    runtime: RuntimeSpec
    calibrated: list[Calibration] = Field(
        default_factory=list,
        description="what the figures were fitted to, and the error on what no fit has seen",
    )
    area: AdditiveModel | None = Field(
        default=None, description="die area, mm²; what exploration may minimise or bound"
    )
    cost: AdditiveModel | None = Field(
        default=None, description="price of a SoC with its memory, in any currency; likewise"
    )

    @model_validator(mode="after")
    def _references_hold(self) -> SoCSpec:
        faults = [
            *self._name_faults(),
            *self._path_faults(),
            *self._duplex_faults(),
            *self._cache_faults(),
            *self._host_faults(),
            *self._idle_faults(),
            *self._price_faults(),
            *self._calibration_faults(),
        ]
        if faults:
            raise ValidationError.from_exception_data("SoC", faults)
        return self

    def _name_faults(self) -> Iterator[InitErrorDetails]:
        for name in self.links:
            if name in self.memory:
                yield detail(
                    ("links", name, "[key]"), f"{name!r} is also the name of a memory", name
                )

    def _calibration_faults(self) -> Iterator[InitErrorDetails]:
        for i, fit in enumerate(self.calibrated):
            if fit.unit not in self.pus:
                hint = suggest(fit.unit, list(self.pus))
                yield detail(
                    ("calibrated", i, "unit"), f"no unit is called {fit.unit!r}; {hint}", fit.unit
                )

    def _path_faults(self) -> Iterator[InitErrorDetails]:
        known = {*self.links, *self.memory}
        for pu, spec in self.pus.items():
            yield from self._faults_of_path(("pus", pu, "path"), spec.path)
            for memory, path in spec.routes.items():
                place: tuple[str | int, ...] = ("pus", pu, "routes", memory)
                if memory == spec.path[-1]:
                    message = f"{memory!r} is where 'path' leads already"
                    yield detail((*place, "[key]"), message, memory)
                elif not path or (path[-1] != memory and path[-1] in known):
                    message = f"a route to {memory!r} ends in that memory"
                    yield detail(place, message, path)
                else:
                    yield from self._faults_of_path(place, path)

    def _faults_of_path(
        self, where: tuple[str | int, ...], path: list[str]
    ) -> Iterator[InitErrorDetails]:
        for i, name in enumerate(path):
            place: tuple[str | int, ...] = (*where, i)
            last = i == len(path) - 1
            if name not in self.links and name not in self.memory:
                hint = suggest(name, [*self.links, *self.memory])
                yield detail(place, f"no link or memory is called {name!r}; {hint}", name)
            elif name in path[:i]:
                yield detail(place, f"link {name!r} stands twice in this path", name)
            elif last and name not in self.memory:
                memories = ", ".join(self.memory)
                message = f"a path ends in a memory ({memories}), and {name!r} is a link"
                yield detail(place, message, name)
            elif not last and name in self.memory:
                message = f"{name!r} is a memory, which only the end of a path may be"
                yield detail(place, message, name)

    def _duplex_faults(self) -> Iterator[InitErrorDetails]:
        """The near side of a link: memories behind it, and not all of them."""
        paths = [path for spec in self.pus.values() for path in (spec.path, *spec.routes.values())]
        for name, link in self.links.items():
            behind = {path[-1] for path in paths if name in path}
            place = ("links", name, "backwards")
            for i, memory in enumerate(link.backwards):
                if memory not in behind:
                    hint = suggest(memory, sorted(behind))
                    message = f"no path over {name!r} leads to {memory!r}; {hint}"
                    yield detail((*place, i), message, memory)
            if link.backwards and link.duplex == "half":
                yield detail(place, "has no effect with duplex: half; leave it out", link.backwards)
            elif link.backwards and behind <= set(link.backwards):
                message = "has no effect: it names all memories behind the link; leave it out"
                yield detail(place, message, link.backwards)

    def _cache_faults(self) -> Iterator[InitErrorDetails]:
        """Units whose path crosses each cache, and no second one."""
        caches = [name for name, link in self.links.items() if link.cache is not None]
        for pu, spec in self.pus.items():
            crossed = [i for i, name in enumerate(spec.path) if name in caches]
            for i in crossed[1:]:
                message = f"the path crosses two caches, {spec.path[crossed[0]]!r} and this one"
                yield detail(("pus", pu, "path", i), message, spec.path[i])
        for name in caches:
            able = [pu for pu, spec in self.pus.items() if name in spec.path]
            cache = self.links[name].cache
            assert cache is not None
            if not able:
                message = "has no effect: no unit's path crosses it"
                yield detail(("links", name, "cache"), message, cache)
            if self.links[name].duplex == "full":
                message = "a cache reads and writes in turn; put a full-duplex link before it"
                yield detail(("links", name, "duplex"), message, "full")
            for i, pu in enumerate(cache.units or ()):
                if pu not in able:
                    message = f"the path of {pu!r} does not cross this cache; {suggest(pu, able)}"
                    yield detail(("links", name, "cache", "units", i), message, pu)

    def _host_faults(self) -> Iterator[InitErrorDetails]:
        able = {name: spec.kind for name, spec in self.pus.items() if spec.thread_cores}
        host = self.runtime.host
        if host not in able:
            kinds = " or ".join(dict.fromkeys(able.values())) or "unit with cores for threads"
            hint = suggest(host, able, "clusters")
            yield detail(("runtime", "host"), f"no {kinds} is called {host!r}; {hint}", host)

    def _idle_faults(self) -> Iterator[InitErrorDetails]:
        """Knobs that would do nothing: shares and classes on links that do not look at them."""
        for pu, spec in self.pus.items():
            crossed = (name for path in (spec.path, *spec.routes.values()) for name in path)
            used = {self.links[name].arbitration for name in crossed if name in self.links}
            for knob, arbitration in (("weight", "weighted"), ("priority", "priority")):
                if knob in spec.model_fields_set and arbitration not in used:
                    message = f"has no effect: no link of its path has arbitration: {arbitration}"
                    yield detail(("pus", pu, knob), message, getattr(spec, knob))

    def _price_faults(self) -> Iterator[InitErrorDetails]:
        for name, model in (("area", self.area), ("cost", self.cost)):
            for place, message, value in model.faults(self) if model is not None else ():
                yield detail((name, *place), message, value)
