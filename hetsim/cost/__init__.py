"""What kernels ask of processing units, and how long that takes when nobody is in the way.

:mod:`.work` is what the simulator hears, :mod:`.chain` the contract of a cost model; the folders
answer from first principles, from measurements, and from what was learned. Imports
:mod:`hetsim.learn`, :mod:`hetsim.forms`, SoCs and networks.
``systolic_cycles`` is public, so that anyone can check the arrays' closed forms. It is imported on
first use: it needs numpy, which plain data objects of this package do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hetsim.forms.arrays import systolic_cycles as systolic_cycles

__all__ = ["systolic_cycles"]


if not TYPE_CHECKING:  # type checkers read the import above; the rest happens on first use

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from hetsim.forms import arrays

        return getattr(arrays, name)
