"""A whole benchmark: from a folder of images to a folder of results."""

from __future__ import annotations

import functools
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentcodec.bench import environment
from latentcodec.bench.against import Table
from latentcodec.bench.codecs import ANCHOR, OWN, Codec
from latentcodec.bench.complexity import plot_complexity
from latentcodec.bench.content import content_tables, read_labels
from latentcodec.bench.images import LABELS_FILE, image_name, list_images, load_rgb
from latentcodec.bench.lat_codec import LatCodec
from latentcodec.bench.matching import CodecFailed, match_sizes, unlike
from latentcodec.bench.metrics import libraries
from latentcodec.bench.page import benchmark_page, slider_data
from latentcodec.bench.plots import plot_all
from latentcodec.bench.published import Published
from latentcodec.bench.results import CodecResult, collect
from latentcodec.bench.rows import TimeRow
from latentcodec.bench.run import Plan, Progress, codec_of, measure, workers
from latentcodec.bench.summary import as_json, as_markdown, image_count
from latentcodec.bench.timing import known_times, measure_times
from latentcodec.errors import LatError
from latentcodec.system.atomic_write import write_file
from latentcodec.system.git import commit

# The codecs whose pictures are on the page, beside the original.
_SHOWN = (OWN, ANCHOR, "avif")


@dataclass(frozen=True)
class Options:
    """What is asked of a benchmark.

    Attributes:
        images: Folder of images; the first `limit` of them are measured, or all.
        out: Folder of results.
        points: At most so many settings of each codec, or all.
        jobs: Worker processes.
        timed_images: Images to measure times on; with 0, those of an earlier run are shown.
        runs: How often each file is timed.
        published: Curves to draw beside the measured ones.
        sliders: Images on the page's slider, or all.
        slider_bpp: Rate of the pictures there.
        labels: What the images show, for tables by content; None for labels.csv beside them, where
            there is one.
        fresh: Measure everything anew.
    """

    images: Path
    out: Path
    limit: int | None
    points: int | None
    jobs: int
    timed_images: int
    runs: int
    published: Sequence[Published]
    sliders: int | None
    slider_bpp: float
    labels: Path | None
    fresh: bool


Tell = Callable[[str], None]
Follow = Callable[[str], Progress]


def run(chosen: Sequence[Codec], options: Options, tell: Tell, follow: Follow) -> None:
    """Measure and write everything.

    Args:
        chosen: The codecs asked for; missing ones are skipped with a line.
        options: See there.
        tell: Gets a line for a person.
        follow: Gives, for the name of a phase, what is told of its progress.

    Raises:
        LatError: No images, no codec, or a codec that fails.
        OSError: A file cannot be read or written.
    """
    ready, skipped = _split_missing(chosen, tell)
    paths = list_images(options.images, tell)[: options.limit]
    labels = _labels(options)
    options.out.mkdir(parents=True, exist_ok=True)
    plan = Plan.of(ready, paths, options.points)
    rows, reused = measure(
        plan, options.out / "rd.csv", options.jobs, options.fresh, follow("sizes and quality")
    )
    timed = paths[: options.timed_images]
    short = replace(plan, hashes={path: plan.hashes[path] for path in timed})
    table = options.out / "times.csv"
    times = (
        measure_times(short, table, options.runs, options.fresh, follow("times"))
        if timed
        else known_times(plan, table, options.fresh)
    )
    facts = _facts(plan, options, times) | {"skipped": skipped, "rows_reused": reused}
    results = collect(ready, rows, times)
    facts["decoder_kmac_per_pixel"] = decoder_kmac(ready, paths[0])
    by_content = content_tables(labels, ready, rows)
    _write_results(results, facts, options, by_content)
    sliders = _sliders(ready, paths[: options.sliders], options, tell, follow("slider pictures"))
    page = benchmark_page(results, rows, options.published, sliders, facts, by_content)
    write_file(options.out / "report.html", page)


def _labels(options: Options) -> dict[str, list[str]]:
    """The names of images by label; none where nothing names a file and there is none."""
    beside = options.images / LABELS_FILE
    if options.labels:
        return read_labels(options.labels)
    return read_labels(beside) if beside.is_file() else {}


def decoder_kmac(chosen: Sequence[Codec], path: Path) -> dict[str, float]:
    """Thousands of multiplications a pixel of our decoders on an image, by name of the codec."""
    own = [codec for codec in chosen if isinstance(codec, LatCodec)]
    return {codec.name: round(codec.decoder_kmac(load_rgb(path)), 3) for codec in own}


def _split_missing(chosen: Sequence[Codec], tell: Tell) -> tuple[list[Codec], dict[str, str]]:
    """The codecs that this installation has, and why it lacks the others."""
    reasons = {codec.name: codec.missing() for codec in chosen}
    skipped = {name: reason for name, reason in reasons.items() if reason is not None}
    for name, reason in skipped.items():
        tell(f"{name} is skipped: {reason}")
    ready = [codec for codec in chosen if codec.name not in skipped]
    if not ready:
        raise LatError("none of the codecs can run here")
    return ready, skipped


def _facts(plan: Plan, options: Options, times: Sequence[TimeRow]) -> dict[str, Any]:
    """What a reader needs to know to judge or repeat the run."""
    return {
        "command": environment.shown_command(),
        "date": environment.today(),
        "commit": commit(),
        "machine": environment.machine(),
        "images": {"folder": image_name(options.images.resolve()), "count": len(plan.hashes)},
        "settings": {name: list(settings) for name, settings in plan.settings.items()},
        "versions": {
            "python": f"Python {platform.python_version()}",
            **{codec.name: codec.version() for codec in plan.codecs},
            **{name: f"{name} {version}" for name, version in libraries().items()},
        },
        "jobs": options.jobs,
        "times": _how_timed(options, times),
    }


def _how_timed(options: Options, times: Sequence[TimeRow]) -> str:
    if not times:
        return "not measured"
    images, cores = len({row.image for row in times}), times[0].cores
    return (
        f"wall time in memory, one job, medians of {options.runs} runs at every setting on the "
        f"first {images} images, models loaded before; every library may use its threads on "
        f"{cores} cores. Memory: the peak of one process per codec, Python and images included."
    )


def _write_results(
    results: dict[str, CodecResult],
    facts: dict[str, Any],
    options: Options,
    by_content: Sequence[Table],
) -> None:
    images = facts["images"]
    title = f"{images['folder']}, mean of {image_count(images['count'])}"
    plot_all(results, options.published, title, options.out)
    kmac = facts["decoder_kmac_per_pixel"]
    plot_complexity(results, options.published, kmac, title, options.out)
    record = json.dumps({"run": facts, **as_json(results)}, indent=1, allow_nan=False)
    write_file(options.out / "results.json", record.encode() + b"\n")
    write_file(options.out / "summary.md", as_markdown(results, facts, by_content).encode())


def _sliders(
    ready: Sequence[Codec], paths: Sequence[Path], options: Options, tell: Tell, progress: Progress
) -> list[dict[str, Any]]:
    """The slider's pictures, image by image; a codec that cannot meet the size leaves one out."""
    shown = [codec.name for codec in ready if codec.name.partition(":")[0] in _SHOWN]
    if not shown:
        return []
    sliders = []
    with workers(options.jobs, threads=1) as pool:
        work = functools.partial(slider_of, shown, bpp=options.slider_bpp)
        for count, slider in enumerate(pool.map(work, paths), start=1):
            if isinstance(slider, str):
                tell(slider)
            else:
                sliders.append(slider)
            progress(count, len(paths))
    return sliders


def slider_of(names: Sequence[str], path: Path, bpp: float) -> dict[str, Any] | str:
    """The slider of one image at a rate in bits per pixel, or a line on why there is none."""
    image = load_rgb(path)
    try:
        size_bytes = bpp * image.width * image.height / 8
        matches = match_sizes([codec_of(name) for name in names], image, size_bytes)
        problem = unlike(matches)
    except (LatError, CodecFailed) as error:
        problem = str(error)
    if problem:
        return f"{image_name(path)} is not on the slider: {problem}"
    return slider_data(image_name(path), image, matches)
