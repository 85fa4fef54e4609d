"""A web server of one folder, and a browser's page on it."""

from __future__ import annotations

import base64
import functools
import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from selenium import webdriver


class _Handler(http.server.SimpleHTTPRequestHandler):
    more: Mapping[str, str]
    asked: list[str]

    def log_message(self, *arguments: Any) -> None:
        self.asked.append(self.path)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")  # tests write files anew
        for name, value in self.more.items():
            self.send_header(name, value)
        super().end_headers()


@contextmanager
def served(
    folder: Path,
    headers: Mapping[str, str] = MappingProxyType({}),
    asked: list[str] | None = None,
) -> Iterator[str]:
    """The address of a folder, for the block. asked: gets the paths that are asked for."""
    kind = type("Handler", (_Handler,), {"more": headers, "asked": [] if asked is None else asked})
    handler = functools.partial(kind, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def call(page: webdriver.Chrome, script: str, *arguments: object) -> Any:
    """What a script returns that has the module as `lat`, and may wait.

    `give(array)` is how it returns an array's bytes; an error is returned as {"error", "message"}.
    """
    whole = """
        const done = arguments[arguments.length - 1];
        const give = (array) => {
          const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
          let text = "";
          for (let at = 0; at < bytes.length; at += 32768) {
            text += String.fromCharCode(...bytes.subarray(at, at + 32768));
          }
          return btoa(text);
        };
        const run = async (...arguments) => {
          const lat = await import("/latentcodec.js");
          %s
        };
        run(...arguments).then(done, ({name, message}) => done({error: name, message}));
    """
    return page.execute_async_script(whole % script, *arguments)


def given(text: str, dtype: str = "<u1") -> np.ndarray:
    """What `give` gave."""
    return np.frombuffer(base64.b64decode(text), dtype=dtype)
