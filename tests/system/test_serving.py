"""The server of docs/serving.md: its application under gunicorn, and its container."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentcodec
from tests.page_followed import text_of
from tests.system.test_wheel import built

pytestmark = pytest.mark.slow

_TIMEOUT_S = 200
_BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```", text_of("serving.md"), re.DOTALL | re.MULTILINE))


@pytest.fixture
def site(tmp_path: Path, photo: np.ndarray) -> Path:
    """A folder with the application and photographs."""
    app = re.search(
        r"^```python\n(# app\.py\n.*?)^```", text_of("serving.md"), re.DOTALL | re.MULTILINE
    )
    assert app
    (tmp_path / "app.py").write_text(app[1])
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "plain.lat").write_bytes(latentcodec.encode(photo[:200, :300]))
    (photos / "preview.lat").write_bytes(latentcodec.encode(photo, preview=True))
    (photos / "damaged.lat").write_bytes(latentcodec.encode(photo[:64, :64])[:-1])
    (tmp_path / "secret.lat").write_bytes(b"outside")
    return tmp_path


class _Connection(http.client.HTTPConnection):
    """HTTP through a socket in the file system: no port has to be free."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(str(self._path))


Answer = tuple[int, bytes, str | None]


def get(connection: http.client.HTTPConnection, url: str, tag: str | None = None) -> Answer:
    """Status, body and ETag."""
    with contextlib.closing(connection):
        connection.request("GET", url, headers={"If-None-Match": tag} if tag else {})
        response = connection.getresponse()
        return response.status, response.read(), response.headers["ETag"]


@contextlib.contextmanager
def gunicorn(site: Path, *options: str) -> Iterator[Callable[..., Answer]]:
    """Two workers of the application; gives what asks them."""
    path = site / "socket"
    command = [sys.executable, "-m", "gunicorn", *options, "--workers", "2"]
    environment = os.environ | {"PHOTOS": str(site / "photos")}
    environment.pop("OMP_NUM_THREADS", None)  # which would keep a fork from hanging
    process = subprocess.Popen(
        [*command, "--bind", f"unix:{path}", "--timeout", "100", "app:application"],
        cwd=site,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait(lambda: path.exists() or process.poll() is not None)
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield lambda url, tag=None: get(_Connection(path), url, tag)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_TIMEOUT_S)


def _wait(is_ready: Callable[[], object]) -> None:
    for _ in range(10 * _TIMEOUT_S):
        if is_ready():
            return
        time.sleep(0.1)
    raise TimeoutError


def check(ask: Callable[..., Answer]) -> None:
    """What the page says of the application."""
    for _ in range(4):  # whichever of the workers answers
        status, body, tag = ask("/plain.lat")
        assert (status, Image.open(io.BytesIO(body)).size) == (200, (300, 200))
        assert ask("/plain.lat", tag)[:2] == (304, b"")
    for name in ("plain", "preview"):
        status, body, _ = ask(f"/{name}.lat?size=128")
        width, height = Image.open(io.BytesIO(body)).size
        assert status == 200 and width == 128 and 84 < height < 87
    assert ask("/missing.lat")[0] == ask("/../secret.lat")[0] == 404
    assert ask("/plain.lat?size=none")[0] == ask("/plain.lat?size=0")[0] == 400
    status, body, _ = ask("/damaged.lat")
    assert status == 422 and body.startswith(b"the file ends within a chunk")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="gunicorn is for Unix")
@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["each loads", "preload"])
def test_the_application_under_gunicorn(site: Path, options: tuple[str, ...]) -> None:
    pytest.importorskip("gunicorn")
    with gunicorn(site, *options) as ask:
        check(ask)


def _engine() -> str:
    """A container engine that works, or the reason why there is none."""
    for name in ("docker", "podman"):
        if shutil.which(name):
            told = subprocess.run([name, "info"], capture_output=True, text=True, check=False)
            if told.returncode == 0:
                return name
            pytest.skip(f"{name} does not work here: {told.stderr.strip().splitlines()[-1]}")
    pytest.skip("there is no container engine here")


def test_the_container(site: Path) -> None:
    engine = _engine()
    built(site, "--wheel")
    (site / "Dockerfile").write_text(_BLOCKS["dockerfile"])
    subprocess.run([engine, "build", "-t", "latentcodec-server-test", "."], cwd=site, check=True)
    command = [engine, "run", "--rm", "--detach", "--read-only", "--tmpfs", "/tmp"]
    more = ["-v", f"{site / 'photos'}:/photos:ro", "-p", "127.0.0.1::8000"]
    name = subprocess.check_output([*command, *more, "latentcodec-server-test"], text=True).strip()
    try:
        told = subprocess.check_output([engine, "port", name, "8000"], text=True)
        port = int(told.split()[0].rpartition(":")[2])

        def ask(url: str, tag: str | None = None) -> Answer:
            return get(http.client.HTTPConnection("127.0.0.1", port, _TIMEOUT_S), url, tag)

        _wait(lambda: _answers(ask))
        check(ask)
    finally:
        subprocess.run([engine, "kill", name], check=True, capture_output=True)


def _answers(ask: Callable[..., Answer]) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask("/missing.lat")[0] == 404
    return False
