"""Computes ``hetsim/data/scalesim_products.csv`` again; prints it.

Run by a Python that has ``scalesim`` 3.0.0 (PyPI); needs nothing of hetsim. Cycles are the number
of the last one, as that program's report counts.
"""

from __future__ import annotations

import csv
import random
import sys

import numpy as np

ARRAYS = ((8, 8), (16, 16), (32, 32), (16, 32), (32, 8))
PRODUCTS = 6
SEED = 2026


def main() -> None:
    """Random products of T x K by K x N on each array in each dataflow."""
    from scalesim.compute.systolic_compute_is import systolic_compute_is
    from scalesim.compute.systolic_compute_os import systolic_compute_os
    from scalesim.compute.systolic_compute_ws import systolic_compute_ws
    from scalesim.scale_config import scale_config

    engines = {
        "weight_stationary": systolic_compute_ws,
        "output_stationary": systolic_compute_os,
        "input_stationary": systolic_compute_is,
    }
    draw = random.Random(SEED)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("dataflow", "rows", "columns", "T", "K", "N", "cycles"))
    for rows, columns in ARRAYS:
        for name, engine in engines.items():
            for _ in range(PRODUCTS):
                t, k, n = draw.randint(1, 300), draw.randint(1, 400), draw.randint(1, 200)
                config = scale_config()
                config.array_rows, config.array_cols = rows, columns
                config.valid_conf_flag, config.sparsity_support = True, False
                one = engine()
                one.set_params(
                    config_obj=config,
                    ifmap_op_mat=np.arange(t * k).reshape(t, k),
                    filter_op_mat=np.arange(k * n).reshape(k, n) + 10**7,
                    ofmap_op_mat=np.arange(t * n).reshape(t, n) + 2 * 10**7,
                )
                demands, _, _ = one.get_demand_matrices()
                out.writerow((name, rows, columns, t, k, n, demands.shape[0] - 1))


if __name__ == "__main__":
    main()
