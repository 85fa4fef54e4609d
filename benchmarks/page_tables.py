"""The tables of measurements on the pages, each made from committed rows.

On a page a table stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import measured
import speed
from measured import OWN

from latentcodec.bench.against import is_own, standing
from latentcodec.bench.bdrate import BdRate
from latentcodec.bench.codecs import ANCHOR, find
from latentcodec.bench.complexity import published_rate
from latentcodec.bench.content import content_tables, read_labels
from latentcodec.bench.metrics import METRICS, PSNR, Metric
from latentcodec.bench.published import Multiplications, read_published
from latentcodec.bench.results import CodecResult, compare
from latentcodec.bench.rows import Row
from latentcodec.bench.summary import HEADINGS, table_rows
from latentcodec.errors import LatError

REFERENCE = measured.ROOT / "benchmarks" / "reference" / "kodak_rd.json"
DATA = measured.ROOT / "benchmarks" / "data"
PUBLISHED = (
    *("AV1", "VVC (VTM 18.0)", "bmshj2018-hyperprior", "EVC-small", "shallow-ntc 2-layer"),
    *("shallow-ntc 2-layer + SGA", "C3 adaptive", "Cool-chic 5.0", "ELIC", "HPCM-large"),
)
_METRICS = ("PSNR", "PSNR-Y", "MS-SSIM", "SSIMULACRA2")
# Columns of the pages by those of a summary.
_COLUMNS = {
    "PSNR": "BD-rate of mean curve",
    "PSNR, mean of per-image": "mean of BD-rates per image",
    "PSNR-Y": "BD-rate, PSNR-Y",
    "MS-SSIM": "BD-rate, MS-SSIM",
    "SSIMULACRA2": "BD-rate, SSIMULACRA2",
}
_TIMES = {"encode, ms": "encode, ms", "decode, ms": "decode, ms"}
# The newest formats; older ones are behind them by every metric.
_NEAREST = ("avif", "heic", "jxl")
_TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def fill(page: Path) -> str:
    """The text of a page with its tables made anew. Raises LatError for a table of no name."""

    def made(found: re.Match[str]) -> str:
        before, name, after = found.groups()
        if name not in TABLES:
            raise LatError(f"{page.name} asks for a table {name}; known: {', '.join(TABLES)}")
        return "\n".join([before, *TABLES[name](), "", after])

    return _TABLE.sub(made, page.read_text(encoding="utf-8"))


def best_settings(results: Mapping[str, CodecResult], families: Sequence[str] = ()) -> list[str]:
    """The settings of each rival that need the fewest bits of all of its settings by some metric.

    A rival is a format with its encoder; JPEG has two. `families` are the rivals to look at, or
    all.
    """
    rivals = [name for name in results if not is_own(name)]
    best = set()
    for family in {_family(name) for name in rivals}:
        members = [name for name in rivals if _family(name) == family]
        if not families or family in families:
            best |= {min(members, key=lambda name: _percent(results, name, m)) for m in METRICS}
    return [name for name in rivals if name in best]


def _family(name: str) -> str:
    return name.partition(":")[0]


def _percent(results: Mapping[str, CodecResult], name: str, metric: Metric) -> float:
    rate = compare(results[ANCHOR], results[name], metric).rate
    return rate.percent if isinstance(rate, BdRate) else float("inf")


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _rates(
    results: Mapping[str, CodecResult], columns: Mapping[str, str], names: Sequence[str] = ()
) -> list[str]:
    """BD-rates of all codecs or of some, and times where they are asked for; ours in bold face."""
    rows = []
    for name, values in zip(results, table_rows(results), strict=True):
        if names and name not in names:
            continue
        found = dict(zip(HEADINGS, values, strict=True))
        label = f"**{results[name].label}**" if is_own(name) else results[name].label
        rows.append([label, *(found[heading] for heading in columns.values())])
    return _markdown(["codec", *columns], rows)


def _against(results: Mapping[str, CodecResult], families: Sequence[str] = ()) -> list[str]:
    """Both of our tunes against the best settings of each rival."""
    rows = [
        [results[own].label, results[rival].label]
        + [standing(compare(results[rival], results[own], metric)) for metric in METRICS]
        for own in results
        if is_own(own)
        for rival in best_settings(results, families)
    ]
    return _markdown(["ours", "against", *_METRICS], rows)


def _content(name: str, results: Mapping[str, CodecResult], rows: Sequence[Row]) -> list[str]:
    """Our tunes and the best settings of the newest formats, by label."""
    labels = read_labels(DATA / name / "labels.csv")
    codecs = [find(own) for own in results if is_own(own)]
    codecs += [find(rival) for rival in best_settings(results, _NEAREST)]
    tables = content_tables(labels, [find(ANCHOR), *codecs], rows)
    return [line for table in tables for line in table.markdown()][:-1]


def _published() -> list[str]:
    """Curves of others against our JPEG, what their networks cost, and where that is from."""
    anchor = _kodak()[ANCHOR]
    rows = []
    for curve in read_published(REFERENCE, PUBLISHED):
        rate = published_rate(anchor, curve)
        cost = curve.kmac
        rows.append(
            [curve.name, "-" if rate is None else f"{rate:+.1f} %"]
            + ([_cost(cost), curve.source, cost.source] if cost else ["-", curve.source, "-"])
        )
    return _markdown(["codec", "PSNR", "kMAC a pixel", "curve from", "kMAC from"], rows)


def _cost(cost: Multiplications) -> str:
    encoder = "" if cost.of == "decoder" else ", with the encoder"
    if cost.low is None:
        return f"under {cost.high:.4g}{encoder}"
    amount = f"{cost.low:.4g}" if cost.low == cost.high else f"{cost.low:.4g} to {cost.high:.4g}"
    return amount + encoder


@functools.cache
def _kodak() -> dict[str, CodecResult]:
    return measured.kodak()


@functools.cache
def _other(name: str) -> dict[str, CodecResult]:
    return measured.other(name)


def _tables_of(name: str) -> dict[str, Callable[[], list[str]]]:
    return {
        name: lambda: _rates(_other(name), _COLUMNS),
        f"{name}-against": lambda: _against(_other(name)),
        f"{name}-content": lambda: _content(name, _other(name), measured.other_rows(name)),
    }


def _tunes() -> list[str]:
    """Our tunes, and AVIF at the settings that are its best."""
    shown = [*filter(is_own, _kodak()), *best_settings(_kodak(), ["avif"])]
    return _rates(_kodak(), _COLUMNS, shown)


def _headline() -> list[str]:
    """What the default saves over JPEG, AVIF beside it, and what the other tune does."""
    rates = dict(zip(_kodak(), table_rows(_kodak()), strict=True))

    def saved(name: str, metric: str) -> str:
        return rates[name][HEADINGS.index(_COLUMNS[metric])].removeprefix("-")

    def line(name: str) -> str:
        rates = ", ".join(f"-{saved(name, m)}" for m in ("SSIMULACRA2", "MS-SSIM", "PSNR"))
        return f"{_kodak()[name].label}: {rates}"

    ours, tuned = OWN
    by_eye, structure, psnr = (saved(ours, m) for m in ("SSIMULACRA2", "MS-SSIM", "PSNR"))
    avif = [name for name in _kodak() if name.split(":")[0] == "avif"]
    return [
        f"**{by_eye} fewer bits than JPEG** at equal SSIMULACRA2, {structure} at equal MS-SSIM and",
        f"{psnr} at equal PSNR: BD-rate over the 24 Kodak photographs, real files, against",
        "Pillow's JPEG, 4:2:0, optimised, progressive. The default model is tuned for the eye;",
        f"`--tune psnr` takes another one, with {saved(tuned, 'PSNR')} fewer bits at equal PSNR.",
        f"(By the same three, {'; '.join(map(line, avif))}.)",
    ]


def _extremes() -> list[str]:
    """By PSNR, of our tunes: the photographs that gain most and least."""
    rows = []
    for name in filter(is_own, _kodak()):
        found = compare(_kodak()[ANCHOR], _kodak()[name], PSNR)
        best, *_, worst = sorted(found.per_image.items(), key=lambda item: item[1])
        cells = [f"{Path(image).stem} {percent:+.1f} %" for image, percent in (best, worst)]
        rows.append([_kodak()[name].label, f"{_percent(_kodak(), name, PSNR):+.1f} %"])
        rows[-1] += [f"{found.mean_percent:+.1f} %", *cells]
    return _markdown(["tune", "mean curve", "mean of per-image", "best", "worst"], rows)


TABLES: dict[str, Callable[[], list[str]]] = {
    "kodak": lambda: _rates(_kodak(), _COLUMNS | _TIMES),
    "kodak-nearest": lambda: _against(_kodak(), _NEAREST),
    "kodak-against": lambda: _against(_kodak()),
    "kodak-content": lambda: _content("kodak", _kodak(), measured.kodak_rows()),
    "headline": _headline,
    "tunes": _tunes,
    "extremes": _extremes,
    "published": _published,
    "speed": lambda: list(speed.markdown(measured.RESULTS / "speed.jsonl")),
    **{table: make for name in measured.OTHER_SETS for table, make in _tables_of(name).items()},
}
