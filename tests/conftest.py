"""Here so that ``tests`` is found as a package: helpers are imported by their full name."""

import math
import os

# Tests run side by side, so that one process more is one core more. Matrices here are small, and a
# second thread of the linear algebra only spins (ten times the work, measured). Before numpy loads.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

from hetsim.cli import progress  # noqa: E402

progress.EVERY_S = math.inf  # a slow machine must not add lines to what a test compares

collect_ignore = ["plugin"]  # a package of its own, whose tests run where it is installed
