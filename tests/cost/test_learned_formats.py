"""Which format a learned model's file has, told by its first bytes, and what a wrong one hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.learned.format import format_of
from hetsim.cost.learned.npz import NpzFormat
from hetsim.cost.learned.vpunn.format import StudentFormat, VPUNNFormat
from hetsim.errors import ConfigError
from tests.sim.samples import make_soc

MODELS = Path(__file__).parents[2] / "socs" / "vpunn"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ((MODELS / "vpu_2_7.vpunn").read_bytes()[:64], VPUNNFormat),
        ((MODELS / "vpu_2_7.student.npz").read_bytes()[:64], StudentFormat),
        (b"PK\x03\x04" + bytes(26) + b"mean.npy", NpzFormat),
        (b"seconds: 3\n", NpzFormat),
        (b"", NpzFormat),
    ],
)
def test_the_first_bytes_tell_the_format(head: bytes, kind: type, tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(head)
    assert type(format_of(file)) is kind


def test_what_no_format_knows_is_refused_with_its_place(tmp_path: Path) -> None:
    file, cpu = tmp_path / "model.npz", make_soc().by_name["cpu"]
    file.write_bytes(b"seconds: 3\n")
    with pytest.raises(ConfigError, match="not a learned model") as caught:
        format_of(file).model("cpu", cpu.spec, file, None, AnalyticalModel())
    assert caught.value.where is not None
    assert caught.value.where.file == str(file)


def test_transfers_beside_whole_kernels_are_refused(tmp_path: Path) -> None:
    file, cpu = tmp_path / "model.npz", make_soc().by_name["cpu"]
    file.write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"pus\.cpu\.dma\.learned: has no effect beside") as found:
        format_of(file).model("cpu", cpu.spec, file, tmp_path / "dma", AnalyticalModel())
    assert found.value.where is not None
    assert found.value.where.file == str(tmp_path / "dma")
