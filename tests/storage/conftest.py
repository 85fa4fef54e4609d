"""A file system in memory, empty before and after, and a server that speaks S3's protocol."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def memory() -> Iterator[None]:
    """An empty memory://."""
    fsspec = pytest.importorskip("fsspec", reason="the extra `remote` is not installed")
    store = fsspec.filesystem("memory")
    yield
    store.store.clear()
    store.pseudo_dirs[:] = [""]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of a server that speaks S3's protocol."""
    for name in ("moto", "s3fs", "flask_cors"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: the extra `dev` brings it")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert server.stderr is not None
    try:
        said = []
        for line in server.stderr:
            said.append(line)
            if "Running on" in line:
                break
        else:
            pytest.fail(f"the server did not start: {said}")
        yield said[-1].split()[-1]
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket, as a URL, found by fsspec as a user would have it found."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    bucket = f"bucket-{os.getpid()}-{time.monotonic_ns()}"
    store.mkdir(bucket)
    yield f"s3://{bucket}"
    store.rm(bucket, recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()
