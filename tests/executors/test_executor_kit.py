"""Our executors pass the executors' kit."""

from __future__ import annotations

import pytest

from hetsim.executors.processes import ProcessExecutor
from hetsim.executors.serial import SerialExecutor
from hetsim.testing import ExecutorKit

pytestmark = pytest.mark.slow


class TestSerial(ExecutorKit):
    has_workers = False

    def make(self):
        return SerialExecutor()


class TestProcesses(ExecutorKit):
    def make(self):
        return ProcessExecutor(2)
