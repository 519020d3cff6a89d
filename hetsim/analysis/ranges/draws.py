"""The deviates that every error is made of: one column of samples per thing that can be wrong.

Latin hypercube samples (McKay, Beckman & Conover, Technometrics 21(2), 1979): each column holds the
same quantiles of the normal distribution in an order of its own, which follows from the name of the
thing alone. So the same thing errs the same way in every plan, network and process, and what two
plans share cancels when they are compared.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np

from hetsim.numeric import Floats

SAMPLES = 512


@lru_cache(maxsize=4096)
def deviates(name: str) -> Floats:
    """:data:`SAMPLES` standard normal values, those of ``name``."""
    seed = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    column = np.random.Generator(np.random.PCG64(seed)).permutation(_quantiles())
    column.setflags(write=False)
    return np.asarray(column)


@lru_cache(maxsize=1)
def _quantiles() -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(SAMPLES) + 0.5) / SAMPLES))
