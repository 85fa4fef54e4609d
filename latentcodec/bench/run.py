"""Measures codecs on images, through real files, and keeps one row per file in a CSV table."""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

import numpy as np
from PIL import Image

from latentcodec.bench.codecs import Codec
from latentcodec.bench.metrics import bits_per_pixel, psnr_db

IMAGE_SUFFIXES = (".png", ".ppm", ".bmp", ".tif", ".tiff", ".webp", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Row:
    """One file of one codec. The fields are the columns of rd.csv.

    `width` and `height` are in pixels, `bytes` is the size of the file, `psnr` is RGB in dB, and
    the times are wall seconds of encoding and decoding in memory.
    """

    codec: str
    setting: float
    image: str
    width: int
    height: int
    bytes: int
    bpp: float
    psnr: float
    encode_s: float
    decode_s: float

    @property
    def key(self) -> tuple[str, float, str]:
        """What the row measures: codec, setting, and name of the image."""
        return self.codec, self.setting, self.image


COLUMNS = tuple(field.name for field in fields(Row))


def list_images(folder: Path) -> list[Path]:
    """The images of a folder in order of name; no subfolders."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def read_rows(csv_path: Path) -> list[Row]:
    """The complete rows of rd.csv; none where there is no such file.

    Raises:
        ValueError: The file has other columns.
    """
    if not csv_path.exists():
        return []
    # A run that was killed may have left half a row, which has no line end.
    text = csv_path.read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
    if reader.fieldnames is not None and tuple(reader.fieldnames) != COLUMNS:
        raise ValueError(f"{csv_path.name} has other columns than {', '.join(COLUMNS)}")
    return [_parse(record) for record in reader]


def measure(
    codecs: Sequence[Codec],
    images: Sequence[Path],
    csv_path: Path,
    resume: bool,
    progress: Callable[[str, int, int], None],
) -> list[Row]:
    """Encode and decode every image at every setting of every codec, one job at a time.

    Args:
        codecs: What to measure, in this order.
        images: Files that Pillow reads as RGB.
        csv_path: rd.csv, appended to row by row, so that an interrupted run loses one row.
        resume: Reuse the rows in `csv_path`. They are taken as they are: delete those of a codec
            that has changed since. Without it the file is begun afresh.
        progress: Called after each row with the codec's name and its rows done and in all.

    Returns:
        One row for each codec, image and setting asked for.
    """
    kept = read_rows(csv_path) if resume else []
    finished = {row.key: row for row in kept}
    rows: list[Row] = []
    _write_rows(csv_path, kept)
    with csv_path.open("a", encoding="utf-8", newline="") as stream:
        for codec in codecs:
            total = len(images) * len(codec.settings)
            for count, row in enumerate(_codec_rows(codec, images, finished), start=1):
                if row.key not in finished:
                    _writer(stream).writerow(_record(row))
                    stream.flush()
                rows.append(row)
                progress(codec.name, count, total)
    return rows


def _codec_rows(
    codec: Codec, images: Sequence[Path], finished: dict[tuple[str, float, str], Row]
) -> Iterator[Row]:
    """The rows of one codec, image by image, reusing the finished ones."""
    warm = False
    for path in images:
        image = _load_rgb(path)
        for setting in codec.settings:
            done = finished.get((codec.name, setting, path.name))
            if done is None and not warm:
                # The first job also loads libraries and weights, which the times are not about.
                codec.decode(codec.encode(image, setting))
                warm = True
            yield done or measure_one(codec, setting, path.name, image)


def measure_one(codec: Codec, setting: float, name: str, image: Image.Image) -> Row:
    """Encode one RGB image to a file, decode what the file holds, and measure both."""
    with tempfile.TemporaryDirectory() as folder:
        encoded_path = Path(folder, "encoded")
        start_s = time.perf_counter()
        data = codec.encode(image, setting)
        encode_s = time.perf_counter() - start_s
        encoded_path.write_bytes(data)
        size_bytes = encoded_path.stat().st_size
        data = encoded_path.read_bytes()
        start_s = time.perf_counter()
        decoded = codec.decode(data)
        decode_s = time.perf_counter() - start_s
    return Row(
        codec=codec.name,
        setting=setting,
        image=name,
        width=image.width,
        height=image.height,
        bytes=size_bytes,
        bpp=round(bits_per_pixel(size_bytes, image.width, image.height), 6),
        psnr=round(psnr_db(np.asarray(image), np.asarray(decoded)), 6),
        encode_s=round(encode_s, 6),
        decode_s=round(decode_s, 6),
    )


def _load_rgb(path: Path) -> Image.Image:
    """The pixels of a file as RGB, and nothing else.

    Going through an array leaves colour profiles and EXIF behind, which some codecs would write
    into their files and others would not.
    """
    with Image.open(path) as image:
        return Image.fromarray(np.asarray(image.convert("RGB")))


def _write_rows(csv_path: Path, rows: Sequence[Row]) -> None:
    """Replace rd.csv in one step, so that no moment of a resumed run has fewer rows than before."""
    part = csv_path.with_suffix(".tmp")
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = _writer(stream)
        writer.writeheader()
        writer.writerows(_record(row) for row in rows)
    part.replace(csv_path)


def _writer(stream: TextIO) -> csv.DictWriter[str]:
    return csv.DictWriter(stream, COLUMNS, lineterminator="\n")


def _record(row: Row) -> dict[str, object]:
    return {**asdict(row), "setting": f"{row.setting:g}"}


def _parse(record: dict[str, str]) -> Row:
    return Row(
        codec=record["codec"],
        setting=float(record["setting"]),
        image=record["image"],
        width=int(record["width"]),
        height=int(record["height"]),
        bytes=int(record["bytes"]),
        bpp=float(record["bpp"]),
        psnr=float(record["psnr"]),
        encode_s=float(record["encode_s"]),
        decode_s=float(record["decode_s"]),
    )
