"""One photograph through the codec, and through JPEG at the same size: files, PSNR, pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
from PIL import Image

PHOTO = Path(__file__).parent / "data" / "kodak" / "kodim23.png"


@click.command()
@click.option("--photo", type=click.Path(exists=True, path_type=Path), default=PHOTO)
@click.option("--quality", default=25.0, show_default=True)
@click.option("--corner", nargs=2, type=int, default=(300, 30), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-out"))
def main(photo: Path, quality: float, corner: tuple[int, int], out: Path) -> None:
    """Encode and decode PHOTO, then compare with JPEG at the size of that file."""
    out.mkdir(parents=True, exist_ok=True)
    lat = out / f"{photo.stem}.lat"
    latentcodec("encode", photo, lat, "-q", quality)
    latentcodec("decode", lat, out / f"{photo.stem}.png")
    with Image.open(photo) as image:
        rate = 8 * lat.stat().st_size / (image.width * image.height)
    against = ("--against", "jpeg", "--bpp", f"{rate:.4f}", "--corner", *corner)
    latentcodec("compare", photo, *against, "--out", out / "comparison")


def latentcodec(*arguments: object) -> None:
    """Run the command as a person would, and say so."""
    words = [str(argument) for argument in arguments]
    click.echo(f"$ latentcodec {' '.join(words)}")
    subprocess.run([sys.executable, "-m", "latentcodec", *words], check=True)


if __name__ == "__main__":
    main()
