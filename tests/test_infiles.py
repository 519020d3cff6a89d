"""Files that users name: what is no file, has no end, or is too large is refused at once."""

from __future__ import annotations

import os
import sys

import pytest

from hetsim.errors import ConfigError, WorkloadError
from hetsim.infiles import read_bytes, read_text, user_path

WINDOWS = sys.platform == "win32"


@pytest.mark.skipif(WINDOWS, reason="Windows has neither named pipes nor /dev/zero")
def test_a_device_or_pipe_is_refused_before_anything_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", "/dev/zero", "/dev/null"):
        with pytest.raises(ConfigError, match="device or a pipe"):
            read_bytes(place, limit=100)
    with pytest.raises(ConfigError, match="directory"):
        read_bytes(tmp_path, limit=100)


def test_the_limit_is_the_largest_that_is_read(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    assert len(read_bytes(file, limit=100)) == 100
    with pytest.raises(WorkloadError, match="100 bytes, and at most 99 are read") as told:
        read_bytes(file, limit=99, error=WorkloadError)
    assert told.value.where is not None


def test_a_sparse_file_of_any_size_costs_nothing(tmp_path):
    file = tmp_path / "huge"
    with file.open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(ConfigError, match="at most"):
        read_text(file)


@pytest.mark.skipif(WINDOWS, reason="Windows makes up a home directory for any name")
@pytest.mark.parametrize("arguments", [
    ["run", "~nosuchuser/x.yaml"], ["run", "paper_one", "--model", "~nosuchuser/x.onnx"],
    ["run", "paper_one", "--scheduler", "~nosuchuser/x.py:X"],
    ["run", "paper_one", "--set", "npu.profile=~nosuchuser/x.yaml"],
    ["run", "paper_one", "--set", "soc=~nosuchuser/x.yaml"],
])  # fmt: skip
def test_nobodys_home_is_one_message(arguments, capsys):
    from hetsim.cli.main import entry

    assert entry([*arguments, "--no-files"]) == 2
    err = capsys.readouterr().err
    assert "'~nosuchuser'" in err
    assert err.startswith("error: ")


def test_a_path_without_a_tilde_is_left_alone():
    assert str(user_path("a/~b")) == "a/~b"
