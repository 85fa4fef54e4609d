"""One photograph through the codec, and through JPEG at the same size: sizes, PSNR, pictures."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
_CROP_PX = 256


def psnr(image: Image.Image, original: Image.Image) -> float:
    """PSNR in dB over the three channels of two RGB images."""
    difference = np.asarray(image, dtype=np.float64) - np.asarray(original, dtype=np.float64)
    return 10 * math.log10(255**2 / float((difference**2).mean()))


def jpeg_of_size(image: Image.Image, size_bytes: int) -> tuple[bytes, int]:
    """The progressive, optimised 4:2:0 JPEG whose size is nearest, and its quality."""
    candidates = []
    for quality in range(1, 96):
        buffer = io.BytesIO()
        image.save(
            buffer, "JPEG", quality=quality, optimize=True, progressive=True, subsampling="4:2:0"
        )
        candidates.append((buffer.getvalue(), quality))
        if len(buffer.getvalue()) > size_bytes:
            break
    return min(candidates, key=lambda candidate: abs(len(candidate[0]) - size_bytes))


def side_by_side(pictures: dict[str, Image.Image], corner: tuple[int, int]) -> Image.Image:
    """The same crop of each picture at double size, labelled."""
    side = 2 * _CROP_PX
    strip = Image.new("RGB", (len(pictures) * side + 8 * (len(pictures) - 1), side + 28), "white")
    draw = ImageDraw.Draw(strip)
    for number, (label, picture) in enumerate(pictures.items()):
        left, top = corner
        crop = picture.crop((left, top, left + _CROP_PX, top + _CROP_PX))
        strip.paste(crop.resize((side, side), Image.Resampling.NEAREST), (number * (side + 8), 28))
        draw.text((number * (side + 8) + 4, 4), label, fill="black", font_size=18)
    return strip


@click.command()
@click.option("--photo", type=click.Path(path_type=Path), default=HERE / "data/kodak/kodim23.png")
@click.option("--quality", default=25.0, show_default=True)
@click.option("--corner", nargs=2, type=int, default=(300, 30), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-out"))
def main(photo: Path, quality: float, corner: tuple[int, int], out: Path) -> None:
    """Encode and decode PHOTO with the latentcodec command, and compare with JPEG."""
    out.mkdir(parents=True, exist_ok=True)
    lat, back = out / f"{photo.stem}.lat", out / f"{photo.stem}.png"
    for arguments in (["encode", str(photo), str(lat), "-q", str(quality)], ["decode", lat, back]):
        command = [sys.executable, "-m", "latentcodec", *map(str, arguments)]
        subprocess.run(command, check=True)
    original = Image.open(photo).convert("RGB")
    jpeg, jpeg_quality = jpeg_of_size(original, lat.stat().st_size)
    (out / f"{photo.stem}.jpg").write_bytes(jpeg)
    rows = {
        f"latentcodec -q {quality:g}": (lat.stat().st_size, Image.open(back).convert("RGB")),
        f"JPEG quality {jpeg_quality}": (len(jpeg), Image.open(io.BytesIO(jpeg)).convert("RGB")),
    }
    print(f"\n{photo.name}, {original.width} x {original.height} px")
    pictures = {"original": original}
    for name, (size, picture) in rows.items():
        bpp, db = 8 * size / (original.width * original.height), psnr(picture, original)
        print(f"{name:<22} {size:>8} bytes  {bpp:.3f} bpp  PSNR {db:.2f} dB")
        pictures[f"{name}: {size} bytes, {db:.1f} dB"] = picture
    strip = out / "comparison.png"
    side_by_side(pictures, corner).save(strip)
    print(f"look at {strip}: the same crop of each, side by side")


if __name__ == "__main__":
    main()
