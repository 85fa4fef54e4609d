"""Times of the codec, of others and of a training step, held against matrix products of one run.

    python benchmarks/speed.py run --out FILE.jsonl [--weights WEIGHTS] [--sizes 0.4,12,50]
    python benchmarks/speed.py table FILE.jsonl

A time says little without the machine it was measured on, and machines that are shared are faster
at one hour than at another. So each stands beside the time of one float32 product of two 1536 x
1536 matrices on the same cores in the same minute ("products"), and what is made of products
beside the operations that it counts, as a share of what the products reach.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
from large_picture import picture
from PIL import Image

import latentcodec
from latentcodec.bench.codecs import find
from latentcodec.bench.environment import machine, today
from latentcodec.bench.operations import operation_counter
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.runtime.precision import use_whole_process
from latentcodec.system.allocator import keep_memory

PHOTO = Path(__file__).parent / "data" / "kodak" / "kodim23.png"
SIDE = 1536  # of the matrices
SIZES = {"0.4": (768, 512), "12": (4032, 3024), "50": (8192, 6144)}  # megapixels
RIVALS = {"jpeg": 85.0, "webp": 80.0, "avif": 60.0, "jxl": 85.0}  # and the settings to time
QUALITY = 50.0
_CROPS = 8


@dataclasses.dataclass(frozen=True)
class Measured:
    """A row: the median of `seconds`, that of a product beside it, and the operations counted."""

    what: str
    megapixels: str
    cores: int
    seconds: float
    product_s: float
    gflop: float = 0.0
    gflop_per_s: float = 0.0  # of products in the precision that it is computed in

    @property
    def products(self) -> float:
        """The time in products."""
        return self.seconds / self.product_s

    @property
    def share(self) -> float:
        """Of the rate of products that it reaches, 0..1."""
        return self.gflop / self.seconds / self.gflop_per_s if self.gflop_per_s else 0.0


class Meter:
    """Measures on some cores of this process, which are its alone."""

    def __init__(self, cores: int, megapixels: str) -> None:
        import torch

        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
        torch.set_num_threads(cores)
        self._cores, self._megapixels = cores, megapixels
        self._matrix = torch.randn(SIDE, SIDE)
        self._rounded = self._matrix.bfloat16()

    def product_s(self, rounded: bool = False) -> float:
        """Mean seconds of a product, of 20, in float32 or bfloat16."""
        import torch

        matrix, before = self._rounded if rounded else self._matrix, _precision("highest")
        with torch.inference_mode():
            torch.mm(matrix, matrix)
            started = time.perf_counter()
            for _ in range(20):
                torch.mm(matrix, matrix)
        _precision(before)
        return (time.perf_counter() - started) / 20

    def row(self, what: str, work: Callable[[], object], runs: int, rate: float = 0.0) -> Measured:
        """Time `work`, which has been done before; rate: GFLOP/s, where operations count."""
        gflop = _gflop(work) if rate else 0.0
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        seconds, product_s = statistics.median(times), self.product_s()
        return Measured(
            what, self._megapixels, self._cores, seconds, product_s, round(gflop, 3), round(rate, 1)
        )


def _precision(wanted: str) -> str:
    """Set torch's precision of float32 products; returns what it was."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(wanted)
    return before


def _gflop(work: Callable[[], object]) -> float:
    with operation_counter() as counter:
        work()
    return counter.get_total_flops() / 1e9


def measure(cores: int, megapixels: str, weights: str | None) -> list[Measured]:
    """All rows of a size on so many cores; in a process of its own."""
    use_whole_process()
    keep_memory()
    name = latentcodec.register_weights(weights) if weights else model_store.chosen()
    meter, runs = Meter(cores, megapixels), 9 if megapixels == "0.4" else 3
    codec = latentcodec.Codec(model=name)
    with Image.open(PHOTO) as photo:
        small = megapixels == "0.4"
        image = photo.convert("RGB") if small else picture(*SIZES[megapixels])
    data = codec.encode(image, quality=QUALITY)
    codec.decode(data)
    rows = [
        meter.row("encode", lambda: codec.encode(image, quality=QUALITY), runs),
        meter.row("decode", lambda: codec.decode(data), runs),
    ]
    if small:
        family = model_store.load_codec(model_store.by_name(name))
        rows += _stages(meter, family, np.asarray(image), runs)
        rows.append(_training_step(meter))
    rows += _rivals(meter, image, runs)
    return rows


def _stages(meter: Meter, family: Family, pixels: np.ndarray, runs: int) -> Iterator[Measured]:
    """The parts of an encode and a decode of a picture of one tile."""
    tenths = round(10 * QUALITY)
    rate = 2e-9 * SIDE**3 / meter.product_s(rounded=True)
    y = family.analyse(pixels, tenths)
    payload, v_hat = family.encode_latents(y, tenths)
    size = v_hat.shape[:2]
    yield meter.row("analysis", lambda: family.analyse(pixels, tenths), runs, rate)
    coding = lambda: family.encode_latents(y, tenths)  # noqa: E731
    yield meter.row("prior and coding", coding, runs, rate)
    decoding = lambda: family.decode_latents(payload, tenths, *size)  # noqa: E731
    yield meter.row("prior and decoding", decoding, runs, rate)
    yield meter.row("synthesis", lambda: family.synthesise(v_hat, tenths), runs, rate)


def _training_step(meter: Meter) -> Measured:
    """A step of 8 crops on noise: what the pixels are does not change the time."""
    import torch

    from latentcodec.models.families import sized
    from latentcodec.runtime.precision import prefers_bfloat16
    from latentcodec.training.data import Photographs
    from latentcodec.training.loop import Trainer
    from latentcodec.training.settings import Settings

    noise = torch.randint(0, 256, (512, 512, 3), dtype=torch.uint8)
    photographs = Photographs([noise], [np.full((16, 16), 9, np.float32)], np.ones(1))
    settings = Settings(
        data=[], out=Path("unused"), config=sized("hyper", "base"), updates=1000, batch=_CROPS
    )
    settings.bfloat16 = prefers_bfloat16("cpu")
    torch.set_flush_denormal(True)
    before = _precision("highest")
    trainer = Trainer(settings, photographs)
    for _ in range(3):
        trainer.train_step()
    found = meter.row(f"training step of {_CROPS} crops", trainer.train_step, 9)
    torch.set_flush_denormal(False)
    _precision(before)
    return found


def _rivals(meter: Meter, image: Image.Image, runs: int) -> Iterator[Measured]:
    for name, setting in RIVALS.items():
        rival = find(name)
        if rival.missing():
            continue
        data = rival.encode(image, setting)
        yield meter.row(f"{rival.label}: encode", lambda: rival.encode(image, setting), runs)  # noqa: B023
        yield meter.row(f"{rival.label}: decode", lambda: rival.decode(data), runs)  # noqa: B023


def cold(weights: str | None) -> Iterator[Measured]:
    """Whole commands on all cores, and the first pictures of a new process."""
    meter = Meter(len(os.sched_getaffinity(0)), "0.4")
    with tempfile.TemporaryDirectory() as folder:
        lat, back = Path(folder) / "a.lat", Path(folder) / "back.png"
        own = ["--weights", weights] if weights else []
        program = [sys.executable, "-m", "latentcodec"]
        commands = {
            "cold: python -c 'import torch'": [sys.executable, "-c", "import torch"],
            "cold: latentcodec encode": [*program, "encode", str(PHOTO), str(lat), *own],
            "cold: latentcodec decode": [*program, "decode", str(lat), str(back), *own],
        }
        for what, command in commands.items():
            run = lambda c=command: subprocess.run(c, check=True, capture_output=True)  # noqa: E731
            run()
            yield meter.row(what, run, 5)


@click.group()
def main() -> None:
    """Measure, and print tables of what was measured."""


@main.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--weights", help="A weights file instead of the packaged model.")
@click.option("--sizes", default=",".join(SIZES), show_default=True, help="Megapixels.")
def run(out: Path, weights: str | None, sizes: str) -> None:
    """Measure on one core and on two into a JSON Lines file; nothing else should run."""
    context = multiprocessing.get_context("spawn")
    rows = list(cold(weights))
    for megapixels in sizes.split(","):
        for cores in (1, 2):
            with ProcessPoolExecutor(1, context) as pool:  # memory and threads anew
                rows += pool.submit(measure, cores, megapixels, weights).result()
                click.echo(f"{megapixels} megapixels, {cores} cores", err=True)
    head = {"machine": machine(), "date": today(), "quality": QUALITY}
    lines = [head, *(dataclasses.asdict(row) for row in rows)]
    out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def read(path: Path) -> tuple[dict[str, object], list[Measured]]:
    """The head of a file of results, and its rows."""
    head, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return head, [Measured(**row) for row in rows]


def markdown(path: Path) -> Iterator[str]:
    """The lines of the tables."""
    head, rows = read(path)
    yield f"{head['machine']}, {head['date']}, quality {head['quality']:g}."
    for size in dict.fromkeys(row.megapixels for row in rows):
        yield ""
        yield f"| {size} megapixels | cores | ms | products | megapixels/s | share of the rate |"
        yield "|---|---|---|---|---|---|"
        for row in rows:
            if row.megapixels == size:
                yield _line(row)


def _line(row: Measured) -> str:
    pictures = not row.what.startswith(("training", "cold"))
    width, height = SIZES[row.megapixels]
    speed = f"{width * height / 1e6 / row.seconds:.1f}" if pictures else ""
    share = f"{100 * row.share:.0f} %" if row.gflop else ""
    cells = (row.what, row.cores, f"{1000 * row.seconds:.1f}", f"{row.products:.2f}", speed, share)
    return "| " + " | ".join(map(str, cells)) + " |"


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def table(path: Path) -> None:
    """Print the tables of a file of results."""
    with contextlib.suppress(BrokenPipeError):
        for line in markdown(path):
            click.echo(line)


if __name__ == "__main__":
    main()
