"""Which source is running: for manifests of weights and records of benchmarks."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str | None:
    """The commit of the checkout that runs, with + after it if files differ; None outside one."""
    folder = Path(__file__).parents[1]
    try:
        # An installed package may lie in somebody else's repository, which does not track it.
        _git(folder, "ls-files", "--error-unmatch", "__init__.py")
        found = _git(folder, "rev-parse", "--short=12", "HEAD")
        return found + ("+" if _git(folder, "status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()
