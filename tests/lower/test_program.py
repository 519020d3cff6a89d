"""Programs as data: what they add up to, and what no program may say."""

from __future__ import annotations

import pytest

from hetsim.cost.work import Phase, Work
from hetsim.errors import PlanError
from hetsim.lower.program import Access, Job, Launch, Program, State, Touched

LAUNCH = Launch("k", ("k",), Work(0.0, 0.0, (Phase("stream", 0.0),)))
KV, RNN = State("kv", "dram", 100, 8), State("rnn", "dram", 64)


def job(name: str, *states: Access, launches: int = 2) -> Job:
    return Job(name, 0, (), (), (LAUNCH,) * launches, states=states)


def program(*jobs: Job) -> Program:
    return Program("net", jobs, tuple((i,) for i in range(len(jobs))), (KV, RNN))


def test_what_a_kernel_reads_is_its_tensors_weights_and_what_no_cache_has() -> None:
    touched = Touched("net", (("x", 3), ("y", 5)), (("k", 7),), (("z", 11),), 13)
    assert touched.read_bytes == 28
    assert Touched("net", (), (), (("z", 11),)).read_bytes == 0


def test_a_state_grows_with_each_inference_that_writes_it() -> None:
    assert [KV.size(written) for written in range(3)] == [100, 108, 116]
    assert [RNN.size(written) for written in range(3)] == [64, 64, 64]


def test_one_job_writes_a_state_and_any_number_read_it() -> None:
    writes, reads = Access("kv", 1, writes=True), Access("kv", 0, reads=True)
    made = program(job("p", writes, reads), job("q", reads), job("r", reads, Access("rnn")))
    assert [len(one.states) for one in made.jobs] == [2, 1, 2]
    both = Access("rnn", 0, reads=True, writes=True)
    assert program(job("p", writes, both)).states == (KV, RNN)
    plain = Access("kv")
    assert (plain.launch, plain.reads, plain.writes) == (0, False, False)
    with pytest.raises(PlanError, match="'kv' is written more than once"):
        program(job("p", writes), job("q", writes))
    with pytest.raises(PlanError, match="'rnn' is written more than once"):
        program(job("p", both, both))


def test_a_state_must_be_declared() -> None:
    with pytest.raises(PlanError, match="'q' accesses undeclared state 'cache'"):
        program(job("p", Access("kv")), job("q", Access("cache", 9)))


@pytest.mark.parametrize(("launch", "launches"), [(0, 1), (1, 2), (2, 2), (-1, 2), (0, 0), (5, 2)])
def test_a_state_is_accessed_in_a_launch_that_is_there(launch: int, launches: int) -> None:
    one = job("p", Access("kv", launch), launches=launches)
    if launch in range(launches):
        assert program(one).jobs == (one,)
    else:
        said = f"'p' accesses state 'kv' in launch {launch}, and has {launches}"
        with pytest.raises(PlanError, match=said):
            program(one)


def test_programs_are_equal_whoever_may_choose() -> None:
    assert program(job("p")) == Program("net", (job("p"),), ((0,),), (KV, RNN), choices=None)
    assert (LAUNCH.before, LAUNCH.after, LAUNCH.touched) == ((), (), None)
