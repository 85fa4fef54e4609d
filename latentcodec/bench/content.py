"""BD-rates by what the images show, from labels in a small file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from latentcodec.bench.against import Table, percent_cell
from latentcodec.bench.codecs import ANCHOR, Codec
from latentcodec.bench.metrics import PSNR, SSIMULACRA2, Metric
from latentcodec.bench.results import CodecResult, collect, compare
from latentcodec.bench.rows import Row
from latentcodec.errors import LatError

_COLUMNS = ["image", "labels"]
_METRICS = (PSNR, SSIMULACRA2)


def read_labels(path: Path) -> dict[str, list[str]]:
    """The names of images by label, labels in order of the alphabet.

    The file is a CSV of the columns image, a file name, and labels, words with blanks between them.

    Raises:
        LatError: The file is not of that form.
        OSError: It cannot be read.
    """
    found: dict[str, list[str]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, strict=True)
            if reader.fieldnames != _COLUMNS:
                raise LatError(f"{path} needs the columns {','.join(_COLUMNS)} to have labels")
            for row in reader:
                if row["labels"] is None or None in row:
                    raise LatError(f"{path} has no image and labels in line {reader.line_num}")
                for label in row["labels"].split():
                    found.setdefault(label, []).append(row["image"])
    except (csv.Error, UnicodeDecodeError) as error:
        raise LatError(f"{path} cannot be read as labels: {error}") from None
    return dict(sorted(found.items()))


def content_tables(
    labels: dict[str, list[str]], codecs: Sequence[Codec], rows: Sequence[Row]
) -> list[Table]:
    """BD-rates of the mean curves over the images of each label, one table for each metric.

    Labels that none of the images have are left out.
    """
    names = {row.image for row in rows}
    results = {}
    for label, images in labels.items():
        chosen = names.intersection(images)
        if chosen:
            own = [row for row in rows if row.image in chosen]
            results[f"{label} ({len(chosen)})"] = collect(codecs, own, [])
    if not results or all(ANCHOR not in found for found in results.values()):
        return []
    return [_table(metric, codecs, results) for metric in _METRICS]


def _table(
    metric: Metric, codecs: Sequence[Codec], results: dict[str, dict[str, CodecResult]]
) -> Table:
    rows = [
        [codec.label, *(_cell(metric, codec.name, found) for found in results.values())]
        for codec in codecs
        if codec.name != ANCHOR
    ]
    title = (
        f"BD-rates by {metric.label.partition(',')[0]} against the anchor by content, with the "
        "number of images (an image may have several labels), and intervals from five images on"
    )
    return Table(title, ["codec", *results], rows)


def _cell(metric: Metric, name: str, found: dict[str, CodecResult]) -> str:
    against = compare(found[ANCHOR], found[name], metric)
    return percent_cell(against.rate, against.interval)
