"""Turns measured rows into curves, BD-rates, a table for people and a summary for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentcodec.bench.bdrate import BdRate, Curve, NotComparable, bd_rate
from latentcodec.bench.codecs import Codec
from latentcodec.bench.run import Row

ANCHOR = "jpeg420"
OWN = "lat"


@dataclass(frozen=True)
class CodecResult:
    """All that was measured of one codec, over the same images at every setting.

    `points` has one (setting, mean bpp, mean PSNR in dB) per setting, over the images; `mean` is
    the curve through them; `per_image` has one curve per image; times are means over all rows.
    """

    name: str
    label: str
    points: list[tuple[float, float, float]]
    mean: Curve
    per_image: dict[str, Curve]
    encode_s: float
    decode_s: float


@dataclass(frozen=True)
class Comparison:
    """One codec against another.

    Attributes:
        of_mean_curve: BD-rate of the mean curves, or the reason why there is none.
        per_image: BD-rate in percent by image.
        refused: The reason by image, where an image's curves cannot be compared.
    """

    of_mean_curve: BdRate | str
    per_image: dict[str, float]
    refused: dict[str, str]

    @property
    def mean_percent(self) -> float | None:
        """Mean of the per-image BD-rates in percent; None where every image was refused."""
        return float(np.mean(list(self.per_image.values()))) if self.per_image else None

    @property
    def wins(self) -> int:
        """Number of images on which the codec needs fewer bits than the other."""
        return sum(percent < 0.0 for percent in self.per_image.values())


def collect(codecs: Sequence[Codec], rows: Sequence[Row]) -> dict[str, CodecResult]:
    """Gather the rows by codec; codecs without rows are left out."""
    results = {}
    for codec in codecs:
        own = [row for row in rows if row.codec == codec.name]
        if own:
            results[codec.name] = _result(codec, own)
    return results


def _result(codec: Codec, rows: Sequence[Row]) -> CodecResult:
    points = []
    for setting in codec.settings:
        at_setting = [row for row in rows if row.setting == setting]
        mean_bpp = float(np.mean([row.bpp for row in at_setting]))
        points.append((setting, mean_bpp, float(np.mean([row.psnr for row in at_setting]))))
    per_image = {}
    for image in sorted({row.image for row in rows}):
        of_image = [row for row in rows if row.image == image]
        per_image[image] = Curve.from_points(
            [row.bpp for row in of_image], [row.psnr for row in of_image]
        )
    return CodecResult(
        name=codec.name,
        label=codec.label,
        points=points,
        mean=Curve.from_points([point[1] for point in points], [point[2] for point in points]),
        per_image=per_image,
        encode_s=float(np.mean([row.encode_s for row in rows])),
        decode_s=float(np.mean([row.decode_s for row in rows])),
    )


def compare(anchor: CodecResult, test: CodecResult) -> Comparison:
    """BD-rates of `test` against `anchor`, which were measured on the same images."""
    of_mean_curve: BdRate | str
    try:
        of_mean_curve = bd_rate(anchor.mean, test.mean)
    except NotComparable as reason:
        of_mean_curve = str(reason)
    per_image, refused = {}, {}
    for image, curve in test.per_image.items():
        try:
            per_image[image] = bd_rate(anchor.per_image[image], curve).percent
        except NotComparable as reason:
            refused[image] = str(reason)
    return Comparison(of_mean_curve, per_image, refused)


def machine() -> str:
    """This machine in words: the processor's model and the number of cores."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores"


def table(results: Mapping[str, CodecResult]) -> list[str]:
    """Lines of text: one row per codec, then each refusal, then how often latentcodec wins."""
    lines = [
        "BD-rate (RGB PSNR, PCHIP, whole common range) against JPEG 4:2:0, optimised, progressive",
        f"{'':38}{'(a) of the':>12}{'over':>15}{'(b) mean of':>13}{'':>9}{'':>14}"
        f"{'encode':>9}{'decode':>9}",
        f"{'codec':38}{'mean curve':>12}{'dB':>15}{'per-image':>13}{'images':>9}{'bpp':>14}"
        f"{'ms':>9}{'ms':>9}",
    ]
    notes = []
    for result in results.values():
        cells, reasons = _bd_cells(results, result)
        low_bpp, high_bpp = result.mean.bpp[[0, -1]] if result.mean.bpp.size else (0.0, 0.0)
        lines.append(
            f"{result.label:38}{cells}{f'{low_bpp:.2f}-{high_bpp:.2f}':>14}"
            f"{1000 * result.encode_s:9.1f}{1000 * result.decode_s:9.1f}"
        )
        notes += reasons
    return lines + notes + _win_lines(results)


def _bd_cells(results: Mapping[str, CodecResult], result: CodecResult) -> tuple[str, list[str]]:
    """The BD-rate columns of one codec, and a line for each thing that was refused."""
    if ANCHOR not in results:
        return f"{'-':>12}{'-':>15}{'-':>13}{'-':>9}", [
            f"{result.label}: no BD-rate, because {ANCHOR} was not measured."
        ]
    against = compare(results[ANCHOR], result)
    notes = [f"{result.label}, {image}: {why}." for image, why in against.refused.items()]
    percent, overlap = "refused", "-"
    if isinstance(against.of_mean_curve, BdRate):
        percent = f"{against.of_mean_curve.percent:+.1f} %"
        overlap = f"{against.of_mean_curve.low_db:.1f} to {against.of_mean_curve.high_db:.1f}"
    else:
        notes.insert(0, f"{result.label}, mean curve: {against.of_mean_curve}.")
    mean = "refused" if against.mean_percent is None else f"{against.mean_percent:+.1f} %"
    images = f"{len(against.per_image)}/{len(result.per_image)}"
    return f"{percent:>12}{overlap:>15}{mean:>13}{images:>9}", notes


def _win_lines(results: Mapping[str, CodecResult]) -> list[str]:
    lines = []
    for rival, against in _own_comparisons(results).items():
        images = len(against.per_image) + len(against.refused)
        lines.append(
            f"{results[OWN].label} needs fewer bits than {results[rival].label} "
            f"on {against.wins} of {images} images ({len(against.refused)} not comparable)."
        )
    return lines


def _own_comparisons(results: Mapping[str, CodecResult]) -> dict[str, Comparison]:
    """latentcodec against each rival as the anchor; none where it was not measured."""
    if OWN not in results:
        return {}
    return {name: compare(rival, results[OWN]) for name, rival in results.items() if name != OWN}


def summary(results: Mapping[str, CodecResult]) -> dict[str, Any]:
    """The same figures for programs, ready for JSON: percent, bpp, dB and seconds."""
    anchor = results.get(ANCHOR)
    return {
        "codecs": {name: _codec_summary(result, anchor) for name, result in results.items()},
        f"{OWN}_against": {
            name: _comparison_summary(against)
            for name, against in _own_comparisons(results).items()
        },
    }


def _codec_summary(result: CodecResult, anchor: CodecResult | None) -> dict[str, Any]:
    return {
        "label": result.label,
        "points": [
            # An exact copy has no finite PSNR, and JSON has no infinity.
            {"setting": setting, "bpp": bpp, "psnr": psnr if np.isfinite(psnr) else None}
            for setting, bpp, psnr in result.points
        ],
        "mean_encode_s": result.encode_s,
        "mean_decode_s": result.decode_s,
        f"against_{ANCHOR}": (
            _comparison_summary(compare(anchor, result)) if anchor else f"{ANCHOR} was not measured"
        ),
    }


def _comparison_summary(against: Comparison) -> dict[str, Any]:
    mean_curve = against.of_mean_curve
    return {
        "bd_rate_of_mean_curve": mean_curve.percent if isinstance(mean_curve, BdRate) else None,
        "overlap_db": (
            [mean_curve.low_db, mean_curve.high_db] if isinstance(mean_curve, BdRate) else None
        ),
        "refused_mean_curve": mean_curve if isinstance(mean_curve, str) else None,
        "mean_of_per_image_bd_rates": against.mean_percent,
        "wins": against.wins,
        "per_image": against.per_image,
        "refused": against.refused,
    }
