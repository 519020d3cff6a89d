"""ONNX's own conformance cases load with the right shapes, or are refused with a reason."""

from __future__ import annotations

import warnings

import pytest

from hetsim.errors import HetsimError
from hetsim.workload.onnx.loader import load_onnx

SHARE_THAT_LOADS = 0.6
"""The rest are strings, sequences, training, control flow and symbolic shapes."""


@pytest.mark.slow
def test_every_conformance_case_loads_or_is_refused() -> None:
    node = pytest.importorskip("onnx.backend.test.case.node")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in node.collect_testcases(None) if case.model is not None]
    loaded = compared = 0
    refusals: list[HetsimError] = []
    for case in cases:
        try:
            graph = load_onnx(case.model)
        except HetsimError as error:
            refusals.append(error)
            continue
        loaded += 1
        expected = case.data_sets[0][1] if case.data_sets else []
        for output, array in zip(case.model.graph.output, expected, strict=False):
            if output.name in graph.tensors and hasattr(array, "shape"):
                assert graph.tensors[output.name].shape == array.shape, case.name
                compared += 1
        for operator in graph.operators:
            assert operator.nest is None or operator.macs == operator.nest.macs, case.name
            assert operator.macs >= 0
            assert operator.element_ops >= 0
    assert all(refusal.where is not None for refusal in refusals)
    assert loaded > SHARE_THAT_LOADS * len(cases)
    assert compared > 0.8 * loaded
