"""A table of what became of every file of a batch, from which a second run goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from latentcodec.errors import LatError
from latentcodec.files.options import EncodeFileOptions, FileOptions
from latentcodec.files.result import FileResult
from latentcodec.runtime import model_store
from latentcodec.storage.names import is_url, spelled

# Options that change nothing of what is written.
_WITHOUT_EFFECT = ("make_parents", "sha256", "runtime", "model", "tune")
# Columns that the next run reads.
_NEEDED = {"source", "target", "status", "options", "input_bytes", "output_bytes"}
_BEGIN = b'{"source": '

Row = dict[str, Any]


def row_of(result: FileResult, options: str) -> Row:
    """A result as a row: its fields, bits per pixel, and a key of the options."""
    row = dataclasses.asdict(result)
    row["warnings"] = list(result.warnings)
    if result.psnr_db == math.inf:  # which JSON cannot say
        row["psnr_db"] = None
    return row | {"bits_per_pixel": result.bits_per_pixel, "options": options}


def options_key(options: FileOptions) -> str:
    """16 hexadecimal digits, the same for all options, and models, that write the same file."""
    values = dataclasses.asdict(options)
    facts: Row = {name: values[name] for name in sorted({*values} - {*_WITHOUT_EFFECT})}
    if isinstance(options, EncodeFileOptions):
        name = model_store.chosen(options.model, options.tune)
        facts["model"] = model_store.by_name(name).sha256
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


class Manifest:
    """A manifest that is open: rows go to a file of JSON lines as soon as they are there.

    With the name *.jsonl that is the manifest itself. One named *.parquet is written when all is
    done, from the lines beside it, `NAME.jsonl`, which a run that was interrupted leaves there.
    """

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Read what is there. Raises OSError, and LatError for what is no manifest."""
        self._path, self._options = path, options_key(options)
        self._is_parquet = path.suffix.lower() == ".parquet"
        self._journal = path.with_name(f"{path.name}.jsonl") if self._is_parquet else path
        self._lines: BinaryIO | None = None
        # What is known of a source and its target, by their digest: the bytes of both, where they
        # need not be done again.
        self._known: dict[bytes, tuple[int, int] | None] = {}
        self._read()

    def _read(self) -> None:
        if self._is_parquet:
            from latentcodec.files import parquet

            for row in parquet.read_rows(self._path):
                self._note(row)
        for row in read_lines(self._journal):
            self._note(row)

    def _note(self, row: Row) -> None:
        key = self._digest_of(row)
        if row["status"] == "failed":
            self._known.pop(key, None)
            return
        is_done = row["status"] == "written" and row["options"] == self._options
        self._known[key] = (row["input_bytes"], row["output_bytes"]) if is_done else None

    def has(self, source: str, target: str) -> bool:
        """Whether a file is done: with the same options, and local files have their sizes still.

        Stores are not asked: of URLs, the manifest is believed.
        """
        sizes = self._known.get(self._digest(source, target))
        return sizes is not None and all(
            is_url(name) or _size(name) == size
            for name, size in zip((source, target), sizes, strict=True)
        )

    def add(self, result: FileResult) -> None:
        """Write the row of a file, but for one that was left as it is and has a row."""
        if result.status == "skipped" and self._digest(result.source, result.target) in self._known:
            return
        assert self._lines is not None
        row = row_of(result, self._options)
        try:
            self._lines.write(json.dumps(row).encode() + b"\n")
            self._lines.flush()
        except OSError as error:
            why = "cannot be written, so that nothing more is converted"
            raise LatError(f"{self._journal} {why}: {error.strerror}") from error

    def __enter__(self) -> Manifest:
        """Open the lines for writing. Raises OSError."""
        self._lines = self._journal.open("ab")
        self._lines.truncate(_whole_lines(self._journal))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._lines is not None
        self._lines.close()
        if self._is_parquet and kind is None:
            from latentcodec.files import parquet

            parquet.write_rows(self._path, self._latest(parquet.read_rows(self._path)))
            self._journal.unlink()

    def _latest(self, older: Iterator[Row]) -> Iterator[Row]:
        """Older rows and those of the lines: of each file, what was written last."""
        digests = map(self._digest_of, read_lines(self._journal))
        last = {digest: number for number, digest in enumerate(digests)}
        yield from (row for row in older if self._digest_of(row) not in last)
        for number, row in enumerate(read_lines(self._journal)):
            if last[self._digest_of(row)] == number:
                yield row

    def _digest_of(self, row: Row) -> bytes:
        """What two rows of the same source and target have in common."""
        return self._digest(row["source"], row["target"])

    def _digest(self, source: str, target: str) -> bytes:
        """The same of names, which in a Parquet file are spelled as that can."""
        name = f"{source}\0{target}"
        if self._is_parquet:
            name = spelled(name)
        return hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=16).digest()


def read_lines(path: Path) -> Iterator[Row]:
    """The rows of a file of JSON lines, none where it is missing; half a line at its end is none.

    Raises OSError and LatError.
    """
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n") and _is_begun(line):
                return
            try:
                row = json.loads(line)
                if not row.keys() >= _NEEDED:
                    raise ValueError
            except (ValueError, AttributeError) as error:
                raise LatError(f"{path} is no manifest: see its line {number}") from error
            yield row


def _is_begun(line: bytes) -> bool:
    """Whether it can be the beginning of a row."""
    return line.startswith(_BEGIN) or _BEGIN.startswith(line)


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with path.open("rb") as lines:
        end = lines.seek(0, os.SEEK_END)
        while end:
            start = max(end - 4096, 0)
            lines.seek(start)
            newline = lines.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None
