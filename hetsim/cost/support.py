"""Whether a PU takes a kernel, and if not, why not."""

from __future__ import annotations

from hetsim.cost.work import Kernel
from hetsim.soc.model import PU
from hetsim.soc.pu import OperatorRule
from hetsim.workload.graph import Operator


def why_not(pu: PU, kernel: Kernel) -> str | None:
    """``None`` when ``pu`` can run ``kernel``; otherwise the reason, in one clause.

    The first operator must be one the PU lists and obey its rule; operators fused behind it only
    need the fusion pattern that made the kernel (a Relu may be possible only behind a Conv).
    Whether the kernel's tiles fit the PU's buffers is the cost model's question, not this one's.
    """
    spec = pu.spec
    for op in kernel.operators:
        if op.kind in spec.exclude:
            return f"{op.kind} is excluded on {pu.name}"
    head = kernel.head
    stored = pu.stored_dtype(head.dtype)
    if not spec.accepts_dtype(stored, macs=head.macs > 0):
        return f"{pu.name} does not compute in {stored}"
    if spec.operators == "all":
        return None
    rule = spec.operators.get(head.kind)
    if rule is None:
        return f"{pu.name} does not run {head.kind}"
    return broken_rule(rule, head)


def broken_rule(rule: OperatorRule, op: Operator) -> str | None:
    """The first condition of ``rule`` that ``op`` breaks, or ``None``."""
    nest = op.nest
    if nest is None:
        return None
    in_channels, out_channels = nest.in_c * nest.groups, nest.out_c * nest.groups
    if in_channels % rule.in_channels_multiple_of:
        return f"{in_channels} input channels are not a multiple of {rule.in_channels_multiple_of}"
    if out_channels % rule.out_channels_multiple_of:
        return (
            f"{out_channels} output channels are not a multiple of {rule.out_channels_multiple_of}"
        )
    if rule.max_groups is not None and nest.groups > rule.max_groups:
        return f"{nest.groups} groups are more than {rule.max_groups}"
    kernel, stride = max(nest.k_h, nest.k_w), max(nest.stride_h, nest.stride_w)
    if rule.max_kernel is not None and kernel > rule.max_kernel:
        return f"a kernel of {kernel} is larger than {rule.max_kernel}"
    if rule.max_stride is not None and stride > rule.max_stride:
        return f"a stride of {stride} is larger than {rule.max_stride}"
    return None
