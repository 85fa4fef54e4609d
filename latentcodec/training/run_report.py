"""What a training tells of itself: lines for people, and the same as JSON lines in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from latentcodec.training.settings import Progress


class RunReport:
    """tell: gets a line for a person. log: JSON lines are appended to it, where it is given."""

    def __init__(self, tell: Callable[[str], None], log: Path | None = None) -> None:
        self.tell = tell
        self._log = log
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a"):  # what cannot be written to is known before hours of training
                pass

    def training(
        self, progress: Progress, means: Mapping[str, float], seconds_left: float, revived: int
    ) -> None:
        """Of the last updates, before a checkpoint may come."""
        run = progress.runs[-1]
        speed = run["crops"] / run["seconds"]
        self._write("training", progress, {**means, "crops_per_second": speed, "revived": revived})
        self.tell(
            f"step {progress.step}  {_figures(means)}  {speed:.1f} crops/s  "
            f"{seconds_left / 60:.1f} min left" + (f"  {revived} units revived" if revived else "")
        )

    def validation(self, progress: Progress, means: Mapping[str, float]) -> None:
        """Of the averaged weights on photographs that training never sees."""
        self._write("validation", progress, means)
        self.tell(f"step {progress.step}  validation {_figures(means)}")

    def _write(self, of: str, progress: Progress, values: Mapping[str, float]) -> None:
        if self._log is None:
            return
        row = {"of": of, "step": progress.step, "crops": progress.crops}
        rounded = {name: round(value, 5) for name, value in values.items()}
        line = json.dumps({**row, "seconds": round(progress.seconds, 1), **rounded})
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _figures(means: Mapping[str, float]) -> str:
    return f"loss {means['loss']:.4f}  bpp {means['bpp']:.4f}  PSNR {means['psnr']:.2f} dB"
