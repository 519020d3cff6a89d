"""hetsim: neural networks on heterogeneous SoCs, simulated, and the schedulers that place them.

The names below are all a notebook needs. They are imported on first use, so ``import hetsim``
costs nothing::

    import hetsim

    result = hetsim.run("quickstart")
    for run in result.runs:
        print(run.model, run.scheduler, run.makespan_s, run.gap)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hetsim.analysis.result import Result as Result
    from hetsim.analysis.result import Run as Run
    from hetsim.api import load_model as load_model
    from hetsim.api import run as run
    from hetsim.errors import HetsimError as HetsimError
    from hetsim.plan.files import load_plan as load_plan
    from hetsim.report.rebuild import load_result as load_result
    from hetsim.scenario.loader import load_scenario as load_scenario
    from hetsim.soc.loader import load_soc as load_soc
    from hetsim.study.notebook import compare as compare
    from hetsim.study.notebook import explore as explore
    from hetsim.study.notebook import sweep as sweep
    from hetsim.study.notebook import whatif as whatif
    from hetsim.study.runner import simulate as simulate
    from hetsim.workload.onnx_loader import load_onnx as load_onnx

__version__: str

_PUBLIC = {
    "HetsimError": "hetsim.errors",
    "Result": "hetsim.analysis.result",
    "Run": "hetsim.analysis.result",
    "compare": "hetsim.study.notebook",
    "explore": "hetsim.study.notebook",
    "load_model": "hetsim.api",
    "load_onnx": "hetsim.workload.onnx_loader",
    "load_plan": "hetsim.plan.files",
    "load_result": "hetsim.report.rebuild",
    "load_scenario": "hetsim.scenario.loader",
    "load_soc": "hetsim.soc.loader",
    "run": "hetsim.api",
    "simulate": "hetsim.study.runner",
    "sweep": "hetsim.study.notebook",
    "whatif": "hetsim.study.notebook",
}
"""Where each public name lives."""

__all__ = [
    "HetsimError",
    "Result",
    "Run",
    "__version__",
    "compare",
    "explore",
    "load_model",
    "load_onnx",
    "load_plan",
    "load_result",
    "load_scenario",
    "load_soc",
    "run",
    "simulate",
    "sweep",
    "whatif",
]


if not TYPE_CHECKING:  # type checkers read the imports above; the rest happens on first use

    def __getattr__(name: str) -> object:
        if name == "__version__":
            value: object = _version()
        elif name in _PUBLIC:
            value = getattr(import_module(_PUBLIC[name]), name)
        else:
            raise AttributeError(f"module 'hetsim' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The installed version; a checkout that was never installed says so."""
    from importlib import metadata

    try:
        return metadata.version("hetsim")
    except metadata.PackageNotFoundError:
        return "0+unknown"
