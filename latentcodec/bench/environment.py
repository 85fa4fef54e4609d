"""Where and how a run was made, so that a reader can judge or repeat it."""

from __future__ import annotations

import datetime
import platform
import shlex
import sys
from pathlib import Path

from latentcodec.system.cpu import cores


def machine() -> str:
    """This machine in words: the processor's model and the number of cores."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {cores()} cores"


def today() -> str:
    """The date as YYYY-MM-DD."""
    return datetime.date.today().isoformat()


def shown_command() -> str:
    """The command line with every absolute path cut to its last part.

    A result may be published, and the folders of one machine mean nothing on another.
    """
    words = []
    for word in ["latentcodec", *sys.argv[1:]]:
        option, equals, value = word.rpartition("=")
        words.append(f"{option}{equals}{Path(value).name}" if Path(value).is_absolute() else word)
    return shlex.join(words)
