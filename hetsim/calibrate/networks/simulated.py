"""hetsim's own simulation as a model of whole networks: a unit's description, fitted to a device.

The numbers of :mod:`hetsim.calibrate.networks.rates` minimise the squared errors of ln(time), from
one :data:`SCALE` on growing only linearly (so a network that ran in another way does not bend the
rest), plus the squared distances from their priors. What compilers do of a network is the same on
all devices of a table, so where others were measured the shares and passes fitted there, which
have not seen the networks kept aside either, are the prior of those here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.calibrate.networks.demands import Columns, Demands, demands_of
from hetsim.calibrate.networks.rates import PRIOR, RATES, Layout, Networks
from hetsim.cost.pu import model_class
from hetsim.errors import ConfigError, InfeasibleError
from hetsim.names import suggest
from hetsim.numeric import Floats, Ints
from hetsim.overrides import apply_overrides
from hetsim.plugins import load_class
from hetsim.soc.loader import build_soc, read_soc
from hetsim.soc.mobile_npu import MobileNPUSpec
from hetsim.soc.model import SoC
from hetsim.workload.weights import StoredWeights, with_weights
from hetsim.yamlio import Document

SCALE = 0.15
"""ln errors beyond this count linearly (Huber, "Robust Statistics", 1981; here smoothed)."""

TOLD = 0.6
"""How much narrower than guesses the priors are that other devices give to shares and passes."""

ASKED = 3
"""How many other devices, those with most rows, tell what compilers make of networks."""

DISPUTED = 0.3
"""What the error of a row counts that another measurement contradicts."""

FEWEST = 3
"""Cases of a data type from which it is fitted."""


@dataclass(frozen=True)
class FittedUnit:
    """The unit's numbers: a vector for each data type, and seconds of a call."""

    model: SimulatedModel
    vectors: dict[str, Floats]
    rpc: float

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds of each case; NaN in a data type that was not fitted or cannot run."""
        found = np.full(len(cases), np.nan)
        for dtype, vector in self.vectors.items():
            rows = [i for i, case in enumerate(cases) if self.model.dtype(case) == dtype]
            if rows:
                found[rows] = self.model.seconds([cases[i] for i in rows], dtype, vector, self.rpc)
        return found


class SimulatedModel:
    """A phone's NPU of a SoC file, whose description is the prior of every device."""

    name = "simulated"

    def __init__(self, document: Document, unit: str) -> None:
        """The unit of a SoC file.

        Raises:
            ConfigError: no such unit, or one of another kind.
        """
        self.unit = unit
        self._document = document
        self._socs: dict[str, SoC] = {}
        soc = build_soc(document)
        self.soc, self.file, self.calibrated = soc.name, document.file, soc.spec.calibrated
        if unit not in soc.by_name:
            names = [pu.name for pu in soc.pus]
            raise ConfigError(f"{soc.name} has no unit {unit!r}; {suggest(unit, names)}")
        pu = soc.by_name[unit]
        if not isinstance(pu.spec, MobileNPUSpec):
            raise ConfigError(f"pus.{unit} is no unit that whole networks can be fitted to")
        self.spec: MobileNPUSpec = pu.spec
        self.layouts = {d: Layout(Columns.of(reached)) for d, reached in self.spec.dtypes.items()}
        self._path = pu.home.bandwidth
        self._known: dict[tuple[int, str], tuple[object, Demands | None]] = {}
        self._fits: dict[tuple[object, ...], FittedUnit] = {}

    def stated(self) -> FittedUnit:
        """The unit as it is described; nothing is fitted."""
        vectors = {d: self.layouts[d].vector(r) for d, r in self.spec.dtypes.items()}
        return FittedUnit(self, vectors, float(self.spec.rpc))

    def has_seen(self, table: str) -> bool:
        """Whether the description, which is the prior, was itself fitted to ``table``."""
        return any(
            known.unit == self.unit and known.source.startswith(table) for known in self.calibrated
        )

    def dtype(self, case: MeasuredNetwork) -> str:
        """The data type of a case's tensors, where the unit can say what it takes; else nothing."""
        dtype = case.precision.activations
        known = dtype in self.layouts and self.demands(case, dtype) is not None
        return dtype if known else ""

    def demands(self, case: MeasuredNetwork, dtype: str) -> Demands | None:
        """What a case asks for; ``None`` where the unit cannot run it."""
        key = id(case.graph), case.precision.weights + dtype
        if key not in self._known:
            try:
                graph, weights = case.graph, case.precision.weights
                if weights != dtype:
                    graph = with_weights(graph, StoredWeights(dtype=weights))
                columns = self.layouts[dtype].columns
                asked = demands_of(graph, self._soc(dtype), self.unit, columns)
            except InfeasibleError:
                asked = None
            self._known[key] = case.graph, asked  # the graph is kept, so that its id stays its own
        return self._known[key][1]

    def seconds(
        self, cases: Sequence[MeasuredNetwork], dtype: str, vector: Floats, rpc: float
    ) -> Floats:
        """What the unit takes with these numbers."""
        networks, which = self._networks(cases, dtype)
        return np.asarray(networks.seconds(vector, rpc, self._clock, self._path)[which])

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> FittedUnit:
        """Fits to ``cases`` of one device; ``others`` tell what compilers make of networks.

        Raises:
            ConfigError: too few cases of every data type.
        """
        centres = {d: self.layouts[d].vector(r) for d, r in self.spec.dtypes.items()}
        deviations = {d: layout.deviations for d, layout in self.layouts.items()}
        for dtype, layout in self.layouts.items():
            told = self._told(others, dtype)
            if told is not None:
                common = np.array([name not in RATES for name in layout.names])
                centres[dtype] = np.where(common, told, centres[dtype])
                deviations[dtype] = np.where(common, TOLD, 1.0) * deviations[dtype]
        return self._fitted(cases, centres, deviations)

    def _told(self, others: Sequence[MeasuredNetwork], dtype: str) -> Floats | None:
        """The median of what was fitted to each of :data:`ASKED` other devices, by itself."""
        found = []
        count = {c.device: 0 for c in others}
        for case in others:
            count[case.device] += self.dtype(case) == dtype
        for device in sorted(count, key=lambda name: (-count[name], name))[:ASKED]:
            rows = [c for c in others if c.device == device and self.dtype(c) == dtype]
            if len({case.row.network for case in rows}) >= 3 * FEWEST:
                found.append(self.alone(rows).vectors[dtype])
        return np.median(found, axis=0) if found else None

    def alone(self, cases: Sequence[MeasuredNetwork]) -> FittedUnit:
        """Fitted with the description as the prior; kept, as each is the other of many."""
        key = tuple(id(case.row) for case in cases)
        if key not in self._fits:
            centres = {d: self.layouts[d].vector(r) for d, r in self.spec.dtypes.items()}
            deviations = {d: layout.deviations for d, layout in self.layouts.items()}
            self._fits[key] = self._fitted(cases, centres, deviations)
        return self._fits[key]

    def _fitted(
        self,
        cases: Sequence[MeasuredNetwork],
        centres: dict[str, Floats],
        deviations: dict[str, Floats],
    ) -> FittedUnit:
        from scipy.optimize import least_squares

        groups = {d: [case for case in cases if self.dtype(case) == d] for d in self.layouts}
        groups = {d: rows for d, rows in groups.items() if len(rows) >= FEWEST}
        if not groups:
            raise ConfigError(
                f"{len(cases)} measured networks are too few to fit {self.unit}",
                hint=f"a data type of {', '.join(self.layouts)} needs at least {FEWEST}",
            )
        sets = {d: self._networks(rows, d) for d, rows in groups.items()}
        measured = {d: np.log([case.seconds for case in rows]) for d, rows in groups.items()}
        weight = {d: self._weights(rows) for d, rows in groups.items()}
        call = np.log(max(float(self.spec.rpc), 1e-6))
        ends = np.cumsum([0, *(len(centres[d]) for d in groups)])
        parts = {d: slice(ends[i], ends[i + 1]) for i, d in enumerate(groups)}
        centre = np.concatenate([*(centres[d] for d in groups), [call]])
        wide = np.concatenate([*(deviations[d] for d in groups), [PRIOR["rpc"]]])

        def residuals(vector: Floats) -> Floats:
            off = [(vector - centre) / wide]
            for dtype, (networks, which) in sets.items():
                times = networks.seconds(
                    vector[parts[dtype]], float(np.exp(vector[-1])), self._clock, self._path
                )
                error = (np.log(times)[which] - measured[dtype]) / SCALE
                off.append(_soft(error) * weight[dtype])
            return np.concatenate(off)

        found = least_squares(residuals, centre, max_nfev=40, xtol=1e-6, ftol=1e-6).x
        vectors = {d: np.asarray(found[parts[d]]) for d in groups}
        return FittedUnit(self, vectors, float(np.exp(found[-1])))

    def _networks(self, cases: Sequence[MeasuredNetwork], dtype: str) -> tuple[Networks, Ints]:
        """The networks of cases, each once, and which one is whose."""
        asked: dict[int, int] = {}
        demands: list[Demands] = []
        which = []
        for case in cases:
            found = self.demands(case, dtype)
            assert found is not None
            if id(found) not in asked:
                asked[id(found)] = len(demands)
                demands.append(found)
            which.append(asked[id(found)])
        networks = Networks(demands, self.layouts[dtype], self.spec.dtypes[dtype])
        return networks, np.array(which, dtype=np.int64)

    def _weights(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Rows of one job are near copies: together they count as one, disputed ones for less."""
        jobs = [case.job for case in cases]
        doubt = [DISPUTED if case.disputed else 1.0 for case in cases]
        return np.array(doubt) / np.sqrt([jobs.count(job) for job in jobs])

    @property
    def _clock(self) -> float:
        return float(self.spec.point.clock)

    def _soc(self, dtype: str) -> SoC:
        if dtype not in self._socs:
            stored = {f"pus.{self.unit}.precision": {"float32": dtype}}
            self._socs[dtype] = build_soc(apply_overrides(self._document, stored))
        return self._socs[dtype]


def _soft(errors: Floats) -> Floats:
    """Errors whose squares grow linearly beyond one."""
    size = np.sqrt(2.0 * (np.sqrt(1.0 + errors**2) - 1.0))
    return np.asarray(np.sign(errors) * size)


def fitting(soc: str, unit: str) -> SimulatedModel | None:
    """What fits ``unit`` of a SoC to whole networks; ``None`` where nothing does.

    Raises:
        ConfigError: no such SoC.
    """
    document = read_soc(soc)
    pu = build_soc(document).by_name.get(unit)
    named = None if pu is None else model_class(type(pu.spec)).networks
    if named is None:
        return None
    return load_class(named, SimulatedModel, f"what fits {unit}")(document, unit)
