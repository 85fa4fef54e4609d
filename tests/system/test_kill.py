"""A process that is killed leaves each output absent, old or complete.

`KILLS=50 python -m pytest tests/system/test_kill.py` kills 50 times instead of 12.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

KILLS = int(os.environ.get("KILLS", "12"))
JOBS = 2

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are needed")

# Loads everything once, encodes the folder to its end, and then again and again in children that
# are killed at some moment after some outputs. Prints what it finds after each.
_KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)  # so that there are no threads to lose in a fork
from latentcodec.runtime import model_store
from latentcodec.cli import main
source, target, kills, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
model_store.load_codec(model_store.by_name(model_store.chosen()))

def start():
    child = os.fork()
    if not child:
        words = ["encode", "-r", str(source), "-o", str(target), "-j", jobs, "-q", "40", "--quiet"]
        try:
            main(words, standalone_mode=False)
        finally:
            os._exit(0)
    return child

def contents():
    return {path.name: path.read_bytes().hex() for path in target.iterdir()}

def new_ones():  # outputs that this child has finished
    return sum(path.stat().st_size > 3 for path in target.glob("*.lat"))

os.waitpid(start(), 0)
print(json.dumps(contents()))
chance = random.Random(1)
for kill in range(kills):
    # Half of the outputs exist, and are others.
    for number, path in enumerate(sorted(target.glob("*.lat"))):
        path.write_bytes(b"old") if number % 2 else path.unlink()
    child = start()
    wanted, more, ended = chance.randrange(9), chance.randrange(40), False
    while not ended and (new_ones() < wanted or more > 0):
        more -= new_ones() >= wanted
        time.sleep(0.001)
        ended = os.waitpid(child, os.WNOHANG)[0] == child
    if not ended:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(json.dumps(contents()))
"""


@pytest.mark.slow
def test_killed_at_any_moment(photo: np.ndarray, tmp_path: Path) -> None:
    source, target = tmp_path / "photos", tmp_path / "out"
    source.mkdir()
    for number in range(10):
        at = 30 * number
        Image.fromarray(photo[at : at + 64, at : at + 96]).save(source / f"{number}.png")
    result = subprocess.run(
        [sys.executable, "-c", _KILLER, str(source), str(target), str(KILLS), str(JOBS)],
        capture_output=True,
        text=True,
        check=True,
    )
    whole, *after = map(json.loads, result.stdout.splitlines())
    assert len(whole) == 10
    assert len(after) == KILLS
    old, interrupted = b"old".hex(), 0
    for kill, found in enumerate(after, start=1):
        left = [name for name in found if name not in whole]
        assert all(re.fullmatch(r"\.\d\.lat\.[0-9a-f]{16}\.tmp", name) for name in left)
        assert len(left) <= JOBS * kill, "more than what was being written"
        for name in set(found) & set(whole):
            assert found[name] in (old, whole[name]), f"{name} is neither old nor complete"
        done = sum(found.get(name) == whole[name] for name in whole)
        interrupted += 0 < done < len(whole)
    assert interrupted >= KILLS // 6, "the kills came too early or too late to say anything"


_WRITE = """
import os, signal, sys
from pathlib import Path
from latentcodec.system import atomic_write
step, when, path = sys.argv[1:]
function = getattr(os, step)
def dies(*arguments):
    if when == "after":
        function(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, step, dies)
atomic_write.write_file(Path(path), b"new, and longer than the old one")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("existing", [True, False])
def test_killed_at_each_step_of_writing(
    step: str, when: str, existing: bool, tmp_path: Path
) -> None:
    target = tmp_path / "out.lat"
    if existing:
        target.write_bytes(b"old")
    result = subprocess.run([sys.executable, "-c", _WRITE, step, when, str(target)], check=False)
    assert result.returncode == -signal.SIGKILL
    written = (step, when) == ("replace", "after")
    if written:
        assert target.read_bytes() == b"new, and longer than the old one"
    elif existing:
        assert target.read_bytes() == b"old"
    else:
        assert not target.exists()
    left = [path.name for path in tmp_path.iterdir() if path != target]
    assert len(left) == (0 if written or (step, when) == ("open", "before") else 1)
