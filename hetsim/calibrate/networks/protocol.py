"""What a model of whole networks is to its judge.

A model is fitted to the cases of one device (all precisions together) and asked for the seconds of
others. It may look at measurements of other devices, too; networks that are kept aside are in
neither. Fitting and predicting are deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.numeric import Floats


class FittedNetworks(Protocol):
    """A model that knows its device."""

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Seconds of each case; NaN where it cannot say. The measured latency is not looked at."""


class NetworkModel(Protocol):
    """A way of fitting. ``name`` is what reports call it."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> FittedNetworks:
        """Fits to ``cases`` of one device; ``others`` are measured on other devices.

        Raises:
            ConfigError: too few or unsuitable cases.
        """
