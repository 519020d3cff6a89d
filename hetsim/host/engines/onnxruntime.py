"""ONNX Runtime on CPU threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.cost.measured.readers.ort import kernel_events, times_by_node
from hetsim.errors import Location
from hetsim.host.engines.base import Engine, How, Probe, Runner
from hetsim.host.network import Network
from hetsim.host.ran import matched
from hetsim.host.session import cannot_run, open_session, optimised_model, runtime

if TYPE_CHECKING:
    from onnx import ModelProto


class OnnxRuntime(Engine):
    """Graph optimisations up to what hetsim sees: see :func:`level_of`."""

    name = "onnxruntime"

    @property
    def label(self) -> str:
        return f"ONNX Runtime {runtime().__version__}"

    def runner(self, model: ModelProto, how: How) -> Runner:
        session = open_session(model, how.name, threads=how.threads, level=level_of(how))
        names = [output.name for output in session.get_outputs()]
        return lambda feeds: dict(zip(names, session.run(names, feeds), strict=True))

    def piece(
        self,
        model: ModelProto,
        how: How,
        inputs: Sequence[str],
        outputs: Sequence[str],
        values: Mapping[str, Any],
    ) -> Callable[[], object]:
        session = open_session(model, how.name, threads=how.threads, level=level_of(how))
        value: Any = runtime().OrtValue
        binding = session.io_binding()
        for tensor in inputs:
            binding.bind_ortvalue_input(tensor, value.ortvalue_from_numpy(values[tensor]))
        for tensor in outputs:
            binding.bind_ortvalue_output(tensor, value.ortvalue_from_numpy(values[tensor]))
        return lambda: session.run_with_iobinding(binding)

    def probe(self, network: Network, how: How, folder: Path) -> Probe:
        return _Probe(network, how, folder)


def level_of(how: How) -> str:
    """The graph optimisation level at which the runtime runs what hetsim sees.

    ``basic`` folds constants and batch normalisation and drops what computes nothing. Quantised
    operators become such only at ``extended``.
    """
    return "extended" if how.quantised else "basic"


class _Probe(Probe):
    """Two sessions of the graph that the runtime made of the network."""

    def __init__(self, network: Network, how: How, folder: Path) -> None:
        self.level = level_of(how)
        self._name, self._feeds = how.name, network.feeds
        ran = optimised_model(network.model, how.name, self.level, folder / "ran.onnx")
        self.matches = matched(network.graph, ran)
        self._plain, self._watched = (
            open_session(ran, how.name, threads=how.threads, level="as it stands", profile=profile)
            for profile in (None, folder / "profile")
        )

    def plain(self) -> None:
        self._run(self._plain)

    def watched(self) -> None:
        self._run(self._watched)

    def _run(self, session: Any) -> None:
        try:
            session.run(None, self._feeds)
        except Exception as error:
            raise cannot_run(self._name, error) from error

    def finish(self) -> Mapping[str, Sequence[float]]:
        file = Path(self._watched.end_profiling())
        where = Location(str(file))
        return times_by_node(kernel_events(file.read_text(encoding="utf-8"), where))
