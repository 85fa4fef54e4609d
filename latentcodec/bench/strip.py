"""The same crop of several pictures, side by side, as one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

CROP_PX = 256
_ZOOM = 2
_GAP_PX = 8
_HEAD_PX = 52


def centre_corner(image: Image.Image) -> tuple[int, int]:
    """Left and top, in pixels, of the crop in the middle of an image."""
    return max((image.width - CROP_PX) // 2, 0), max((image.height - CROP_PX) // 2, 0)


def crop_strip(pictures: Sequence[tuple[str, str, Image.Image]], corner: tuple[int, int]) -> bytes:
    """A PNG of the crops of 256 px at double size.

    Args:
        pictures: Name, a line of figures, and the RGB image of each.
        corner: Left and top of the crop in pixels; moved so that the crop is inside the image.
    """
    width, height = pictures[0][2].size
    crop_width, crop_height = min(CROP_PX, width), min(CROP_PX, height)
    left = max(0, min(corner[0], width - crop_width))
    top = max(0, min(corner[1], height - crop_height))
    side = _ZOOM * crop_width
    total = len(pictures) * side + _GAP_PX * (len(pictures) - 1)
    strip = Image.new("RGB", (total, _ZOOM * crop_height + _HEAD_PX), "white")
    draw = ImageDraw.Draw(strip)
    for place, (name, figures, picture) in enumerate(pictures):
        x = place * (side + _GAP_PX)
        crop = picture.crop((left, top, left + crop_width, top + crop_height))
        shown = crop.resize((side, _ZOOM * crop_height), Image.Resampling.NEAREST)
        strip.paste(shown, (x, _HEAD_PX))
        draw.text((x + 4, 4), name, fill="black", font_size=18)
        draw.text((x + 4, 28), figures, fill="#555555", font_size=15)
    buffer = io.BytesIO()
    strip.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
