"""NEST-C performance profiles: flat maps of keys to times, several files per backend.

Times are in microseconds unless the user says otherwise: older ones are in whole milliseconds.
``Type: ExeTime`` holds times, any other type (``CommTime``) what copying an operator's float32
inputs took, measured apart: PartitionTuner's T(n). Older files have one number for the whole
backend instead, ``commCost``. What NEST-C itself writes begins with a bare ``CommTime``, which is
not YAML; it is read as the type it stands for.

A key is the operator kind, the dimensions of input 0 (NHWC), the data type, and for convolutions
output channels, kernel and stride; a group joins keys with ``+``. Padding, groups, dilation, pool
kernels and the width of a Gemm are missing, so one key can stand for several operators.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hetsim.cost.fusion import sole_reader
from hetsim.cost.measured.keys import JOIN, operator_key
from hetsim.cost.measured.readers.base import UNITS, Findings, Request, finish, listed
from hetsim.cost.measured.table import CANNOT_RUN, Doubt, Entry, ProfileTable
from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text
from hetsim.workload.graph import Graph, Operator
from hetsim.yamlio import Document, parse_yaml

KINDS: Mapping[str, str] = {
    "Conv": "Convolution", "AveragePool": "AvgPool", "GlobalAveragePool": "AvgPool",
    "Softmax": "SoftMax", "LRN": "LocalResponseNormalization", "Gemm": "Gemm",
}  # fmt: skip
"""Names that NEST-C gives to ONNX kinds, where they differ."""

_SYNONYMS: Mapping[str, str] = {
    "fullyconnected": "gemm", "conv": "convolution", "averagepool": "avgpool",
    "globalaveragepool": "avgpool", "lrn": "localresponsenormalization",
}  # fmt: skip
"""Other spellings of kinds seen in files, in lower case."""

_DTYPES: Mapping[str, str] = {"float32": "float", "int8": "i8", "int32": "i32", "int64": "index64"}
TIMES, TRANSFERS = "ExeTime", "CommTime"
_HEADER = frozenset({"Type", "backendName", "commCost"})
_BARE = re.compile(rf"^{TRANSFERS}[ \t]*$", re.MULTILINE)


def nestc_key(graph: Graph, op: Operator) -> str:
    """The key under which NEST-C files ``op``."""
    dtype = _DTYPES.get(op.dtype, op.dtype)
    nest = op.nest
    if nest is not None and op.kind in ("Gemm", "MatMul"):
        dims: Sequence[int] = (nest.batch * nest.out_h * nest.out_w, nest.in_c)
    else:
        dims = graph.tensors[op.inputs[0]].shape if op.inputs else ()
    if len(dims) == 4:
        dims = (dims[0], dims[2], dims[3], dims[1])
    words = [KINDS.get(op.kind, op.kind), *map(str, dims), dtype]
    if nest is not None and op.kind not in ("Gemm", "MatMul"):
        words += [str(nest.out_c * nest.groups), str(nest.k_h), str(nest.stride_h)]
    return "-".join(words)


def group_key(graph: Graph, operators: Sequence[Operator]) -> str:
    """The key of a fused group."""
    return "+".join(nestc_key(graph, op) for op in operators)


def read(request: Request) -> list[ProfileTable]:
    """Reads NEST-C profiles; files of one backend become one table.

    Raises:
        ConfigError: no network given, unreadable, not a flat map, nothing that can be used.
    """
    request.need_graphs("a NEST-C profile")
    backends: dict[str, _Backend] = {}
    for path in request.files:
        text = read_text(path)
        typed = _BARE.sub(f"Type: {TRANSFERS}", text, count=1)
        document = parse_yaml(typed, str(path))
        if not isinstance(document.data, dict):
            raise ConfigError("a NEST-C profile is a map of keys to times", where=document.where())
        device = request.device or str(document.data.get("backendName", path.stem))
        backend = backends.setdefault(device, _Backend(request.graphs, UNITS[request.unit or "us"]))
        backend.take(document)
    tables = []
    for device, backend in backends.items():
        table = ProfileTable.of(
            backend.entries,
            name=device,
            device=device,
            source=f"NEST-C profile {', '.join(path.name for path in request.files)}",
            scope="partition",
            doubts=[*backend.findings.doubts, *backend.unpaired()],
            remarks=("one measurement each; calls and crossings included",),
        )
        tables.append(finish(table, request))
    return tables


@dataclass
class _Backend:
    """Entries of one backend, matched to the networks' operators."""

    graphs: tuple[Graph, ...]
    unit_s: float
    entries: list[Entry] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self._index: dict[str, list[tuple[Graph, int]]] = {}
        for graph in self.graphs:
            for i, op in enumerate(graph.operators):
                self._index.setdefault(_plain(nestc_key(graph, op)), []).append((graph, i))

    def take(self, document: Document) -> None:
        """Reads one file."""
        data, where = document.data, document.where()
        transfers = str(data.get("Type", TIMES)) != TIMES
        overall = None if transfers else self._overall(document)
        foreign = []
        for key, value in data.items():
            if key in _HEADER:
                continue
            place = document.where((key,))
            seconds = self._seconds(key, value, place, least=0.0 if transfers else None)
            if seconds is None:
                continue
            time, transfer = (None, seconds) if transfers else (seconds, overall)
            if not self._match(key, time, transfer, document.where_key((key,))):
                foreign.append(key)
        self.findings.several("unknown keys", "keys fit no operator given", foreign, where)

    def _overall(self, document: Document) -> float | None:
        """The transfer of older files: the same for all operators of the backend."""
        if "commCost" not in document.data:
            return None
        place = document.where(("commCost",))
        seconds = self._seconds("commCost", document.data["commCost"], place, least=0.0)
        if not seconds:
            told = "commCost is what the template says, not a measurement; not used"
        else:
            told = (
                f"commCost is one number for every operator: each is taken to need"
                f" {seconds * 1e6:.6g} us for its inputs"
            )
        self.findings.add("communication", told, document.where_key(("commCost",)))
        return seconds or None

    def unpaired(self) -> list[Doubt]:
        """Doubts about operators of which only the time or only the transfer was measured."""
        timed = {e.key: e for e in self.entries if e.seconds is not None}
        copied = {e.key: e for e in self.entries if e.transfer_s is not None}
        doubts = []
        for have, lack, told in (
            (timed, copied, "operators and groups have a time and no measured transfer"),
            (copied, timed, "operators and groups have a measured transfer and no time"),
        ):
            names = [entry.seen[0] for key, entry in have.items() if key not in lack]
            if copied and names:
                doubts.append(Doubt("communication", f"{len(names)} {told}: {listed(names)}"))
        return doubts

    def _seconds(
        self, key: str, value: object, where: Location, least: float | None = None
    ) -> float | None:
        """A time, or ``None`` and a doubt; a transfer may be as short as ``least``, not endless."""
        text = str(value).strip()
        try:
            number = math.inf if text.upper() == "INFINITY" else float(text)
        except ValueError:
            self.findings.add("not a number", f"{key}: {text!r} is not a time; not used", where)
            return None
        if math.isinf(number) and number > 0 and least is None:
            return CANNOT_RUN
        if not (number > 0 if least is None else number >= least) or not math.isfinite(number):
            self.findings.add("time not positive", f"{key}: {text} is no time; not used", where)
            return None
        return number * self.unit_s

    def _match(
        self, key: str, seconds: float | None, transfer: float | None, where: Location
    ) -> bool:
        parts = [_plain(part) for part in key.split("+")]
        found: dict[str, list[str]] = {}
        for graph, start in self._index.get(parts[0], ()):
            chain = _chain(graph, start, parts)
            if chain:
                operators = [graph.operators[i] for i in chain]
                joined = JOIN.join(operator_key(graph, op) for op in operators)
                name = "+".join(op.name for op in operators)
                found.setdefault(joined, []).append(f"{graph.name}:{name}")
        if len(found) > 1:
            examples = "; ".join(f"{own} ({seen[0]})" for own, seen in list(found.items())[:4])
            self.findings.add(
                "key collision",
                f"{key} stands for {len(found)} different operators, which all get its time:"
                f" {examples}",
                where,
            )
        for own, seen in found.items():
            self.entries.append(Entry(own, seconds, None, 1, tuple(seen), where, transfer))
        return bool(found)


def _chain(graph: Graph, start: int, parts: Sequence[str]) -> list[int]:
    """Operators from ``start`` on, each the only reader of the one before, with these keys."""
    chain = [start]
    for part in parts[1:]:
        following = sole_reader(graph, chain[-1])
        if following is None or _plain(nestc_key(graph, graph.operators[following])) != part:
            return []
        chain.append(following)
    return chain


def _plain(key: str) -> str:
    """A key without differences of spelling."""
    kind, dash, rest = key.strip().partition("-")
    kind = kind.lower()
    rest = rest.replace("float32", "float").replace("-int8", "-i8")
    return f"{_SYNONYMS.get(kind, kind)}{dash}{rest}"


@dataclass(frozen=True)
class Written:
    """A NEST-C profile as text, and what its keys could not tell apart."""

    text: str
    collisions: tuple[str, ...]


def write(
    backend: str, rows: Sequence[tuple[Graph, Sequence[Operator], float]], holds: str = TIMES
) -> Written:
    """A NEST-C profile of ``rows`` (network, chain of operators, seconds).

    The seconds are :data:`TIMES` or :data:`TRANSFERS`, as ``holds`` says.

    Where one key stands for different operators of different times, the median is written and the
    collision told.
    """
    from statistics import median

    times: dict[str, dict[str, float]] = {}
    for graph, operators, seconds in rows:
        own = JOIN.join(operator_key(graph, op) for op in operators)
        times.setdefault(group_key(graph, operators), {})[own] = seconds
    lines = ["---", f"Type: {holds}", f"backendName: {backend}"]
    collisions = []
    for key, meant in times.items():
        able = [t for t in meant.values() if math.isfinite(t)]
        seconds = median(able) if able else math.inf
        if len(set(meant.values())) > 1:
            span = f"{min(able) * 1e6:.6g} to {max(meant.values()) * 1e6:.6g} us"
            collisions.append(f"{key} stands for {len(meant)} operators of {span}")
        written = "INFINITY" if math.isinf(seconds) else f"{seconds * 1e6:.6g}"
        lines.append(f"{key} : {written}")
    return Written("\n".join([*lines, "...", ""]), tuple(collisions))
