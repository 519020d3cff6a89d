"""The pairs of HaX-CoNN, and what single convolutions ask of a Xavier's memory."""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.checks.haxconn.corun import Xavier
from hetsim.validate.checks.haxconn.memory import utilisation
from hetsim.validate.checks.haxconn.pairs import PAIRS
from hetsim.validate.checks.haxconn.profiles import profiles
from hetsim.validate.checks.haxconn.table import TABLE, read_measured


class CoRunningPairs(Check):
    """A pair of networks under a policy: everything on the GPU, a unit each, the authors' cuts."""

    title = "pairs of networks side by side"
    compared = (
        "the time of two networks that start together on the GPU and a DLA of a Jetson AGX Xavier,"
        " under three policies, beside the measured one; GoogLeNet has its measured times, other"
        " networks those of a SoC file that was fitted to GoogLeNet and AlexNet alone on a unit"
    )
    kind = "measured"
    unit = "s"
    tables = (TABLE,)
    grouped = "pair"
    peer = (
        "its authors tell of one schedule of theirs, of the first pair, twice: 7.8 ms and 10.3 ms"
    )

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """One for each pair and policy that the table has."""
        measured = read_measured(setting.tables)
        xavier = Xavier(profiles(measured))
        for pair, policies in PAIRS.items():
            for policy, told in policies.items():
                yield Row(policy, pair, measured.pair_s(pair, policy), xavier.told(told))


class MemoryDemand(Check):
    """Convolutions that run again and again on the GPU."""

    title = "memory utilisation of convolutions"
    compared = (
        "the share of a Jetson AGX Xavier's memory bandwidth that a convolution takes while it"
        " repeats on the GPU, its input and result being copied, beside the memory controller's"
        " largest measured utilisation; nothing was fitted to it"
    )
    kind = "measured"
    unit = "of the bandwidth"
    tables = (TABLE,)
    grouped = "input"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A convolution each; a shape that stands there twice is compared twice."""
        xavier = Xavier()
        for entry in read_measured(setting.tables).conv_memory_utilisation:
            kernel, size = entry.kernel, "x".join(map(str, entry.input_nchw[1:]))
            share = utilisation(xavier, entry.input_nchw, entry.out_channels, kernel, entry.pad)
            yield Row(f"{kernel}x{kernel}", size, entry.memory_controller_utilisation, share)
