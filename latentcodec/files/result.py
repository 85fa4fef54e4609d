"""How the conversion of a file ended."""

from __future__ import annotations

import dataclasses
from typing import Literal

Status = Literal["written", "skipped", "failed", "planned"]


@dataclasses.dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    source, target: as they were given, "-" for what has no name. width_px, height_px: of the
    picture that was written. lat_pixels, lat_bytes: of the `.lat` file, whichever side it is on.
    quality: what it was encoded with, 1 to 100. psnr_db, sha256 (64 hexadecimal digits, of the
    target): where the options ask for them. mode: Pillow's, of a decoded picture. is_damaged:
    decoded, but not all of it (salvage). error: one sentence, where it failed. seconds: from
    reading to the last byte written. What does not apply is None, or 0.
    """

    source: str
    target: str
    status: Status
    width_px: int = 0
    height_px: int = 0
    input_bytes: int = 0
    output_bytes: int = 0
    lat_pixels: int = 0
    lat_bytes: int = 0
    quality: float | None = None
    psnr_db: float | None = None
    mode: str | None = None
    is_verified: bool = False
    is_damaged: bool = False
    sha256: str | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str | None = None

    @property
    def bits_per_pixel(self) -> float | None:
        """Of the `.lat` file, all of it; None where none was written or read."""
        return 8 * self.lat_bytes / self.lat_pixels if self.lat_pixels else None
