"""The results in words: JSON for programs, Markdown for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from latentcodec.bench.against import Table, overlap_warnings, statistics_tables
from latentcodec.bench.bdrate import BdGain, BdRate
from latentcodec.bench.bootstrap import CONFIDENCE, RESAMPLES, Interval
from latentcodec.bench.codecs import ANCHOR, OWN
from latentcodec.bench.metrics import METRICS, MS_SSIM, PSNR, PSNR_Y, SSIMULACRA2
from latentcodec.bench.results import (
    MEAN_METRICS,
    POOLED,
    CodecResult,
    Comparison,
    against_all,
    compare,
)

ANCHOR_LABEL = "Pillow's JPEG, 4:2:0, optimised, progressive"
_NONE = "-"


def as_json(results: Mapping[str, CodecResult]) -> dict[str, Any]:
    """All figures, ready for JSON: percent, bits per pixel, dB or points, seconds, MiB."""
    return {
        "anchor": ANCHOR_LABEL,
        "intervals": {"confidence": CONFIDENCE, "resamples": RESAMPLES},
        "codecs": {name: _codec(result, results.get(ANCHOR)) for name, result in results.items()},
        f"{OWN}_against": _own_against(results),
    }


def _own_against(results: Mapping[str, CodecResult]) -> dict[str, Any]:
    """The default model against each other codec, by metric."""
    by_metric = {metric.column: against_all(results, OWN, metric) for metric in METRICS}
    return {
        name: {column: _comparison(found[name]) for column, found in by_metric.items()}
        for name in by_metric[PSNR.column]
    }


def _codec(result: CodecResult, anchor: CodecResult | None) -> dict[str, Any]:
    return {
        "label": result.label,
        "version": result.version,
        "points": [
            {"setting": point.setting, "bytes": point.bytes, "bpp": point.bpp}
            | {column: finite(value) for column, value in point.quality.items()}
            for point in result.points
        ],
        "times": result.times
        and {
            "mean_encode_s": result.times.encode_s,
            "mean_decode_s": result.times.decode_s,
            "peak_mib": finite(result.times.peak_mib),
        },
        f"against_{ANCHOR}": anchor
        and {
            metric.column: _comparison(compare(anchor, result, metric)) for metric in MEAN_METRICS
        },
    }


def _comparison(against: Comparison) -> dict[str, Any]:
    rate, gain = against.rate, against.gain
    return {
        "bd_rate_of_mean_curve_percent": rate.percent if isinstance(rate, BdRate) else None,
        "bd_rate_interval_percent": _ends(against.interval),
        "bd_rate_over": [rate.low, rate.high] if isinstance(rate, BdRate) else None,
        "bd_gain_of_mean_curve": gain.gain if isinstance(gain, BdGain) else None,
        "bd_gain_over_bpp": [gain.low_bpp, gain.high_bpp] if isinstance(gain, BdGain) else None,
        "refused_mean_curve": next((why for why in (rate, gain) if isinstance(why, str)), None),
        "mean_of_per_image_bd_rates_percent": against.mean_percent,
        "mean_of_per_image_interval_percent": _ends(against.mean_interval),
        "wins": against.wins,
        "per_image_percent": against.per_image,
        "refused": against.refused,
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None


def finite(value: float) -> float | None:
    """JSON has no infinity, which an exact copy's PSNR is, and no nan."""
    return value if math.isfinite(value) else None


HEADINGS = (
    "codec",
    "BD-rate of mean curve",
    "over, dB",
    "mean of BD-rates per image",
    "images",
    "BD-PSNR, dB",
    "BD-rate, pooled PSNR",
    "BD-rate, PSNR-Y",
    "BD-rate, MS-SSIM",
    "BD-MS-SSIM, dB",
    "BD-rate, SSIMULACRA2",
    "encode, ms",
    "decode, ms",
    "memory, MiB",
    "library",
)


def table_rows(results: Mapping[str, CodecResult]) -> list[list[str]]:
    """The cells under HEADINGS, one row per codec."""
    return [_cells(result, results.get(ANCHOR)) for result in results.values()]


def _cells(result: CodecResult, anchor: CodecResult | None) -> list[str]:
    times = result.times
    timed = (
        [f"{1000 * times.encode_s:.0f}", f"{1000 * times.decode_s:.0f}", f"{times.peak_mib:.0f}"]
        if times
        else [_NONE] * 3
    )
    if anchor is None:
        return [result.label, *[_NONE] * 10, *timed, result.version]
    by_metric = {metric.column: compare(anchor, result, metric) for metric in MEAN_METRICS}
    psnr = by_metric[PSNR.column]
    over = (
        f"{psnr.rate.low:.1f} to {psnr.rate.high:.1f}" if isinstance(psnr.rate, BdRate) else _NONE
    )
    per_image = psnr.mean_percent
    mean = _NONE if per_image is None else f"{per_image:+.1f} %" if per_image else "0"
    return [
        result.label,
        _rate(psnr.rate),
        over,
        mean,
        f"{len(psnr.per_image)}/{len(psnr.per_image) + len(psnr.refused)}",
        _gain(psnr.gain),
        _rate(by_metric[POOLED.column].rate),
        _rate(by_metric[PSNR_Y.column].rate),
        _rate(by_metric[MS_SSIM.column].rate),
        _gain(by_metric[MS_SSIM.column].gain),
        _rate(by_metric[SSIMULACRA2.column].rate),
        *timed,
        result.version,
    ]


def _rate(rate: BdRate | str) -> str:
    if isinstance(rate, str):
        return "refused"
    return f"{rate.percent:+.1f} %" if rate.percent else "0"


def _gain(gain: BdGain | str) -> str:
    if isinstance(gain, str):
        return "refused"
    return f"{gain.gain:+.2f}" if gain.gain else "0"


def notes(results: Mapping[str, CodecResult]) -> list[str]:
    """A sentence for each thing that was refused, and for how often latentcodec wins."""
    lines = []
    anchor = results.get(ANCHOR)
    if anchor is None:
        lines.append(f"There is no BD-rate, because the anchor {ANCHOR} was not measured.")
    else:
        for result in results.values():
            lines += _refusals(result, anchor)
    lines += overlap_warnings(results)
    for name, against in against_all(results, OWN, PSNR).items():
        images = len(against.per_image) + len(against.refused)
        refused = f" ({len(against.refused)} not comparable)" if against.refused else ""
        lines.append(
            f"{results[OWN].label} needs fewer bits than {results[name].label} "
            f"on {against.wins} of {images} images{refused}."
        )
    return lines


def _refusals(result: CodecResult, anchor: CodecResult) -> list[str]:
    lines = []
    for metric in MEAN_METRICS:
        against = compare(anchor, result, metric)
        # Whatever the two reasons share is said once.
        reasons = {why: None for why in (against.rate, against.gain) if isinstance(why, str)}
        lines += [f"{result.label}, {metric.label}, mean curve: {why}." for why in reasons]
        if metric is PSNR:
            lines += [f"{result.label}, {image}: {why}." for image, why in against.refused.items()]
    return lines


def image_count(count: int) -> str:
    """How many images, in words."""
    return "1 image" if count == 1 else f"{count} images"


def as_markdown(
    results: Mapping[str, CodecResult], facts: Mapping[str, Any], by_content: Sequence[Table] = ()
) -> str:
    """The summary page: what was run, the tables, and what the columns mean."""
    images = facts["images"]
    head = [
        f"# {images['folder']}, {image_count(images['count'])}",
        "",
        f"{facts['date']}, {facts['machine']}, commit {facts['commit'] or 'unknown'}.",
        "",
        f"    {facts['command']}",
        "",
    ]
    tables = [*statistics_tables(results), *by_content]
    statistics = [line for table in tables for line in table.markdown()]
    lines = [*head, *markdown_table(results), "", *_legend(facts), "", *statistics]
    return "\n".join([*lines, *(f"- {line}" for line in notes(results)), ""])


def markdown_table(results: Mapping[str, CodecResult]) -> list[str]:
    """The lines of the table."""
    rows: list[Sequence[str]] = [HEADINGS, ["---"] * len(HEADINGS), *table_rows(results)]
    return ["| " + " | ".join(row) + " |" for row in rows]


def _legend(facts: Mapping[str, Any]) -> list[str]:
    versions = "; ".join(dict.fromkeys(facts["versions"].values()))
    return [
        f"The anchor of every BD figure is {ANCHOR_LABEL}. BD-rate: bits saved (negative) or spent "
        "at equal quality, PCHIP over log rate, the whole common range; BD-PSNR and BD-MS-SSIM: "
        "quality gained at equal rate. The mean curve goes through the means over the images at "
        "each setting; the mean of BD-rates per image averages afterwards. Pooled PSNR: of the "
        "mean of all images' squared errors. Sizes are those of real files without metadata.",
        "",
        f"Times: {facts['times']}",
        "",
        f"Versions: {versions}.",
        "",
    ]
