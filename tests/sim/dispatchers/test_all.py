"""Every dispatcher that ships keeps what the kit asks."""

from __future__ import annotations

import pytest

from hetsim.sim.dispatchers.registry import BUILT_IN
from hetsim.testing import DispatcherKit

KITS = {name: DispatcherKit.of(name=name) for name in BUILT_IN}
KITS |= {
    f"{name}-preemptive": DispatcherKit.of(name=name, parameters={"preemptive": True})
    for name in ("priority", "edf", "least_laxity")
}
KITS["eft-edf-preemptive"] = DispatcherKit.of(
    name="eft", parameters={"order": "edf", "preemptive": True}
)


@pytest.mark.parametrize("test", DispatcherKit.checks())
@pytest.mark.parametrize("name", list(KITS))
def test_kit(name: str, test: str) -> None:
    getattr(KITS[name](), test)()
