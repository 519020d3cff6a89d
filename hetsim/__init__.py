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
    from hetsim.api import run as run
    from hetsim.errors import HetsimError as HetsimError
    from hetsim.plan.files import load_plan as load_plan
    from hetsim.report.files.rebuild import load_result as load_result
    from hetsim.runs.scenario import simulate as simulate
    from hetsim.scenario.loader import load_scenario as load_scenario
    from hetsim.soc.loader import load_soc as load_soc
    from hetsim.study.notebook import compare as compare
    from hetsim.study.notebook import explore as explore
    from hetsim.study.notebook import sweep as sweep
    from hetsim.study.notebook import whatif as whatif
    from hetsim.workload.networks import load_network as load_model
    from hetsim.workload.onnx.loader import load_onnx as load_onnx

__version__: str

_PUBLIC = {
    "HetsimError": "hetsim.errors",
    "Result": "hetsim.analysis.result",
    "Run": "hetsim.analysis.result",
    "compare": "hetsim.study.notebook",
    "explore": "hetsim.study.notebook",
    "load_model": "hetsim.workload.networks:load_network",
    "load_onnx": "hetsim.workload.onnx.loader",
    "load_plan": "hetsim.plan.files",
    "load_result": "hetsim.report.files.rebuild",
    "load_scenario": "hetsim.scenario.loader",
    "load_soc": "hetsim.soc.loader",
    "run": "hetsim.api",
    "simulate": "hetsim.runs.scenario",
    "sweep": "hetsim.study.notebook",
    "whatif": "hetsim.study.notebook",
}
"""The module of each public name, and what it is called there when that differs."""

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
            value: object = import_module("hetsim.version").version()
        elif name in _PUBLIC:
            # Results know nothing of reports; whoever comes in here may be a notebook.
            import_module("hetsim.report.page.notebook").show_in_notebooks()
            module, _, attribute = _PUBLIC[name].partition(":")
            value = getattr(import_module(module), attribute or name)
        else:
            raise AttributeError(f"module 'hetsim' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
