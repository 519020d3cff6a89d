"""GPUs: products in tiles that cores work off in rounds, and the rest in work-groups."""

from __future__ import annotations

import math

from hetsim.cost.analytical.roofline import efficiency, element_rate, fewest_products
from hetsim.cost.analytical.streamed import Peak, StreamedModel
from hetsim.cost.analytical.weights import most_speedup, sparse_name, speedup, unpack_cycles
from hetsim.forms.workgroups import (
    WINOGRAD_TILES,
    Cores,
    Tile,
    product_cycles,
    product_of,
    rounds,
    winograd_product,
)
from hetsim.soc.gpu import GPUSpec
from hetsim.workload.graph import DTYPE_BYTES, LoopNest, Operator


class GPUModel(StreamedModel[GPUSpec]):
    """The quickest kernel of its library: by tile, on lanes or matrix units, direct or Winograd."""

    calibration = "hetsim.calibrate.gpu:GPUTarget"

    @property
    def cycles_per_s(self) -> float:
        """Its clock."""
        return self.spec.point.clock

    def cycles(self, op: Operator) -> float:
        """Products round by round, then other operations, in rounds of work-groups."""
        dtype = self.pu.stored_dtype(op.dtype)
        share = efficiency(self.spec.efficiency, op)
        cycles = self._element_cycles(op.element_ops, dtype, share)
        if op.nest is not None:
            cycles += unpack_cycles(op, self.pu, self.spec) / self.spec.cores
            return cycles + self.product_cycles(op.nest, dtype, share, speedup(op, self.spec))
        if op.macs:  # products without loops (fused attention): no shape to lose anything to
            cycles += op.macs / (self._fastest(dtype) * share * self.spec.cores)
        return cycles

    def least(self, nest: LoopNest, dtype: str) -> float:
        fastest = self._fastest(self.pu.stored_dtype(dtype))
        rate = fastest * self.spec.cores * self.top_clock * most_speedup(self.spec)
        return fewest_products(nest) / rate if rate else 0.0

    def peak(self, op: Operator) -> Peak:
        """Of lanes or matrix units; what is Winograd's to save on the lanes is counted."""
        spec, dtype = self.spec, self.pu.stored_dtype(op.dtype)
        clock = spec.cores * float(spec.point.clock)
        if not op.macs:
            rate = element_rate(spec.element_ops_per_cycle, dtype)
            return Peak(op.element_ops, rate * clock, dtype)
        faster = speedup(op, spec)
        fastest = (self._fastest(dtype) or math.inf) * faster
        if op.nest is not None and spec.winograd and winograd_product(op.nest, spec.winograd):
            saved = fewest_products(op.nest, spec.winograd) / op.macs
            fast = spec.macs_per_cycle.get(dtype, 0.0) / saved
            if fast > fastest:
                return Peak(op.macs, fast * clock, f"{dtype} Winograd")
        return Peak(op.macs, fastest * clock, sparse_name(dtype, op, faster))

    def _fastest(self, dtype: str) -> float:
        """Multiply-accumulates a cycle of one core, 0 for a type without."""
        tables = [self.spec.macs_per_cycle]
        if self.spec.matrix is not None:
            tables.append(self.spec.matrix.macs_per_cycle)
        return max(table.get(dtype, 0.0) for table in tables)

    def _element_cycles(self, operations: float, dtype: str, share: float) -> float:
        spec = self.spec
        groups = math.ceil(operations / spec.work_group)
        one = spec.work_group / (element_rate(spec.element_ops_per_cycle, dtype) * share)
        return rounds(groups, spec.cores, spec.resident) * spec.resident * one

    def product_cycles(
        self, nest: LoopNest, dtype: str, share: float, faster: float = 1.0
    ) -> float:
        """Cycles of the quickest kernel in ``dtype``, at ``share`` of the rates.

        ``faster``: so many times as fast is what is not transformed, for zeros in its weights.
        """
        spec, width = self.spec, DTYPE_BYTES[dtype]
        cores, product = self._cores(width), product_of(nest)
        ways = []
        if rate := spec.macs_per_cycle.get(dtype):
            ways.append(product_cycles(product, cores, rate * share * faster, width))
        for tile in WINOGRAD_TILES:
            fast = winograd_product(nest, tile) if tile <= (spec.winograd or 0) else None
            if not rate or fast is None:
                continue
            transformed, operations, between = fast
            moved = 2 * between * width / (cores.operand_rate * spec.cores)
            ways.append(
                product_cycles(transformed, cores, rate * share, width)
                + self._element_cycles(operations, dtype, share)
                + moved
            )
        # Matrix units multiply what results share; a depthwise convolution has nothing for them.
        unit = spec.matrix
        if unit is not None and dtype in unit.macs_per_cycle and (product.shared or not ways):
            peak = unit.macs_per_cycle[dtype] * share * faster
            ways.append(product_cycles(product, cores, peak, width, unit.depth))
        return min(ways)

    def _cores(self, width: float) -> Cores:
        spec, staging = self.spec, self.spec.staging
        return Cores(
            spec.cores,
            spec.resident,
            spec.operand_width or math.inf,
            tuple(
                Tile(
                    tile.rows,
                    tile.columns,
                    staging.fit(tile.rows, tile.columns, width) if staging else spec.resident,
                )
                for tile in spec.tiles
            ),
        )
