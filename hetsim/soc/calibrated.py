"""What a SoC file was fitted to, and how wrong it is on what its fit has not seen.

Written by ``hetsim calibrate``, read by people: it changes no simulated time. The range of a time
comes from ``uncertainty`` (:mod:`hetsim.soc.uncertainty`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hetsim.soc.fields import Count, Name, Spec, located

Share = Annotated[float, Field(ge=0)]


class HeldOut(Spec):
    """Absolute relative errors, as shares of one, on rows that were kept aside."""

    rows: Count
    median: Share
    p90: Share
    unseen: bool = Field(
        default=True, description="false: nobody knows whether what was fitted has seen these rows"
    )

    @model_validator(mode="after")
    def _is_in_order(self) -> HeldOut:
        if self.median > self.p90:
            message = f"is above p90, {self.p90:g}; nine in ten errors cannot be below half of them"
            raise located("held_out", ("median",), message, self.median)
        return self


class Calibration(Spec):
    """One fit of one unit."""

    what: str = Field(description="what was compared, e.g. 'convolutions, float32'")
    unit: Name = Field(description="the unit that was fitted")
    source: str = Field(description="where the reference values are from")
    kind: Literal["measurement", "estimate"] = Field(
        default="measurement", description="of hardware, or of a vendor's program"
    )
    rows: Count = Field(description="reference values behind the fit")
    held_out: HeldOut | None = Field(
        default=None, description="errors on rows kept aside; absent = nobody looked"
    )
    by: str = Field(default="", description="the command that made it")


def summary(calibrated: list[Calibration]) -> str:
    """All fits in a line for people: the error, on what, of how many reference values."""
    return "; ".join(map(_line, calibrated)) or "not calibrated"


def _line(of: Calibration) -> str:
    rows = f"{of.rows:,} {of.kind}{'s' if of.rows > 1 else ''}"
    if of.kind == "estimate":
        rows += " of a vendor's program, not of silicon"
    if of.held_out is None:
        error = "error unknown"
    else:
        rows_of = "unseen rows" if of.held_out.unseen else "rows that may have been seen"
        error = f"{of.held_out.median:.0%} median error on {rows_of} ({of.held_out.p90:.0%} p90)"
    return f"{of.unit}, {of.what}: {error}, {rows}"
