"""What tests in a real browser share: opening pages, waiting, listening to what it complains of."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def go_to(browser: Any, page: Path, width: int = 1200, height: int = 1000) -> None:
    """Opens ``page`` in a window of that size."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.get(page.as_uri())


def settle(browser: Any) -> None:
    """Waits until the frame that the last event asked for is drawn."""
    browser.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"
    )


def in_colours(browser: Any, scheme: str) -> None:
    """From now on the system asks for ``light`` or ``dark`` pages."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


def complaints(browser: Any) -> list[str]:
    """What the browser had to say, less its advice about the tests' own reading of pixels."""
    messages = [entry["message"] for entry in browser.get_log("browser")]
    return [message for message in messages if "willReadFrequently" not in message]
