"""How NEST-C calls operators and units."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hetsim.errors import PlanError
from hetsim.names import suggest
from hetsim.soc.model import PU, SoC

CPU_BACKENDS = ("Relay", "CPU")
"""Backends that run on the host's CPU units; the first is the one written."""

NPU_BACKENDS = ("VTA", "NPU")
"""Backends that run on NPUs; the first is the one written."""

_ILLEGAL = re.compile(r"[^A-Za-z0-9_]")
_INSTANCE = re.compile(r"(.+)-(\d+)")


def legal_name(name: str) -> str:
    """``name`` with everything NEST-C does not allow in names replaced by ``_``."""
    return _ILLEGAL.sub("_", name)


def backend_names(soc: SoC) -> dict[str, str]:
    """The backend written for each CPU and NPU, by PU name; ``-k`` where there are several."""
    names: dict[str, str] = {}
    for role, backend in (("cpu", CPU_BACKENDS[0]), ("npu", NPU_BACKENDS[0])):
        units = [pu for pu in _host_first(soc) if pu.spec.role == role]
        for k, pu in enumerate(units):
            names[pu.name] = backend if len(units) == 1 else f"{backend}-{k}"
    return names


def _host_first(soc: SoC) -> list[PU]:
    return sorted(soc.pus, key=lambda pu: (pu is not soc.host, pu.index))


def unit_of(backend: str, soc: SoC, backends: Mapping[str, str]) -> str:
    """The PU that a backend name means; ``backends`` are names that somebody settled.

    By default CPU backends are the CPU units starting with the host, NPU backends the NPUs, in SoC
    order; ``-k`` is the instance.

    Raises:
        PlanError: no such unit.
    """
    instance = _INSTANCE.fullmatch(backend)
    base, number = (instance[1], int(instance[2])) if instance else (backend, 0)
    if backend in backends:
        pu = backends[backend]
    elif base in backends and number == 0:
        pu = backends[base]
    else:
        roles = dict.fromkeys(CPU_BACKENDS, "cpu") | dict.fromkeys(NPU_BACKENDS, "npu")
        units = [u for u in _host_first(soc) if u.spec.role == roles.get(base)]
        if number >= len(units):
            raise PlanError(
                f"backendNames: the SoC has no unit for backend {backend!r}",
                hint=f"say which PU it is; known here: {', '.join(backend_names(soc).values())}",
            )
        pu = units[number].name
    if pu not in soc.by_name:
        raise PlanError(
            f"backend {backend!r} is mapped to {pu!r}, which is not a PU of the SoC",
            hint=suggest(pu, soc.by_name),
        )
    return pu
