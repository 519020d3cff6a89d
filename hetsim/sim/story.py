"""The type of SimPy processes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

Story = Generator[simpy.Event, Any, None]
"""What one thing does over simulated time: a generator that yields the events it waits for."""
