"""One photograph through several codecs at one size: a page with a slider, and a strip of crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from latentcodec.bench.codecs import Codec
from latentcodec.bench.images import image_name, load_rgb
from latentcodec.bench.matching import CodecFailed, Match, match_sizes, unlike
from latentcodec.bench.metrics import bits_per_pixel
from latentcodec.bench.page import comparison_page, slider_data
from latentcodec.bench.strip import centre_corner, crop_strip
from latentcodec.errors import LatError
from latentcodec.images.files import open_image
from latentcodec.system.atomic_write import write_file


@dataclass(frozen=True)
class Comparison:
    """What was written, a line of figures for each codec, and what did not go as asked."""

    page: Path
    strip: Path
    lines: list[str]
    warnings: list[str]


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

    A rival that cannot encode this image is left out, transparency is put on white, and sizes that
    cannot be made alike stay unlike, each with a warning.

    Raises:
        LatError: The image cannot be read, or the first codec cannot encode it.
        OSError: A file cannot be read or written.
    """
    warnings: list[str] = []
    image = _opaque(photo, warnings)
    matches = _matches(chosen, image, bpp * image.width * image.height / 8, warnings)
    out.mkdir(parents=True, exist_ok=True)
    page, strip = out / "comparison.html", out / "comparison.png"
    write_file(page, comparison_page(slider_data(image_name(photo), image, matches)))
    pictures = [("Original", f"{image.width} x {image.height} px", image)]
    pictures += [(match.codec.label, _short(match), match.decoded) for match in matches]
    write_file(strip, crop_strip(pictures, corner or centre_corner(image)))
    return Comparison(page, strip, [_line(match) for match in matches], warnings)


def _opaque(photo: Path, warnings: list[str]) -> Image.Image:
    image = open_image(photo)
    if not image.has_transparency_data:
        return load_rgb(photo)
    warnings.append(f"{photo} has transparency, which not every codec holds: it is put on white")
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")


def _matches(
    chosen: Sequence[Codec], image: Image.Image, size_bytes: float, warnings: list[str]
) -> list[Match]:
    left = list(chosen)
    while True:
        try:
            matches = match_sizes(left, image, size_bytes)
        except CodecFailed as error:
            if error.codec is left[0]:
                raise LatError(str(error)) from error
            left.remove(error.codec)
            warnings.append(f"{error}; it is left out")
        else:
            problem = unlike(matches)
            warnings += [problem] if problem else []
            return matches


def _short(match: Match) -> str:
    return f"{len(match.data):,} bytes, {match.psnr:.2f} dB"


def _line(match: Match) -> str:
    rate = bits_per_pixel(len(match.data), *match.decoded.size)
    return (
        f"{match.codec.label:<38} setting {match.setting:<6g} {len(match.data):>9,} bytes  "
        f"{rate:.3f} bpp  PSNR {match.psnr:.2f} dB"
    )
