"""How large a cluster must be for many pictures, from measured times; docs/scale.md shows this.

python benchmarks/cluster_size.py --pictures 10000000 --megapixels 2 --hours 24

The simulation hands out work as `encode --engine ray` does, one picture to whoever is free, and in
larger parts. A worker that dies does what it was at again, from the start of its part.
"""

from __future__ import annotations

import csv
import dataclasses
import heapq
import math
import statistics
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

TIMES = Path(__file__).parent / "results" / "kodak-2026-11-27" / "times.csv"
_KODAK_MEGAPIXELS = 768 * 512 / 1e6
_SECONDS_AN_HOUR = 3600
_PARTS = {"1 picture": 1, "100 pictures": 100, "1,000 pictures": 1000}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the benchmark measured of a codec: megapixels a second on one core, and the most memory
    of a process, in MiB."""

    encode_rate: float
    decode_rate: float
    peak_mib: float


@dataclasses.dataclass(frozen=True)
class Assumed:
    """What goes wrong. spread: sigma of the logarithm of the time for a picture. slow_share of the
    workers are slow_factor times as slow. deaths: of a worker, a day. restart_s: until another
    one takes its place."""

    spread: float
    slow_share: float
    slow_factor: float
    deaths: float
    restart_s: float
    seed: int


@dataclasses.dataclass(frozen=True)
class Simulated:
    """hours: until the last picture is done. idle, twice: shares of the workers' time in which they
    had nothing to do, or did what they or others had begun before."""

    hours: float
    idle: float
    twice: float


def measured(times: Path, codec: str, quality: str) -> Measured:
    """Medians over the photographs of times.csv. Raises ValueError where it has no such rows."""
    with times.open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["codec"], r["setting"]) == (codec, quality)]
    if not rows:
        raise ValueError(f"{times} has no times of {codec} at quality {quality}")

    def rate(column: str) -> float:
        return statistics.median(
            _KODAK_MEGAPIXELS / (float(row[column]) * int(row["cores"])) for row in rows
        )

    peak = max(float(row["peak_mib"]) for row in rows)
    return Measured(rate("encode_s"), rate("decode_s"), peak)


def simulate(part_s: NDArray[np.float64], workers: int, assumed: Assumed) -> Simulated:
    """Hand out parts of work that take `part_s` seconds each, float64 [N], until all are done."""
    random = np.random.default_rng(assumed.seed)
    slow = np.ones(workers)
    slow[: round(workers * assumed.slow_share)] = assumed.slow_factor
    days_s = 24 * _SECONDS_AN_HOUR
    mean_life_s = days_s / assumed.deaths if assumed.deaths else math.inf

    def life_s() -> float:
        return random.exponential(mean_life_s) if assumed.deaths else math.inf

    death = [life_s() for _ in range(workers)]
    free = [(0.0, worker) for worker in range(workers)]
    twice_s = 0.0
    for seconds in part_s.tolist():
        start, worker = heapq.heappop(free)
        end = start + seconds * slow[worker]
        while end > death[worker]:
            twice_s += max(0.0, death[worker] - start)
            start = max(start, death[worker]) + assumed.restart_s
            death[worker] = start + life_s()
            end = start + seconds * slow[worker]
        heapq.heappush(free, (end, worker))
    last_s = max(end for end, _ in free)
    idle_s = sum(last_s - end for end, _ in free)
    return Simulated(
        last_s / _SECONDS_AN_HOUR, idle_s / (last_s * workers), twice_s / (last_s * workers)
    )


def parts_of(picture_s: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The times of pictures summed up over parts of so many."""
    starts = np.arange(0, len(picture_s), size)
    return np.add.reduceat(picture_s, starts)


def drawn_times(count: int, mean_s: float, assumed: Assumed) -> NDArray[np.float64]:
    """Log-normal times of pictures with a mean: float64 [count]."""
    random = np.random.default_rng(assumed.seed)
    drawn = random.lognormal(sigma=assumed.spread, size=count)
    return drawn * (mean_s / drawn.mean())


def cores_for(megapixels: float, hours: float, rate: float) -> int:
    """Cores that are never idle."""
    return math.ceil(megapixels / rate / (hours * _SECONDS_AN_HOUR))


@click.command()
@click.option("--pictures", default=10_000_000, show_default=True)
@click.option("--megapixels", default=2.0, show_default=True, help="Of one picture.")
@click.option("--hours", default=24.0, show_default=True, help="In which all must be done.")
@click.option("--times", type=click.Path(exists=True, path_type=Path), default=TIMES)
@click.option("--codec", default="lat", show_default=True, help="Of the rows of --times.")
@click.option("--quality", default="50", show_default=True, help="Of the rows of --times.")
@click.option("--spread", default=0.5, show_default=True, help="Sigma of log times.")
@click.option("--slow-share", default=0.02, show_default=True, help="Of the workers.")
@click.option("--slow-factor", default=3.0, show_default=True)
@click.option("--deaths", default=0.1, show_default=True, help="Of a worker, a day.")
@click.option("--restart-s", default=60.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(
    pictures: int,
    megapixels: float,
    hours: float,
    times: Path,
    codec: str,
    quality: str,
    **chances: float,
) -> None:
    """Print cores, memory, and what stragglers and failures cost."""
    assumed = Assumed(**chances)  # type: ignore[arg-type]
    found = measured(times, codec, quality)
    total = pictures * megapixels
    cores = cores_for(total, hours, found.encode_rate)
    click.echo(f"encode: {found.encode_rate:.2f} MP/s a core, decode: {found.decode_rate:.2f}")
    click.echo(
        f"{pictures:,} pictures of {megapixels:g} MP: {total / 1e6:g} million MP, "
        f"{total / found.encode_rate / _SECONDS_AN_HOUR:,.0f} core hours"
    )
    click.echo(f"in {hours:g} hours: {cores:,} cores that are never idle")
    click.echo(
        f"memory: {found.peak_mib:.0f} MiB a worker at most, "
        f"{cores * found.peak_mib / 1024:,.0f} GiB for {cores:,} of one core each"
    )
    click.echo()
    picture_s = drawn_times(pictures, megapixels / found.encode_rate, assumed)
    shares = {"a share each": math.ceil(pictures / cores)}
    for name, size in (_PARTS | shares).items():
        result = simulate(parts_of(picture_s, size), cores, assumed)
        click.echo(
            f"{name:<16} {result.hours:6.2f} h, {100 * result.idle:5.2f} % idle, "
            f"{100 * result.twice:6.3f} % done twice, "
            f"{math.ceil(cores * result.hours / hours):,} cores for {hours:g} h"
        )


if __name__ == "__main__":
    main()
