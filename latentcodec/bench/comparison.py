"""One photograph through several codecs at one size: a page with a slider, and a strip of crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentcodec.bench.codecs import Codec
from latentcodec.bench.images import load_rgb
from latentcodec.bench.matching import Match, match_sizes
from latentcodec.bench.metrics import bits_per_pixel
from latentcodec.bench.page import comparison_page, slider_data
from latentcodec.bench.strip import centre_corner, crop_strip
from latentcodec.system.atomic_write import write_file


@dataclass(frozen=True)
class Comparison:
    """What was written, and a line of figures for each codec."""

    page: Path
    strip: Path
    lines: list[str]


def compare_photo(
    photo: Path, chosen: Sequence[Codec], bpp: float, corner: tuple[int, int] | None, out: Path
) -> Comparison:
    """Encode a photograph with each codec at the same size, and write the page and the strip.

    Args:
        photo: An image file.
        chosen: The codecs, which must not be missing.
        bpp: The rate to come near to, in bits per pixel.
        corner: Left and top of the crop in pixels; the middle of the picture where None.
        out: Folder for comparison.html and comparison.png, made where there is none.

    Raises:
        LatError: The image cannot be read, or the sizes cannot be made alike within 2 %.
        OSError: A file cannot be read or written.
    """
    image = load_rgb(photo)
    matches = match_sizes(chosen, image, bpp * image.width * image.height / 8)
    out.mkdir(parents=True, exist_ok=True)
    page, strip = out / "comparison.html", out / "comparison.png"
    write_file(page, comparison_page(slider_data(photo.name, image, matches)))
    pictures = [("Original", f"{image.width} x {image.height} px", image)]
    pictures += [(match.codec.label, _short(match), match.decoded) for match in matches]
    write_file(strip, crop_strip(pictures, corner or centre_corner(image)))
    return Comparison(page, strip, [_line(match) for match in matches])


def _short(match: Match) -> str:
    return f"{len(match.data):,} bytes, {match.psnr:.2f} dB"


def _line(match: Match) -> str:
    rate = bits_per_pixel(len(match.data), *match.decoded.size)
    return (
        f"{match.codec.label:<38} setting {match.setting:<6g} {len(match.data):>9,} bytes  "
        f"{rate:.3f} bpp  PSNR {match.psnr:.2f} dB"
    )
