"""Processes that are forked after torch has computed, spawned ones, and what travels to them."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.small_models import weights_of

# Each runs in a process of its own, which a hanging child cannot outlive.
_START = """
import concurrent.futures, multiprocessing, os, sys
import numpy as np
import torch
import latentcodec

torch.set_num_threads(2)
# Enough pixels for more than one thread.
PIXELS = np.random.default_rng(1).integers(0, 255, (256, 256, 3), dtype="uint8")

def work(codec=latentcodec):
    data = codec.encode(PIXELS)
    assert codec.decode_array(data).shape == PIXELS.shape
    return data

def work_of(codec):
    return work(codec)

class Pictures(torch.utils.data.Dataset):
    def __init__(self, codec, data): self.codec, self.data = codec, data
    def __len__(self): return 2
    def __getitem__(self, number): return self.codec.decode_tensor(self.data)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    here = work()
"""
_WAYS = {
    "Pool": """
    with multiprocessing.Pool(2) as pool:
        there = pool.map_async(work_of, [latentcodec.Codec()] * 2).get(100)
    assert list(there) == [here] * 2
""",
    "ProcessPoolExecutor": """
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        there = pool.map(work_of, [latentcodec.Codec(threads=2)] * 2, timeout=100)
    assert list(there) == [here] * 2
""",
    "DataLoader": """
    pictures = Pictures(latentcodec.Codec(), here)
    loader = torch.utils.data.DataLoader(pictures, num_workers=2, batch_size=1, timeout=100)
    assert [tuple(batch.shape) for batch in loader] == [(1, 3, 256, 256)] * 2
""",
    "joblib": """
    import joblib
    backend = {"fork": "multiprocessing", "spawn": "loky"}[sys.argv[1]]
    tasks = [joblib.delayed(work_of)(latentcodec.Codec(threads=2))] * 2
    assert joblib.Parallel(2, backend, timeout=100)(tasks) == [here] * 2
""",
    "batch": """
    child = multiprocessing.Process(target=latentcodec.Codec().encode_batch, args=([PIXELS] * 2,))
    child.start()
    child.join(100)
    assert child.exitcode == 0
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("way", _WAYS)
def test_children_work(way: str, start: str, tmp_path: Path) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {start}")
    if way == "joblib":
        pytest.importorskip("joblib")
    script = tmp_path / "script.py"
    script.write_text(_START + _WAYS[way] + "    print('done')\n")
    result = subprocess.run(
        [sys.executable, script, start], capture_output=True, text=True, timeout=200, check=False
    )
    assert result.stdout == "done\n", result.stderr


@pytest.mark.slow
def test_a_forked_child_keeps_to_one_thread(tmp_path: Path) -> None:
    script = (
        "import os, torch, latentcodec.runtime.compute as compute\n"
        "torch.set_num_threads(2)\n"
        "if os.fork() == 0:\n"
        "    with compute.threads(2): os._exit(torch.get_num_threads())\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 1\n"
        "with compute.threads(2): assert torch.get_num_threads() == 2\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=100)


@pytest.mark.slow
def test_weights_of_ones_own_go_to_a_spawned_pool(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(weights_of("ae"))
    script = tmp_path / "script.py"
    own = """
    codec = latentcodec.Codec(model=latentcodec.register_weights("mine.safetensors"), threads=1)
    os.makedirs("elsewhere", exist_ok=True)
    os.chdir("elsewhere")
    with multiprocessing.Pool(2) as pool:
        there = pool.map_async(work_of, [codec] * 2).get(100)
    assert list(there) == [work(codec)] * 2
"""
    script.write_text(_START + own + "    print('done')\n")
    command = [sys.executable, str(script), "spawn"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=200, check=False, cwd=tmp_path
    )
    assert result.stdout == "done\n", result.stderr
