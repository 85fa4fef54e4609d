"""A cluster of two nodes with one processor each, as two machines would be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

STORE_BYTES = 80 << 20


@pytest.fixture(scope="package")
def cluster() -> Iterator[Any]:
    """`ray.cluster_utils.Cluster`; nothing of what Ray counts is sent to anybody."""
    pytest.importorskip("ray", reason="needs latentcodec[ray]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        from ray.cluster_utils import Cluster

        cluster = Cluster()
        try:
            for _ in range(2):
                add_node(cluster)
            yield cluster
        finally:
            cluster.shutdown()


def add_node(cluster: Any) -> None:
    """Ray gives a node 30 seconds to start, which may be too few on a machine that is busy."""
    node = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    for is_last in (False, False, True):
        try:
            cluster.add_node(**node)
            return
        except Exception:
            if is_last:
                raise


@pytest.fixture
def pictures(tmp_path: Path, photo: np.ndarray) -> Path:
    """A folder of 12 pictures of two kinds, in two folders, and one that is broken."""
    root = tmp_path / "in"
    (root / "more").mkdir(parents=True)
    for number in range(12):
        image = Image.fromarray(photo[: 24 + number, 20 * number : 20 * number + 32])
        folder = root / "more" if number % 2 else root
        image.convert("L" if number % 3 else "RGB").save(folder / f"{number}.png")
    (root / "broken.png").write_bytes(b"no picture")
    return root
