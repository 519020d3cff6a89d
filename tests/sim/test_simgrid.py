"""The fluid links against SimGrid's flow model, which shares no code with hetsim."""

import pytest

from tests.sim.simgrid_compare import compare, interpreter

needs_simgrid = pytest.mark.skipif(interpreter()[0] is None, reason=interpreter()[1])


@needs_simgrid
@pytest.mark.slow
@pytest.mark.parametrize(("weighted", "first"), [(False, 0), (True, 250)])
def test_finish_times_agree_with_simgrid_on_random_flow_sets(weighted: bool, first: int) -> None:
    agreement = compare(range(first, first + 250), weighted=weighted)
    assert agreement.sets == 250
    assert agreement.worst < 1e-6, f"flow set {agreement.worst_set}"


@needs_simgrid
def test_finish_times_agree_with_simgrid_on_a_few_flow_sets() -> None:
    assert compare(range(1000, 1020), weighted=True).worst < 1e-6
