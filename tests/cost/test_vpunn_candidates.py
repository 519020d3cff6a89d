"""All ways to divide a layer over a VPU's tiles and time, against the jobs counted one by one."""

from __future__ import annotations

from dataclasses import fields
from math import ceil

import numpy as np
import pytest

from hetsim.cost.learned.vpunn.candidates import candidates
from hetsim.cost.learned.vpunn.layers import Layer
from hetsim.learn.vpunn.workloads import (
    AVEPOOL,
    COMPRESSED,
    CONVOLUTION,
    DEPTHWISE,
    ELTWISE,
    FLOAT16,
    MAXPOOL,
    SPLIT_OVER_K,
    Workloads,
)
from hetsim.numeric import Floats
from tests.cost.samples import ByHand

JUDGE = ByHand()
OPERATIONS = (CONVOLUTION, COMPRESSED, DEPTHWISE, MAXPOOL, AVEPOOL, ELTWISE)


def layer(operation: int, channels: int = 64, size: int = 8, **changes: int) -> Layer:
    shape = {"in_c": channels, "out_c": channels, "out_h": size, "out_w": size, "in_h": size,
             "in_w": size, **changes}  # fmt: skip
    return Layer(operation, **{"dtype": 0, "products": 1, **shape})


def ways(of: Layer, tiles: int) -> set[tuple[int, ...]]:
    found = candidates(of, tiles, JUDGE)
    columns = (found.by_rows, found.tiles, found.bands, found.blocks, found.mode)
    return set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_rows_and_channels_are_halved_among_tiles_and_in_time(operation: int) -> None:
    """8 rows of 64 channels for two tiles: 4 rows of all, or 32 channels of all rows."""
    modes = {CONVOLUTION: (0, 1, 2), ELTWISE: (1,)}.get(operation, (0,))
    expected = {(1, 2, bands, blocks) for bands in (1, 2, 4) for blocks in (1, 2, 4)}
    expected |= {(0, 2, bands, blocks) for bands in (1, 2, 4, 8) for blocks in (1, 2)}
    assert ways(layer(operation), 2) == {(*way, mode) for way in expected for mode in modes}


def test_sizes_that_do_not_halve() -> None:
    """5 rows are worked off in bands of 5, 3, 2 and 1; of 48 channels jobs have 48, 32 or 16."""
    found = ways(layer(MAXPOOL, 48, 5), 1)
    assert {way[2] for way in found} == {1, 2, 3, 5}
    assert {way[3] for way in found} == {2, 3}  # a window's job has 64, 32 or 16 channels
    assert {way[3] for way in ways(layer(CONVOLUTION, 48, 5), 1)} == {1, 2, 3}
    # 16 channels, filled up from 10, are one block that only one tile can have.
    assert ways(layer(DEPTHWISE, 10, 1), 4) == {(1, 1, 1, 1, 0), (0, 1, 1, 1, 0)}


@pytest.mark.parametrize("tiles", [1, 3])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_tile_takes_what_its_jobs_take(operation: int, tiles: int) -> None:
    """7 rows of 80 channels: the last band and the last block are smaller than the others."""
    of = layer(operation, 80, 7, products=3)
    found = candidates(of, tiles, JUDGE)
    for i in range(len(found)):
        by_rows, bands, blocks = found.by_rows[i], int(found.bands[i]), int(found.blocks[i])
        tile_rows = ceil(7 / tiles) if by_rows else 7
        tile_channels = 80 if by_rows else 16 * ceil(80 / 16 / tiles)
        write = 1 if by_rows else int(found.tiles[i])
        channels = int(found.outputs[i])  # rows x columns x channels x tiles written
        some = [
            (rows, columns)
            for rows in range(1, tile_rows + 1)
            for columns in range(16, tile_channels + 1, 16)
            if ceil(tile_rows / rows) == bands
            and ceil(tile_channels / columns) == blocks
            and rows * 7 * columns * write == channels
        ]
        assert some
        results = tile_rows * tile_channels * 7
        pace = (1 + found.mode[i] / 8) / 64
        assert found.cycles[i] == pytest.approx(3 * (100 * bands * blocks + results * pace))


def bytes_of(of: Layer) -> list[tuple[int, int, int, float]]:
    """(inputs, weights, outputs, halo) on one tile, by bands, of whole blocks in the first mode."""
    found = candidates(of, 1, JUDGE)
    rows = zip(found.bands, found.inputs, found.weights, found.outputs, found.halo, found.blocks,
               found.mode, found.by_rows, strict=True)  # fmt: skip
    least = found.mode.min()
    return [
        (int(inputs), int(weights), int(outputs), float(halo))
        for bands, inputs, weights, outputs, halo, blocks, mode, by_rows in sorted(rows)
        if by_rows and blocks == 1 and mode == least and bands <= 2
    ]


def test_bytes_of_jobs() -> None:
    """Of 8 rows in two bands, 3 x 3 taps reach 6 rows: 12 of 8 are read in all."""
    taps = {"k_h": 3, "k_w": 3}
    maps, half = 8 * 8 * 64, 4 * 8 * 64
    filters = 64 * (9 * 64 + 16)
    assert bytes_of(layer(CONVOLUTION, **taps)) == [
        (maps, filters, maps, 1.0), (6 * 8 * 64, filters, half, 1.5),
    ]  # fmt: skip
    wide = layer(CONVOLUTION, **taps, dtype=FLOAT16)
    assert bytes_of(wide)[0] == (2 * maps, 64 * (9 * 64 * 2 + 16), 2 * maps, 1.0)
    # 9 taps of one channel fill 16 bytes, and a table of 16 beside them.
    assert bytes_of(layer(DEPTHWISE, **taps))[0] == (maps, 64 * (16 + 16), maps, 1.0)
    assert bytes_of(layer(MAXPOOL, **taps))[0] == (maps, 0, maps, 1.0)
    assert bytes_of(layer(ELTWISE)) == [(2 * maps, 0, maps, 1.0), (2 * half, 0, half, 1.0)]
    # Few channels are stored by fours, or by sixteens; 27, 36 and 45 taps fill 32 or 48 bytes.
    for ins, stored, filled in ((3, 4, 32), (4, 4, 48), (5, 16, 48)):
        few = layer(COMPRESSED, **taps, in_c=ins)
        assert bytes_of(few)[0] == (8 * 8 * stored, 64 * (filled + 16), maps, 1.0)
    # 20 channels are stored as 32.
    assert bytes_of(layer(CONVOLUTION, in_c=20))[0] == (8 * 8 * 32, 64 * (32 + 16), maps, 1.0)
    # Every second row: the taps of 8 reach 17 of 16 there are, those of 4 only 9.
    strided = layer(MAXPOOL, **taps, stride_h=2, stride_w=2, in_h=16, in_w=16)
    assert bytes_of(strided) == [
        (16 * 16 * 64, 0, maps, 1.0), (9 * 16 * 64, 0, half, 18 / 16),
    ]  # fmt: skip


class Listening(ByHand):
    """Keeps the jobs it was asked about."""

    def cycles(self, jobs: Workloads) -> Floats:
        self.jobs = jobs
        return super().cycles(jobs)


def jobs_of(of: Layer, tiles: int = 1) -> list[dict[str, int]]:
    """Those that it may consist of, each once."""
    judge = Listening()
    candidates(of, tiles, judge)
    names = [f.name for f in fields(Workloads)]
    table = np.stack([getattr(judge.jobs, name) for name in names], axis=1)
    return [dict(zip(names, map(int, row), strict=True)) for row in table]


def test_what_a_job_reads_beyond_the_image_is_padding() -> None:
    """4 rows of 5: a kernel of 4 x 6 with a stride of 1 x 2 reaches 7 rows and 14 columns."""
    of = layer(MAXPOOL, 16, in_h=4, in_w=9, out_h=4, out_w=5, k_h=4, k_w=6, stride_w=2)
    shared = {
        "operation": MAXPOOL, "batch": 1, "in_c": 16, "in_w": 9, "out_c": 16, "out_w": 5,
        "kernel_h": 4, "kernel_w": 6, "stride_h": 1, "stride_w": 2, "pad_left": 3, "pad_right": 2,
        "in_dtype": 0, "out_dtype": 0, "mode": 0, "strategy": 0, "write_tiles": 1, "in_sparse": 0,
        "weight_sparse": 0, "in_sparsity": 0, "weight_sparsity": 0,
    }  # fmt: skip
    # 4, 2 or 1 rows reach 7, 5 or 4; there are 4.
    rows = [(1, 0, 0), (2, 1, 0), (4, 2, 1)]
    assert jobs_of(of) == [
        shared | {"in_h": 4, "out_h": high, "pad_top": top, "pad_bottom": bottom}
        for high, top, bottom in rows
    ]


def test_jobs_by_operation_read_all_channels_or_their_own() -> None:
    def channels(of: Layer, tiles: int = 1) -> set[tuple[int, ...]]:
        names = ("in_c", "out_c", "strategy", "write_tiles")
        return {tuple(job[name] for name in names) for job in jobs_of(of, tiles)}

    alone, over_k = 0, SPLIT_OVER_K
    filters = {(32, size, alone, 1) for size in (16, 32)}
    assert channels(layer(CONVOLUTION, 32)) == filters
    assert channels(layer(CONVOLUTION, 32, in_c=20)) == filters  # filled up
    assert channels(layer(COMPRESSED, 32, in_c=3)) == {(3, size, alone, 1) for size in (16, 32)}
    assert channels(layer(DEPTHWISE, 32)) == {(size, size, alone, 1) for size in (16, 32)}
    # Tiles that share channels write all of them to both.
    assert channels(layer(CONVOLUTION, 32), 2) == {*filters, (32, 16, over_k, 2)}


def test_ways_that_the_judge_knows_nothing_of_are_left_out() -> None:
    class Choosy(ByHand):
        def cycles(self, jobs: Workloads) -> Floats:
            return np.where(jobs.out_h == 3, np.nan, super().cycles(jobs))

    # 3 rows in bands of 2 end with one of 1; nobody needs one of 3 then.
    found = candidates(layer(MAXPOOL, 16, 3), 1, Choosy())
    assert sorted(found.bands.tolist()) == [2, 2, 3, 3]
    assert len(candidates(layer(MAXPOOL, 16, 3), 1, JUDGE)) == 6


def test_tiles_that_share_rows_read_their_halos() -> None:
    """Of 8 rows two tiles read 6 each, in two bands 4 and 4 each; sharing channels all, or 12."""
    found = candidates(layer(MAXPOOL, 32, k_h=3, k_w=3), 2, JUDGE)
    halos = {
        (int(by_rows), int(bands)): float(halo)
        for by_rows, bands, halo in zip(found.by_rows, found.bands, found.halo, strict=True)
    }
    assert halos == {
        (1, 1): 12 / 8, (1, 2): 16 / 8, (1, 4): 24 / 8,
        (0, 1): 1.0, (0, 2): 12 / 8, (0, 4): 16 / 8, (0, 8): 3.0,
    }  # fmt: skip
    # Rows that no window needs are read all the same.
    strided = layer(MAXPOOL, 16, 4, stride_h=2, stride_w=2, in_h=8, in_w=8)
    assert set(candidates(strided, 1, JUDGE).halo.tolist()) == {1.0}
