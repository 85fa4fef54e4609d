"""Hashes of the latents in files: `python exactness_worker.py ORDER THREADS FILE.lat ...`.

Prints a line of JSON about this process, then the SHA-256 of each file's latents, tile after tile,
int32, little-endian. Run by exactness.py, with whatever interpreter it is given.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

from latentcodec.entropy.coder import SymbolDecoder
from latentcodec.entropy.coding_order import latents_of_step
from latentcodec.format import container
from latentcodec.format.container import LatFile
from latentcodec.pipeline.latent_tiles import LatentTiles
from latentcodec.pipeline.tiling import TILE_CELLS, Span, cells, grid
from latentcodec.runtime import model_store
from latentcodec.runtime.base import Family
from latentcodec.runtime.compute import limit_threads
from latentcodec.runtime.hyper import HyperFamily
from latentcodec.runtime.model_store import ModelEntry
from tests.oracle import Oracle

_WINDOW = 48  # cells: most windows of a mosaic reach into several tiles
Decode = Callable[[bytes, int, int, int], np.ndarray]


def tiles_of(file: LatFile) -> list[tuple[Span, Span]]:
    return list(grid(cells(file.header.height_px), cells(file.header.width_px), TILE_CELLS))


def by_tiles(file: LatFile, decode: Decode, latents: int, order: list[int]) -> np.ndarray:
    """v_hat of a whole file, int32 [h, w, M], its tiles decoded one by one."""
    v_hat = np.empty((*_shape(file), latents), dtype=np.int32)
    spans = tiles_of(file)
    for number in order:
        down, right = spans[number]
        shape = down.stop - down.start, right.stop - right.start
        v_hat[down.own, right.own] = decode(file.tiles[number], file.header.quality_tenths, *shape)
    return v_hat


def by_windows(file: LatFile, family: Family) -> np.ndarray:
    """v_hat of a whole file from windows across its tiles, as regions read them."""
    v_hat = np.empty((*_shape(file), family.config.latents), dtype=np.int32)
    windows = list(grid(*_shape(file), _WINDOW))
    random.Random(1).shuffle(windows)
    for down, right in windows:
        v_hat[down.own, right.own] = LatentTiles(file, family).window(down.own, right.own)
    return v_hat


def _shape(file: LatFile) -> tuple[int, int]:
    return cells(file.header.height_px), cells(file.header.width_px)


class OracleDecoder:
    """Decodes payloads of the `hyper` family with the priors of tests/ in int64."""

    def __init__(self, entry: ModelEntry, family: HyperFamily) -> None:
        weights = safetensors.numpy.load_file(model_store.FOLDER / entry.file)
        self._oracle = Oracle(weights)
        self._tables = family.tables

    def __call__(self, payload: bytes, tenths: int, height: int, width: int) -> np.ndarray:
        """v_hat, int32 [height, width, M]."""
        coder = SymbolDecoder(payload, self._tables)
        count = -(-height // 4), -(-width // 4)
        z_table = np.clip(self._oracle.row("z_table", tenths), 0, 71).astype(np.uint8)
        z_symbols = coder.get(np.tile(z_table, count[0] * count[1])).astype(np.int64)
        z_hat = z_symbols.reshape(*count, -1) << self._oracle.z_bits
        z_hat += self._oracle.row("z_mean", tenths)

        def symbols_of(
            step: int, mean: np.ndarray, table: np.ndarray, mask: np.ndarray
        ) -> np.ndarray:
            places = np.arange(table.size).reshape(table.shape)
            coded = latents_of_step(places, step)
            symbols = np.zeros(table.size, dtype=np.int64)
            symbols[coded] = coder.get(table.ravel()[coded].astype(np.uint8))
            return symbols.reshape(table.shape)

        psi = self._oracle.psi(z_hat, tenths, height, width)
        v_hat = self._oracle.walk(psi, tenths, (height, width), symbols_of)
        coder.finish()
        return v_hat.astype(np.int32)


def latents(data: bytes, order: str) -> np.ndarray:
    """v_hat of a whole file, int32 [h, w, M], decoded in an order or by the oracle."""
    file = container.read(data)
    entry = model_store.by_code(file.header.model_code, file.header.weights_hash)
    family = model_store.load_codec(entry)
    if order == "by windows":
        return by_windows(file, family)
    numbers = list(range(len(file.tiles)))
    if order == "last to first":
        numbers.reverse()
    elif order == "shuffled":
        random.Random(1).shuffle(numbers)
    decode: Decode = family.decode_latents
    if order == "oracle":
        assert isinstance(family, HyperFamily), "the oracle has only the prior of hyper"
        decode = OracleDecoder(entry, family)
    return by_tiles(file, decode, family.config.latents, numbers)


def digest(data: bytes, order: str) -> str:
    """SHA-256 of the latents of a file, tile after tile."""
    v_hat, found = latents(data, order), hashlib.sha256()
    for down, right in tiles_of(container.read(data)):
        found.update(v_hat[down.own, right.own].astype("<i4").tobytes())
    return found.hexdigest()


def main() -> None:
    order, threads, *paths = sys.argv[1:]
    limit_threads(int(threads))
    about = {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "aten": torch.backends.cpu.get_cpu_capability(),
    }
    print(json.dumps(about))
    for path in paths:
        print(digest(Path(path).read_bytes(), order), flush=True)


if __name__ == "__main__":
    main()
