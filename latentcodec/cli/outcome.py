"""How the conversion of a file ended."""

from __future__ import annotations

import dataclasses
from typing import Any

from latentcodec.cli.paths import Task


@dataclasses.dataclass(frozen=True)
class Written:
    """What a task has made.

    lat_pixels, lat_bytes: of the `.lat` file, whichever side it is on. details: what only the
    command knows, as JSON, and note: the same for people.
    """

    width_px: int
    height_px: int
    input_bytes: int
    output_bytes: int
    lat_pixels: int
    lat_bytes: int
    details: dict[str, Any]
    note: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a task ended: `written`, or skipped if that and the error are missing."""

    task: Task
    written: Written | None
    error: str
    warnings: list[str]
    seconds: float
