"""HiGHS, the solver of linear programs, as it is asked here.

Through its own interface rather than SciPy's: a program is handed over once, and when it is asked
again with other limits the dual simplex begins at the vertex where it ended (Huangfu & Hall,
"Parallelizing the dual revised simplex method", Math. Prog. Comp. 10, 2018).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import highspy
import numpy as np

from hetsim.numeric import Array

Sparse = tuple[Array, Array, Array]
"""Rows one after the other: where each begins and the last one ends, variables, their values."""


class Status(Enum):
    """How a solver ended."""

    SOLVED = "solved"
    INFEASIBLE = "infeasible"
    GAVE_UP = "gave up"


class _Quiet(highspy.Highs):
    """A solver that says nothing, not even its name when it is made."""

    def enableCallbacks(self) -> None:  # noqa: N802  # its name for what makes it speak
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def solver_of(goal: Array, rows: Sparse, least: Array, most: Array) -> Any:
    """A solver that minimises ``goal`` subject to what the rows come to at least and at most.

    :func:`ask` gives the limits of the variables.
    """
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = len(most), len(goal)
    program.col_cost_ = goal
    program.col_lower_ = program.col_upper_ = np.zeros(len(goal))
    program.row_lower_, program.row_upper_ = least, most
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = rows
    solver = _Quiet()  # type: ignore[no-untyped-call]
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "simplex")
    solver.passModel(program)
    return solver


def ask(solver: Any, low: Array, high: Array) -> tuple[Status, Array, Array]:
    """Where the least value is between these limits of the variables, and the rows' duals."""
    columns = np.arange(len(low), dtype=np.int32)
    solver.changeColsBounds(len(columns), columns, low, high)
    solver.run()
    status = {
        highspy.HighsModelStatus.kOptimal: Status.SOLVED,
        highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    }.get(solver.getModelStatus(), Status.GAVE_UP)
    found = solver.getSolution()
    return status, np.array(found.col_value), np.array(found.row_dual)
