"""The best-so-far curves of a tuning study as a picture for a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hetsim.report.figures.plotting import COLUMN_IN, SERIES, bare, clip, new_figure, paper_style
from hetsim.study.tune.charts import steps
from hetsim.study.tune.result import Tuning

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curve_figure(tuning: Tuning) -> Figure:
    """How far each network's best plan was above its proven bound, over the plans judged.

    Percent over a logarithmic axis. A network without a bound is shown relative to its final
    makespan.
    """
    from matplotlib.ticker import FuncFormatter

    with paper_style():
        figure, ax = new_figure(COLUMN_IN, 2.6)
        for i, model in enumerate(tuning.models):
            colour, marker, line = SERIES[i % len(SERIES)]
            points = steps(model)
            counts, gaps = [at for at, _ in points], [100.0 * gap for _, gap in points]
            ax.step(
                counts, gaps, where="post", color=colour, linestyle=line, marker=marker,
                markevery=[len(counts) - 1], label=clip(model.model, 18),
            )  # fmt: skip
        ax.set_xscale("log")
        ax.set_xlabel("plans judged")
        ax.set_ylabel("above the proven bound (%)")
        ax.set_ylim(bottom=0.0)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        bare(ax)
        if len(tuning.models) > 1:
            ax.legend(
                frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3,
                borderaxespad=0.2, handlelength=1.8, columnspacing=1.2,
            )  # fmt: skip
        elif tuning.models:
            ax.set_title(clip(tuning.models[0].model, 40), loc="left")
    return figure
