"""How sure the BD-rates are, and how latentcodec stands against each rival, metric by metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from latentcodec.bench.bdrate import BdRate
from latentcodec.bench.bootstrap import Interval
from latentcodec.bench.codecs import ANCHOR, OWN
from latentcodec.bench.metrics import METRICS, MS_SSIM, PSNR, PSNR_Y, SSIMULACRA2, Metric
from latentcodec.bench.results import CodecResult, Comparison, compare

_NONE = "-"
_SHORT = {PSNR: "PSNR", PSNR_Y: "PSNR-Y", MS_SSIM: "MS-SSIM", SSIMULACRA2: "SSIMULACRA2"}


@dataclass(frozen=True)
class Table:
    """A table of text: what it is about, its headings, and its rows."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> list[str]:
        """Its lines, the title first."""
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        return [f"{self.title}:", "", *("| " + " | ".join(line) + " |" for line in lines), ""]


def statistics_tables(results: Mapping[str, CodecResult]) -> list[Table]:
    """The intervals of all BD-rates, and one table against the rivals for each of our models."""
    own = [result for name, result in results.items() if is_own(name)]
    rivals = [result for name, result in results.items() if not is_own(name)]
    tables = [_against(result, rivals) for result in own if rivals]
    if ANCHOR in results:
        tables.insert(0, _intervals(results))
    return tables


def is_own(name: str) -> bool:
    """Whether a codec of that name is latentcodec."""
    return name.partition(":")[0] == OWN


def _intervals(results: Mapping[str, CodecResult]) -> Table:
    rows = []
    for name, result in results.items():
        if name == ANCHOR:
            continue
        by_metric = {metric: compare(results[ANCHOR], result, metric) for metric in METRICS}
        psnr = by_metric[PSNR]
        cells = [percent_cell(against.rate, against.interval) for against in by_metric.values()]
        mean = _NONE if psnr.mean_percent is None else f"{psnr.mean_percent:+.1f} %"
        rows.append([result.label, *cells, mean + _range(psnr.mean_interval)])
    return Table(
        "BD-rates of the mean curves against the anchor, with the 95 % intervals of a bootstrap "
        "over the images, and the mean of BD-rates per image",
        ["codec", *_SHORT.values(), "PSNR, per image"],
        rows,
    )


def _against(own: CodecResult, rivals: Sequence[CodecResult]) -> Table:
    return Table(
        f"Bits that {own.label} needs against each other codec at equal quality, with 95 % "
        "intervals, the number of images on which it needs fewer, and who needs fewer over all "
        "(open where the interval has zero in it)",
        ["against", *_SHORT.values()],
        [
            [rival.label, *(standing(compare(rival, own, metric)) for metric in METRICS)]
            for rival in rivals
        ],
    )


def standing(against: Comparison) -> str:
    """How a codec of ours stands against a rival, for a table: bits, interval, wins, who leads."""
    if isinstance(against.rate, str):
        return "refused"
    images = len(against.per_image) + len(against.refused)
    text = f"{percent_cell(against.rate, against.interval)}, {against.wins} of {images}"
    if against.interval is None:
        return text
    if against.interval.contains(0.0):
        return f"{text}, open"
    return f"{text}, {'ours' if against.rate.percent < 0.0 else '**the other**'}"


def percent_cell(rate: BdRate | str, interval: Interval | None) -> str:
    """A BD-rate and its interval for a table; `refused` where there is none."""
    if isinstance(rate, str):
        return "refused"
    return f"{rate.percent:+.1f} %{_range(interval)}"


def _range(interval: Interval | None) -> str:
    return f" ({interval.low:+.1f} to {interval.high:+.1f})" if interval else ""


def overlap_warnings(results: Mapping[str, CodecResult]) -> list[str]:
    """A sentence for each rival whose interval against the anchor overlaps with one of ours."""
    if ANCHOR not in results:
        return []
    lines = []
    for name, own in results.items():
        for rival_name, rival in results.items():
            if is_own(name) and not is_own(rival_name) and rival_name != ANCHOR:
                metrics = [m for m in METRICS if _overlap(results[ANCHOR], own, rival, m)]
                if metrics:
                    lines.append(
                        f"Warning: the intervals of {own.label} and of {rival.label} overlap by "
                        f"{', '.join(_SHORT[metric] for metric in metrics)}."
                    )
    return lines


def _overlap(anchor: CodecResult, own: CodecResult, rival: CodecResult, metric: Metric) -> bool:
    first, second = (compare(anchor, result, metric).interval for result in (own, rival))
    return bool(first and second and first.overlaps(second))
