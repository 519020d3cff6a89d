"""What a SoC description may say: the schema of ``socs/*.yaml``.

Quantities are SI floats once loaded (see :mod:`hetsim.units`). Every field changes a result; a
field that did not would be a defect. This module holds the whole SoC, its memories, links and
runtime; processing units have a module each and are listed in :mod:`hetsim.soc.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Discriminator, Field, SerializeAsAny, Tag, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from hetsim.names import suggest
from hetsim.soc.accelerator import AcceleratorSpec as AcceleratorSpec
from hetsim.soc.cpu import CPUClusterSpec as CPUClusterSpec
from hetsim.soc.fields import (
    Bandwidth,
    Energy,
    Fraction,
    Frequency,
    Name,
    Size,
    Time,
    Width,
    detail,
    one_or_many,
)
from hetsim.soc.fields import Quantity as Quantity
from hetsim.soc.fields import Spec as Spec
from hetsim.soc.npu import BufferSizes as BufferSizes
from hetsim.soc.npu import DMASpec as DMASpec
from hetsim.soc.npu import GemmCore as GemmCore
from hetsim.soc.npu import NPUSpec as NPUSpec
from hetsim.soc.npu import SystolicArray as SystolicArray
from hetsim.soc.price import AdditiveModel as AdditiveModel
from hetsim.soc.pu import Crossing as Crossing
from hetsim.soc.pu import OfItsKind
from hetsim.soc.pu import OperatingPoint as OperatingPoint
from hetsim.soc.pu import OperatorRule as OperatorRule
from hetsim.soc.pu import PUSpec as PUSpec


class MemorySpec(Spec):
    """A memory: the last link of every path, and where tensors live between partitions."""

    bandwidth: Bandwidth = Field(description="peak bandwidth")
    efficiency: Annotated[
        Annotated[Fraction, Tag("one share")]
        | Annotated[list[Fraction], Field(min_length=1), Tag("list of shares")],
        Discriminator(one_or_many("one share", "list of shares")),
    ] = Field(
        default=1.0,
        description="share of the peak that is reached; a list gives it for 1, 2, 3, ... concurrent"
        " transfers (row-buffer interference), the last value holding beyond",
    )
    latency: Time = Field(default=0.0, description="first-access latency added to every transfer")
    capacity: Size = Field(description="size; weights and live tensors must fit")
    energy_per_byte: Energy = Field(default=0.0, description="energy of moving one byte")


Arbitration = Literal["max_min_fair", "weighted", "priority", "fifo"]


class LinkSpec(Spec):
    """A bus or port: ``bandwidth``, or ``width`` and ``clock``."""

    bandwidth: Bandwidth | None = None
    width: Width | None = None
    clock: Frequency | None = None
    arbitration: Arbitration = Field(
        default="max_min_fair", description="how concurrent transfers share the link"
    )
    latency: Time = Field(default=0.0, description="added to every transfer")

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> LinkSpec:
        pair = self.width is not None and self.clock is not None
        if (self.bandwidth is None) != pair or (not pair and (self.width or self.clock)):
            raise ValueError("give either 'bandwidth', or both 'width' and 'clock'")
        return self

    @property
    def bytes_per_second(self) -> float:
        """The link's bandwidth in B/s."""
        if self.bandwidth is not None:
            return float(self.bandwidth)
        assert self.width is not None
        assert self.clock is not None
        return float(self.width * self.clock)


class RuntimeSpec(Spec):
    """The software that calls partitions: who it runs on and what its calls cost."""

    host: Name = Field(description="the cpu_cluster whose threads convert, poll and call")
    partition_call: Time = Field(default=0.0, description="calling one partition")
    thread_create: Time = Field(default=0.0, description="forking one member of a parallel group")
    thread_join: Time = Field(default=0.0, description="joining one member of a parallel group")


class SoCSpec(Spec):
    """A whole SoC, as written in its file."""

    hetsim: Literal["soc/1"] = Field(description="format of this file")
    name: str
    description: str = ""
    memory: dict[Name, MemorySpec] = Field(min_length=1)
    links: dict[Name, LinkSpec] = Field(default_factory=dict)
    pus: dict[Name, Annotated[SerializeAsAny[PUSpec], OfItsKind()]] = Field(min_length=1)
    runtime: RuntimeSpec
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
            *self._host_faults(),
            *self._idle_faults(),
            *self._price_faults(),
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

    def _path_faults(self) -> Iterator[InitErrorDetails]:
        for pu, spec in self.pus.items():
            yield from self._faults_of_path(("pus", pu, "path"), spec.path)
            for memory, path in spec.routes.items():
                place: tuple[str | int, ...] = ("pus", pu, "routes", memory)
                if memory == spec.path[-1]:
                    message = f"{memory!r} is where 'path' leads already"
                    yield detail((*place, "[key]"), message, memory)
                elif path[-1:] != [memory]:
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

    def _host_faults(self) -> Iterator[InitErrorDetails]:
        clusters = [name for name, spec in self.pus.items() if spec.kind == "cpu_cluster"]
        host = self.runtime.host
        if host not in clusters:
            hint = suggest(host, clusters, "clusters")
            yield detail(("runtime", "host"), f"no cpu_cluster is called {host!r}; {hint}", host)

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
