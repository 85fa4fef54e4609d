"""Where things live: the arrows of docs/design.md, read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import latentcodec

PACKAGE = Path(latentcodec.__file__).parent
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# What may be imported, or named as an attribute, only under these paths.
LIVES_IN = {
    "constriction": ("entropy/coder.py",),
    "struct": ("format/",),
    "click": ("cli/",),
    "PIL": (
        "images/",
        "pillow.py",
        "training/data.py",
        "bench/",
    ),
    "torch.optim": ("training/",),
    "latentcodec.training": ("training/", "cli/train.py", "cli/export.py"),
    "latentcodec.bench": ("bench/", "cli/bench.py", "cli/compare.py"),
    # Loading these runs code from the file that is loaded.
    "pickle": (),
    "marshal": (),
    "shelve": (),
    "dill": (),
    "cloudpickle": (),
    "joblib": (),
    "torch.load": (),
    "torch.save": (),
    "torch.package": (),
    "builtins.eval": (),
    "builtins.exec": (),
    # Nothing is ever downloaded.
    "socket": (),
    "urllib": (),
    "http": (),
    "requests": (),
    "torch.hub": (),
}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute, or nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING")


def names(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module imported and dotted name used at run time, with its line."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "imports are absolute"
            yield from ((f"{child.module}.{alias.name}", child.lineno) for alias in child.names)
        elif isinstance(child, ast.Attribute):
            yield dotted(child), child.lineno
        elif isinstance(child, ast.Call) and dotted(child.func) in ("eval", "exec", "__import__"):
            yield f"builtins.{dotted(child.func)}", child.lineno
        elif isinstance(child, ast.keyword) and child.arg == "allow_pickle":
            yield "pickle", child.value.lineno
        yield from names(child)


def strays(source: str, path: str) -> list[str]:
    """Names in `source` that do not live in the file `path`."""
    found = []
    for name, line in names(ast.parse(source)):
        for owned, places in LIVES_IN.items():
            if f"{name}.".startswith(f"{owned}.") and not path.startswith(places or ("-",)):
                found.append(f"{path}:{line}: {name}")
    return found


@pytest.mark.parametrize("path", FILES)
def test_everything_lives_where_it_belongs(path: str) -> None:
    assert strays((PACKAGE / path).read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    "source",
    [
        "import struct",
        "import struct as s",
        "from constriction import stream",
        "def f():\n    from PIL import Image",
        "import torch\ntorch.optim.SGD([])",
        "from torch.optim import SGD",
        "from latentcodec.training import loop",
        "import latentcodec.bench.run",
        "from latentcodec import bench",
        "if True:\n    import pickle",
        "torch.load('x')",
        "numpy.load('x', allow_pickle=True)",
        "eval('1')",
        "import urllib.request",
    ],
)
def test_strays_are_seen(source: str) -> None:
    assert strays(source, "pipeline/encoder.py")


@pytest.mark.parametrize(
    "source",
    [
        "if TYPE_CHECKING:\n    from PIL import Image",
        "model.eval()",
        "safetensors.torch.load(b'')",
        "import structlog",
    ],
)
def test_neighbours_of_strays_are_left_alone(source: str) -> None:
    assert strays(source, "pipeline/encoder.py") == []


def test_there_are_files_to_check_and_every_place_exists() -> None:
    assert {"pipeline/encoder.py", "entropy/coder.py", "cli/__init__.py"} <= set(FILES)
    planned = {"pillow.py"}
    for places in LIVES_IN.values():
        for place in set(places) - planned:
            assert any(path.startswith(place) for path in FILES), place


def test_no_drawer_for_everything() -> None:
    assert not [path for path in FILES if Path(path).stem in ("utils", "helpers", "common", "misc")]
