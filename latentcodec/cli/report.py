"""What is said of a batch: a line or a JSON object a file, a progress bar, a summary."""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from types import TracebackType
from typing import Any

import click

from latentcodec.cli.options import BatchOptions
from latentcodec.cli.paths import STREAM, Task
from latentcodec.cli.shown import is_terminal, one_line
from latentcodec.files.result import FileResult
from latentcodec.images.plugins import listed

_COUNTED = ("written", "planned", "skipped", "failed")


class Report:
    """Says how tasks end, and sums up when it is left.

    Where a picture goes to standard output, what is said goes to standard error.
    """

    def __init__(self, tasks: list[Task], options: BatchOptions, left_out: Counter[str]) -> None:
        self._left_out = left_out
        self._many = len(tasks) > 1
        self._options = options
        self._err = any(task.target == STREAM for task in tasks)
        self._start = time.perf_counter()
        self._sums: Counter[str] = Counter()
        self._late: list[FileResult] = []  # with what is said of them at the end
        bar = self._many and is_terminal(sys.stderr) and not options.quiet
        on_terminal = bar and is_terminal(sys.stdout)
        self._lines = not options.quiet and (options.verbose or options.as_json or not on_terminal)
        self._bar: Any = None
        if bar and not (self._lines and on_terminal):
            self._bar = click.progressbar(
                length=len(tasks),
                file=sys.stderr,
                show_pos=True,
                item_show_func=lambda _: f"{self._rate():.1f} MP/s" if self._sums else None,
            )

    def __enter__(self) -> Report:
        if self._bar:
            self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.__exit__(kind, error, trace)
        if kind is None:
            self._sum_up()

    @property
    def has_failed(self) -> bool:
        """Whether a task came to nothing."""
        return self._sums["failed"] > 0

    @property
    def is_damaged(self) -> bool:
        """Whether something was decoded, but not all of it."""
        return self._sums["damaged"] > 0

    def add(self, result: FileResult) -> None:
        """A task has ended. Of those with nothing left to say, only sums are kept."""
        self._count(result)
        if result.error or (self._bar and result.warnings):
            self._late.append(result)
        if self._bar:
            self._bar.update(1, result)
        else:
            self._warn(result)
        if self._lines and self._options.as_json:
            self._say(json.dumps(_facts(result)))
        elif self._lines and not result.error:
            self._say(one_line(self._line(result)))

    def _count(self, result: FileResult) -> None:
        self._sums.update(
            {
                "files": 1,
                result.status: 1,
                "damaged": result.is_damaged,
                "pixels": result.width_px * result.height_px,
                "lat_pixels": result.lat_pixels,
                "lat_bytes": result.lat_bytes,
                "input_bytes": result.input_bytes,
                "output_bytes": result.output_bytes,
            }
        )

    def _say(self, text: str) -> None:
        click.echo(text, err=self._err)

    def _line(self, result: FileResult) -> str:
        name = result.target
        if result.status == "skipped":
            return f"{name}: exists, skipped"
        if result.status == "planned":
            return f"{name}: would be made of {result.source}"
        text = f"{name}: {result.width_px} x {result.height_px}, {_note(result)}"
        return text + (f", {result.seconds:.2f} s" if self._options.verbose else "")

    def _warn(self, result: FileResult) -> None:
        if self._options.as_json or self._options.quiet:
            return
        for message in result.warnings:
            click.echo(one_line(f"Warning: {self._about(result, message)}"), err=True)

    def _about(self, result: FileResult, message: str) -> str:
        """A message that names its file: of several files, the source."""
        names = [result.source] if self._many else [result.source, result.target]
        known = [name for name in names if name != STREAM]
        if result.source == STREAM or any(name in message for name in known):
            return message
        return f"{known[0]}: {message}"

    def _sum_up(self) -> None:
        if self._bar:
            for result in self._late:
                self._warn(result)
        if self._options.as_json:
            self._say(json.dumps({"summary": self._totals()}))
            return
        if self._many and not self._options.quiet:
            self._say(_summary(self._totals()))
        if self._left_out and not self._options.quiet:
            self._say(f"left out: {listed(self._left_out)}")
        failed = [result for result in self._late if result.error]
        if failed and self._many:
            click.echo(f"Error: {len(failed)} of {self._sums['files']} files failed:", err=True)
        for result in failed:
            lead = "  " if self._many else "Error: "
            click.echo(lead + one_line(self._about(result, str(result.error))), err=True)

    def _rate(self) -> float:
        """Megapixels per second, so far."""
        return self._sums["pixels"] / 1e6 / (time.perf_counter() - self._start)

    def _totals(self) -> dict[str, Any]:
        sums = self._sums
        pixels, bits = sums["lat_pixels"], 8 * sums["lat_bytes"]
        return {
            **{name: sums[name] for name in ("files", *_COUNTED)},
            "left_out": dict(self._left_out.most_common()),
            "input_bytes": sums["input_bytes"],
            "output_bytes": sums["output_bytes"],
            "bits_per_pixel": round(bits / pixels, 4) if pixels else None,
            "megapixels_per_second": round(self._rate(), 3),
            "seconds": round(time.perf_counter() - self._start, 3),
        }


def _note(result: FileResult) -> str:
    """What was written, for people."""
    if result.mode is not None:
        return f"mode {result.mode}"
    text = f"quality {result.quality:g}, {result.output_bytes} bytes"
    text += f", {result.bits_per_pixel:.3f} bpp"
    return text + (", verified" if result.is_verified else "")


def _facts(result: FileResult) -> dict[str, Any]:
    """A result as a JSON object."""
    facts: dict[str, Any] = {
        "source": result.source,
        "target": result.target,
        "status": result.status,
    }
    if result.status == "written":
        facts |= {"width_px": result.width_px, "height_px": result.height_px}
        facts |= {"mode": result.mode} if result.mode else {"quality": result.quality}
        facts |= {"verified": True} if result.is_verified else {}
        facts |= {"psnr_db": _decibels(result.psnr_db)} if result.psnr_db is not None else {}
        facts |= {
            "input_bytes": result.input_bytes,
            "output_bytes": result.output_bytes,
            "bits_per_pixel": round(result.bits_per_pixel or 0, 4),
            "seconds": round(result.seconds, 3),
        }
    return facts | {"warnings": result.warnings, "error": result.error}


def _decibels(psnr_db: float) -> float | None:
    """As JSON can say it: nothing, where no pixel that can be seen differs."""
    return round(psnr_db, 3) if math.isfinite(psnr_db) else None


def _summary(totals: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{totals[what]} {what}"
        for what in _COUNTED
        if totals[what] or (what == "written" and not totals["planned"])
    )
    text = f"{totals['files']} files: {counts}"
    if totals["written"]:
        text += (
            f"; {_size(totals['input_bytes'])} to {_size(totals['output_bytes'])}, "
            f"{totals['bits_per_pixel']:.3f} bpp, {totals['megapixels_per_second']:.2f} MP/s"
        )
    return f"{text} in {totals['seconds']:.1f} s"


def _size(count: float) -> str:
    """A number of bytes for people: 812 bytes, 24.5 kB."""
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} GB"
