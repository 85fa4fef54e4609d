"""What is said of a batch: a line or a JSON object a file, a progress bar, a summary."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from types import TracebackType
from typing import Any

import click

from latentcodec.cli.options import BatchOptions
from latentcodec.cli.outcome import Outcome
from latentcodec.cli.paths import STREAM, Task


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
        self._ended: list[Outcome] = []
        bar = self._many and sys.stderr.isatty() and not options.quiet
        on_terminal = bar and sys.stdout.isatty()
        self._lines = not options.quiet and (options.verbose or options.as_json or not on_terminal)
        self._bar: Any = None
        if bar and not (self._lines and on_terminal):
            self._bar = click.progressbar(
                length=len(tasks),
                file=sys.stderr,
                show_pos=True,
                item_show_func=lambda _: f"{self._rate():.1f} MP/s" if self._ended else None,
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
    def failed(self) -> list[Outcome]:
        """The tasks that came to nothing, so far."""
        return [outcome for outcome in self._ended if outcome.error]

    def add(self, outcome: Outcome) -> None:
        """A task has ended."""
        self._ended.append(outcome)
        if self._bar:
            self._bar.update(1, outcome)
        else:
            self._warn(outcome)
        if self._lines and self._options.as_json:
            self._say(json.dumps(_facts(outcome)))
        elif self._lines and not outcome.error:
            self._say(self._line(outcome))

    def _say(self, text: str) -> None:
        click.echo(text, err=self._err)

    def _line(self, outcome: Outcome) -> str:
        name, written = click.format_filename(outcome.task.target), outcome.written
        if written is None:
            return f"{name}: exists, skipped"
        text = f"{name}: {written.width_px} x {written.height_px}, {written.note}"
        return text + (f", {outcome.seconds:.2f} s" if self._options.verbose else "")

    def _warn(self, outcome: Outcome) -> None:
        if self._options.as_json or self._options.quiet:
            return
        for message in outcome.warnings:
            click.echo(f"Warning: {self._about(outcome, message)}", err=True)

    def _about(self, outcome: Outcome, message: str) -> str:
        """A message that names its file: of several files, the source."""
        task = outcome.task
        names = [task.source] if self._many else [task.source, task.target]
        known = [click.format_filename(name) for name in names if name != STREAM]
        if task.source == STREAM or any(name in message for name in known):
            return message
        return f"{known[0]}: {message}"

    def _sum_up(self) -> None:
        if self._bar:
            for outcome in self._ended:
                self._warn(outcome)
        if self._options.as_json:
            self._say(json.dumps({"summary": self._totals()}))
            return
        if self._many and not self._options.quiet:
            self._say(_summary(self._totals()))
        if self._left_out and not self._options.quiet:
            self._say(f"left out: {listed(self._left_out)}")
        failed = self.failed
        if failed and self._many:
            click.echo(f"Error: {len(failed)} of {len(self._ended)} files failed:", err=True)
        for outcome in failed:
            lead = "  " if self._many else "Error: "
            click.echo(f"{lead}{self._about(outcome, outcome.error)}", err=True)

    def _rate(self) -> float:
        """Megapixels per second, so far."""
        pixels = sum(o.written.width_px * o.written.height_px for o in self._ended if o.written)
        return pixels / 1e6 / (time.perf_counter() - self._start)

    def _totals(self) -> dict[str, Any]:
        written = [outcome.written for outcome in self._ended if outcome.written]
        pixels = sum(one.lat_pixels for one in written)
        bits = 8 * sum(one.lat_bytes for one in written)
        return {
            "files": len(self._ended),
            "written": len(written),
            "skipped": len(self._ended) - len(written) - len(self.failed),
            "failed": len(self.failed),
            "left_out": dict(self._left_out.most_common()),
            "input_bytes": sum(one.input_bytes for one in written),
            "output_bytes": sum(one.output_bytes for one in written),
            "bits_per_pixel": round(bits / pixels, 4) if pixels else None,
            "megapixels_per_second": round(self._rate(), 3),
            "seconds": round(time.perf_counter() - self._start, 3),
        }


def listed(left_out: Counter[str]) -> str:
    """What was left out of folders: 12 .txt, 1 .heic."""
    return ", ".join(f"{count} {kind}" for kind, count in left_out.most_common())


def _facts(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a JSON object."""
    written = outcome.written
    status = "failed" if outcome.error else "written" if written else "skipped"
    facts: dict[str, Any] = {
        "source": outcome.task.source,
        "target": outcome.task.target,
        "status": status,
    }
    if written:
        facts |= {
            "width_px": written.width_px,
            "height_px": written.height_px,
            **written.details,
            "input_bytes": written.input_bytes,
            "output_bytes": written.output_bytes,
            "bits_per_pixel": round(8 * written.lat_bytes / written.lat_pixels, 4),
            "seconds": round(outcome.seconds, 3),
        }
    return facts | {"warnings": outcome.warnings, "error": outcome.error or None}


def _summary(totals: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{totals[what]} {what}"
        for what in ("written", "skipped", "failed")
        if totals[what] or what == "written"
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
