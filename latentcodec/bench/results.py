"""Gathers measured rows into curves, and compares the curves."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentcodec.bench import bootstrap
from latentcodec.bench.bdrate import (
    BdGain,
    BdRate,
    Curve,
    NotComparable,
    bd_gain,
    bd_rate,
    bd_rates,
)
from latentcodec.bench.bootstrap import Interval
from latentcodec.bench.codecs import Codec
from latentcodec.bench.metrics import METRICS, MS_SSIM, PSNR, PSNR_Y, SSIMULACRA2, Metric, psnr_db
from latentcodec.bench.rows import Row, TimeRow

# Beside the means of the per-image metrics: the PSNR of the mean of all images' squared errors.
POOLED = Metric("psnr_pooled", "RGB PSNR of the pooled MSE, dB")
MEAN_METRICS = (PSNR, POOLED, PSNR_Y, MS_SSIM, SSIMULACRA2)


@dataclass(frozen=True)
class Point:
    """One setting of a codec: means over the images of size in bytes, bpp and every metric.

    `quality` has the metrics by column, MEAN_METRICS and `ms_ssim`, as means of the per-image
    values, but for `psnr_pooled`.
    """

    setting: float
    bytes: float
    bpp: float
    quality: dict[str, float]


@dataclass(frozen=True)
class Times:
    """Means over all timed files of their median times in seconds; the peak of memory in MiB."""

    encode_s: float
    decode_s: float
    peak_mib: float


@dataclass(frozen=True, eq=False)
class CodecResult:
    """All that was measured of one codec, over the same images at every setting.

    `mean` has the curve through `points` for each column of MEAN_METRICS, `per_image` a curve for
    each image for each column of METRICS; `times` is None where nothing was timed. `grid` has bpp,
    mse and the METRICS by column, float64 [images, settings], its rows in the order of `images`.
    """

    name: str
    label: str
    version: str
    points: list[Point]
    mean: dict[str, Curve]
    per_image: dict[str, dict[str, Curve]]
    times: Times | None
    images: tuple[str, ...]
    grid: dict[str, NDArray[np.float64]]

    @functools.cached_property
    def resampled(self) -> dict[str, list[Curve]]:
        """As `mean`, for each of the bootstrap's resamples of the images."""
        drawn = bootstrap.weights(len(self.images))
        bpp = drawn @ self.grid["bpp"]
        curves = {}
        for metric in MEAN_METRICS:
            if metric is POOLED:
                quality = np.vectorize(psnr_db)(drawn @ self.grid["mse"])
            else:
                quality = _means(drawn, self.grid[metric.column])
            curves[metric.column] = [
                Curve.from_points(*points) for points in zip(bpp, quality, strict=True)
            ]
        return curves


def _means(drawn: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`drawn @ values`; exact copies, infinitely good, count in the resamples that have them."""
    exact = np.isposinf(values)
    means = drawn @ np.where(exact, 0.0, values)
    means[drawn @ exact > 0] = math.inf
    return means


@dataclass(frozen=True)
class Comparison:
    """One codec against another on one metric.

    Attributes:
        rate: BD-rate of the mean curves, or the reason why there is none.
        gain: BD-PSNR, or that of another metric, of the mean curves, or the reason.
        per_image: BD-rate in percent by image.
        refused: The reason by image, where an image's curves cannot be compared.
        interval: Of the BD-rate of the mean curves, in percent; None where there are too few
            images, or other ones than the anchor's.
    """

    rate: BdRate | str
    gain: BdGain | str
    per_image: dict[str, float]
    refused: dict[str, str]
    interval: Interval | None

    @property
    def mean_percent(self) -> float | None:
        """Mean of the per-image BD-rates in percent; None where every image was refused."""
        return float(np.mean(list(self.per_image.values()))) if self.per_image else None

    @property
    def mean_interval(self) -> Interval | None:
        """Of `mean_percent`, in percent; None where there are too few images."""
        return bootstrap.interval_of_mean(list(self.per_image.values()))

    @property
    def wins(self) -> int:
        """Number of images on which the codec needs fewer bits than the other."""
        return sum(percent < 0.0 for percent in self.per_image.values())


def collect(
    codecs: Sequence[Codec], rows: Sequence[Row], times: Sequence[TimeRow]
) -> dict[str, CodecResult]:
    """Gather the rows by codec, in the order of `codecs`; those without rows are left out."""
    results = {}
    for codec in codecs:
        own = [row for row in rows if row.codec == codec.name]
        timed = [row for row in times if row.codec == codec.name]
        if own:
            results[codec.name] = _result(codec, own, timed)
    return results


def _result(codec: Codec, rows: Sequence[Row], timed: Sequence[TimeRow]) -> CodecResult:
    settings = list(dict.fromkeys(row.setting for row in rows))
    images = tuple(dict.fromkeys(row.image for row in rows))
    points = [_point([row for row in rows if row.setting == setting]) for setting in settings]
    per_image: dict[str, dict[str, Curve]] = {metric.column: {} for metric in METRICS}
    for image in images:
        own = [row for row in rows if row.image == image]
        for column, curves in per_image.items():
            curves[image] = Curve.from_points(
                [row.bpp for row in own], [getattr(row, column) for row in own]
            )
    mean = {
        metric.column: Curve.from_points(
            [point.bpp for point in points], [point.quality[metric.column] for point in points]
        )
        for metric in MEAN_METRICS
    }
    return CodecResult(
        name=codec.name,
        label=codec.label,
        version=rows[0].version,
        points=points,
        mean=mean,
        per_image=per_image,
        times=_times(timed),
        images=images,
        grid=_grid(rows, images, settings),
    )


def _grid(
    rows: Sequence[Row], images: Sequence[str], settings: Sequence[float]
) -> dict[str, NDArray[np.float64]]:
    """The values of the rows by column, [images, settings]."""
    place = {(row.image, row.setting): row for row in rows}
    return {
        column: np.array(
            [[getattr(place[image, setting], column) for setting in settings] for image in images]
        )
        for column in ("bpp", "mse", *(metric.column for metric in METRICS))
    }


def _point(rows: Sequence[Row]) -> Point:
    """The point of one setting from its rows, one per image."""

    def mean(column: str) -> float:
        return float(np.mean([getattr(row, column) for row in rows]))

    columns = [metric.column for metric in METRICS] + ["ms_ssim"]
    quality = {column: mean(column) for column in columns}
    quality[POOLED.column] = psnr_db(mean("mse"))
    return Point(rows[0].setting, mean("bytes"), mean("bpp"), quality)


def _times(rows: Sequence[TimeRow]) -> Times | None:
    if not rows:
        return None
    return Times(
        encode_s=float(np.mean([row.encode_s for row in rows])),
        decode_s=float(np.mean([row.decode_s for row in rows])),
        peak_mib=max((row.peak_mib for row in rows), default=math.nan),
    )


@functools.cache
def compare(anchor: CodecResult, test: CodecResult, metric: Metric) -> Comparison:
    """`test` against `anchor`, which was measured on the same images.

    For the pooled PSNR there are no curves per image.
    """
    column, least = metric.column, metric.min_overlap
    rate: BdRate | str
    gain: BdGain | str
    try:
        rate = bd_rate(anchor.mean[column], test.mean[column], least)
    except NotComparable as reason:
        rate = str(reason)
    try:
        gain = bd_gain(anchor.mean[column], test.mean[column], least)
    except NotComparable as reason:
        gain = str(reason)
    per_image, refused = {}, {}
    for image, curve in test.per_image.get(column, {}).items():
        try:
            per_image[image] = bd_rate(anchor.per_image[column][image], curve, least).percent
        except NotComparable as reason:
            refused[image] = str(reason)
    return Comparison(rate, gain, per_image, refused, _interval(anchor, test, metric))


def _interval(anchor: CodecResult, test: CodecResult, metric: Metric) -> Interval | None:
    """The bootstrap's interval of the BD-rate of the mean curves, in percent."""
    if len(anchor.images) < bootstrap.MIN_IMAGES or anchor.images != test.images:
        return None
    # A resample whose curves share too little is left out.
    first, second = (result.resampled[metric.column] for result in (anchor, test))
    return bootstrap.interval(bd_rates(first, second, metric.min_overlap))


def against_all(
    results: Mapping[str, CodecResult], own: str, metric: Metric
) -> dict[str, Comparison]:
    """The codec `own` against each other one as the anchor; none where it was not measured."""
    if own not in results:
        return {}
    return {
        name: compare(rival, results[own], metric) for name, rival in results.items() if name != own
    }
