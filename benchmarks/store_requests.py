"""Requests to an object store for one picture, counted, and what ten million pictures' cost.

python benchmarks/store_requests.py --put 5 --get 0.4

A server that speaks S3's protocol (moto, of the extra `dev`) runs on this machine and writes down
each request. Prices are named by who asks: --put and --get are for a million of PUT and LIST, and
of GET and HEAD.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from PIL import Image

KODAK = Path(__file__).parent / "data" / "kodak"
_REQUEST = re.compile(r'"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP')
_TO_PUT = ("PUT", "POST", "LIST")
_SIZE = 64, 48


class Server:
    """moto's server, which counts requests by their kind: LIST is a GET of a bucket, and what
    fills the bucket of photos does not count."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.url = ""
        self._started = threading.Event()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Running on" in line:
                self.url = line.split()[-1]
                self._started.set()
            request = _REQUEST.search(line)
            if request:
                method, path = request.groups()
                bucket, _, key = path.partition("?")[0].strip("/").partition("/")
                if method != "PUT" or (bucket == "smaller" and key):
                    self.counts["LIST" if method == "GET" and not key else method] += 1
        self._started.set()

    def wait(self) -> None:
        """Until it answers. Raises ClickException where it does not start."""
        self._started.wait()
        if not self.url:
            raise click.ClickException("moto's server does not start: is moto[server] installed?")

    def stop(self) -> None:
        """End it; all that was asked is counted then."""
        self._process.terminate()
        self._process.wait()
        self._thread.join()


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A server that is there, and that s3fs is led to."""
    running = Server()
    try:
        running.wait()
        os.environ |= {
            "AWS_ENDPOINT_URL": running.url,
            "AWS_ACCESS_KEY_ID": "user",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        yield running
    finally:
        running.stop()


def filled(count: int) -> None:
    """A bucket of so many small pictures, and an empty one."""
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)  # of the server that runs now
    store.mkdir("photos")
    store.mkdir("smaller")
    with Image.open(KODAK / "kodim01.png") as image:
        for number in range(count):
            stream = io.BytesIO()
            image.crop((number, 0, number + _SIZE[0], _SIZE[1])).save(stream, "PNG")
            store.pipe_file(f"photos/{number:05}.png", stream.getvalue())


def counted(count: int, *more: str) -> Counter[str]:
    """The requests of a command that encodes so many pictures."""
    with server() as running:
        filled(count)
        command = [sys.executable, "-m", "latentcodec", "encode", "--quiet", "--model", "ae"]
        subprocess.run([*command, "-r", "s3://photos", "-o", "s3://smaller", *more], check=True)
    return running.counts


@click.command()
@click.option("--pictures", default=10_000_000, show_default=True, help="To name the cost of.")
@click.option("--put", default=5.0, show_default=True, help="Price of a million PUT or LIST.")
@click.option("--get", default=0.4, show_default=True, help="Price of a million GET or HEAD.")
@click.option("--count", default=20, show_default=True, help="Pictures to count the requests of.")
def main(pictures: int, put: float, get: float, count: int) -> None:
    """Print the requests of `encode -r s3://... -o s3://...`, and their cost."""
    for more in ([], ["--skip-existing"]):
        few, many = counted(count, *more), counted(2 * count, *more)
        # What each picture adds: the rest is asked once, or once in a thousand names.
        each = {kind: (many[kind] - few[kind]) / count for kind in sorted(many)}
        once = {kind: few[kind] - count * each[kind] for kind in each}
        cost = sum(pictures * each[kind] * (put if kind in _TO_PUT else get) / 1e6 for kind in each)
        said = ", ".join(f"{number:g} {kind}" for kind, number in each.items() if number)
        rest = ", ".join(f"{number:g} {kind}" for kind, number in once.items() if number)
        click.echo(f"{' '.join(['encode', *more])}: {said} a picture, and {rest} once")
        click.echo(f"    {pictures:,} pictures: {cost:,.2f}")


if __name__ == "__main__":
    main()
