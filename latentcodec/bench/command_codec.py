"""A codec that is two commands: one that encodes a file to another, and one that decodes it."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from latentcodec.errors import LatError

# On the scale of quality that most programs have.
SETTINGS = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90)
_FORM = "NAME=ENCODE {input} {output} {setting};DECODE {input} {output}[;SETTINGS]"


@dataclass(frozen=True)
class CommandCodec:
    """A codec of two commands, which are run without a shell.

    Attributes:
        name: All that was given, so that another process finds the same codec by it.
        label: What stands before the equals sign.
        encoder: Words of a command that encodes the PNG file {input} at {setting} to {output},
            to which the word may append a suffix.
        decoder: Words of a command that decodes the encoder's file {input} to the PNG {output}.
        settings: What is measured, from the smallest file to the largest.
    """

    name: str
    label: str
    encoder: tuple[str, ...]
    decoder: tuple[str, ...]
    settings: Sequence[float]

    @property
    def fine_settings(self) -> Sequence[float]:
        """The same: what lies between them, only the program knows."""
        return self.settings

    def missing(self) -> str | None:
        """One sentence if a program is not there."""
        for command in (self.encoder, self.decoder):
            if not shutil.which(command[0]):
                return f"the command {command[0]} is not installed."
        return None

    def version(self) -> str:
        """The programs, and the scripts in their commands, with hashes of their bytes."""
        words = dict.fromkeys([*self.encoder, *self.decoder])
        found = {word: shutil.which(word) or word for word in words}
        files = {word: Path(path) for word, path in found.items() if Path(path).is_file()}
        return ", ".join(f"{Path(word).name} {_hash(path)}" for word, path in files.items())

    def encode(self, image: Image.Image, setting: float) -> bytes:
        """Encode by the program at `setting`. Raises LatError where it fails."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "input.png"), Path(folder, f"encoded{self._suffix}")
            # Not compressed: this is no part of the codec, and counts in its time.
            image.save(source, compress_level=0)
            _run(self.encoder, source, Path(folder, "encoded"), setting=f"{setting:g}")
            return _read(target, self.encoder)

    def decode(self, data: bytes) -> Image.Image:
        """Decode by the program to RGB. Raises LatError where it fails."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, f"encoded{self._suffix}"), Path(folder, "decoded.png")
            source.write_bytes(data)
            _run(self.decoder, source, target)
            if not target.exists():
                raise LatError(f"{self.decoder[0]} wrote no file")
            with Image.open(target) as image:
                return image.convert("RGB")

    @property
    def _suffix(self) -> str:
        """What the encoder's command appends to its {output}, such as .jxl."""
        word = next(word for word in self.encoder if "{output}" in word)
        return word.partition("{output}")[2]


def _run(command: Sequence[str], source: Path, target: Path, setting: str = "") -> None:
    values = {"{input}": str(source), "{output}": str(target), "{setting}": setting}
    words = list(command)
    for blank, value in values.items():
        words = [word.replace(blank, value) for word in words]
    run = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip() or "it says nothing").splitlines()[-1]
        raise LatError(f"{command[0]} ended with code {run.returncode}: {last}")


def _read(path: Path, command: Sequence[str]) -> bytes:
    data = path.read_bytes() if path.exists() else b""
    if not data:
        raise LatError(f"{command[0]} wrote no file")
    return data


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def command_codec(text: str) -> CommandCodec:
    """The codec that `text` describes: NAME=ENCODE;DECODE, or NAME=ENCODE;DECODE;SETTINGS.

    SETTINGS are numbers with commas between them, from the smallest file to the largest.

    Raises:
        LatError: It is not of that form, or a command lacks a blank.
    """
    name, _, rest = text.partition("=")
    parts = [part.strip() for part in rest.split(";")]
    if not name.strip() or len(parts) not in (2, 3):
        raise LatError(f"a codec of commands is {_FORM}, not {text!r}")
    try:
        encoder, decoder = (tuple(shlex.split(part)) for part in parts[:2])
        settings = _settings(parts[2]) if len(parts) == 3 else SETTINGS
    except ValueError as error:
        raise LatError(f"{text!r} cannot be read: {error}") from None
    blanks = ("{input}", "{output}", "{setting}")
    for command, needed in ((encoder, blanks), (decoder, blanks[:2])):
        for blank in needed:
            if not any(blank in word for word in command[1:]):
                raise LatError(f"the command {' '.join(command)!r} lacks {blank}: {_FORM}")
    return CommandCodec(text, name.strip(), encoder, decoder, settings)


def _settings(text: str) -> tuple[float, ...]:
    settings = tuple(float(part) for part in text.split(","))
    if len(set(settings)) < 2 or len(set(settings)) < len(settings):
        raise ValueError("there must be two settings or more, each once")
    return settings
