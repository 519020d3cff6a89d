"""Whole networks within ranges that were made without their families."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from hetsim.calibrate.networks.careless import CarelessModel
from hetsim.calibrate.networks.cases import make_cases
from hetsim.calibrate.networks.graphs import GraphLibrary
from hetsim.calibrate.networks.judge import judge_known
from hetsim.calibrate.networks.sureness import residuals_by_place
from hetsim.calibrate.networks.table import read_networks
from hetsim.calibrate.spread import FEWEST_ROWS, Residual, reaches
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.tables import UnavailableError


class NetworkRanges(Check):
    """Whole networks on Qualcomm's SoCs by the careless model, whose errors are wide."""

    title = "ranges of whole networks"
    compared = (
        "each network beside a prediction by ten products, fitted to networks of other families on"
        " that device, with the range that residuals of other families give; 90 % should lie in it"
    )
    kind = "measured"
    unit = "s"
    tables = ("measured_networks.csv",)
    slow = True
    grouped = "device"
    fewest: ClassVar[int] = 12
    """Families of networks."""

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each measured network of the zoo, or of ``networks`` beside a user's table."""
        table = read_networks(setting.tables.path(self.tables[0]))
        own = setting.tables.own
        graphs = own / "networks" if own is not None and (own / "networks").is_dir() else None
        usable = make_cases(table, GraphLibrary(graphs)).usable()
        cases = [case for case in usable if case.row.unit == "npu"]
        families = {case.family for case in cases}
        if len(families) < self.fewest:
            raise UnavailableError(
                f"networks of {len(families)} families are too few to tell how often ranges hold"
                f" (at least {self.fewest})",
                hint="--data DIR with the whole table, and its networks' graphs in DIR/networks",
            )
        model = CarelessModel()
        judged = judge_known(cases, [model])
        predicted = judged.predicted[model.name]
        for (device, precision), found in residuals_by_place(judged, model.name).items():
            if len(found) < FEWEST_ROWS:
                continue
            residuals: list[Residual] = [residual for _, residual in found]
            for (i, _), reach in zip(found, reaches(residuals), strict=True):
                case = judged.cases[i]
                group = f"{device}, {precision}"
                yield _row(case.name, group, case.seconds, float(predicted[i]), float(reach))


def _row(name: str, group: str, reference: float, simulated: float, reach: float) -> Row:
    if not np.isfinite(reach):
        return Row(name, group, reference, simulated)
    factor = float(np.exp(reach))
    return Row(name, group, reference, simulated, simulated / factor, simulated * factor)
