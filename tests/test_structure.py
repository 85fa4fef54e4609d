"""Where things live: the arrows of docs/design.md, read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import latentcodec
from tests.paths import ROOT

PACKAGE = Path(latentcodec.__file__).parent
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

LINES_OF_A_MODULE, LINES_OF_A_FUNCTION = 300, 40

# Packages, and what of this project each may import besides itself. The modules of the top level
# that are not named here stand above all of these but `bench`, `training` and `cli`.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "defaults": (),
    "errors": (),
    "system": ("errors",),
    "storage": ("errors",),
    "format": ("errors", "storage"),
    "entropy": ("errors",),
    "images": ("defaults", "errors", "format", "storage"),
    "options": ("defaults", "format", "images"),
    "models": ("entropy",),
    "runtime": ("defaults", "errors", "system", "entropy", "models"),
    "pipeline": ("errors", "format", "images", "options", "runtime"),
    "web": ("errors", "format", "runtime"),
    "files": (
        *("defaults", "errors", "system", "storage", "format", "images", "options", "runtime"),
        "pipeline",
    ),
}
ABOVE = ("bench", "training", "cli", "__main__")

# What may be imported, or named as an attribute, only under these paths.
LIVES_IN = {
    "constriction": ("entropy/coder.py",),
    "struct": ("format/", "runtime/onnx_file.py"),
    "click": ("cli/",),
    "PIL": ("images/", "pillow.py", "bench/"),
    "onnxruntime": ("runtime/onnx_networks.py",),
    "ray": ("ray.py", "cli/ray_engine.py"),
    "pyspark": ("spark.py",),
    "pandas": ("spark.py",),
    "pyarrow": ("ray.py", "files/parquet.py"),
    "torch.nn": ("models/", "training/"),
    "torch.nn.functional": ("models/", "training/"),
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
    "aiohttp": (),
    # But for what is named by a URL.
    "fsspec": ("storage/remote.py",),
    "torch.hub": (),
}

# Where torch may be imported: what encodes and decodes on ONNX Runtime imports none of these.
ON_TORCH = (
    *("models/", "training/", "bench/"),
    *("images/tensors.py", "runtime/compute.py", "runtime/dense_vae.py", "runtime/precision.py"),
    *("runtime/streaming.py", "runtime/torch_", "torch.py"),
)


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


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """What is under a node, but for what only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from at_run_time(child)


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
        owned = max((o for o in LIVES_IN if f"{name}.".startswith(f"{o}.")), key=len, default=None)
        if owned and not path.startswith(LIVES_IN[owned] or ("-",)):
            found.append(f"{path}:{line}: {name}")
    return found


def imports(source: str) -> Iterator[str]:
    """The modules of this package that are imported, for types and within functions, too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == "latentcodec")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("latentcodec"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                path = PACKAGE.parent / inner.replace(".", "/")
                module = path.with_suffix(".py").exists() or path.is_dir()
                yield inner if module else str(node.module)


def package_of(module: str) -> str:
    """`entropy` of latentcodec.entropy.coder; nothing of latentcodec itself."""
    return [*module.split("."), ""][1]


def climbs(source: str, path: str) -> list[str]:
    """Imports of the file `path` that lead to no layer under its own."""
    own = path.split("/")[0].removesuffix(".py")
    found = []
    for module in imports(source):
        package = package_of(module)
        allowed = package in (own, *MAY_IMPORT.get(own, ()))
        if own not in MAY_IMPORT:
            allowed = own in ABOVE or package not in ABOVE
        if not allowed:
            found.append(f"{path}: {module}")
    return found


def module_of(path: str) -> str:
    return f"latentcodec/{path}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize("path", FILES)
def test_everything_lives_where_it_belongs(path: str) -> None:
    assert strays((PACKAGE / path).read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize("path", FILES)
def test_torch_is_imported_where_it_is_needed(path: str) -> None:
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0] if isinstance(node, ast.Import) else str(node.module).split(".")[0]
        for node in at_run_time(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert path.startswith(ON_TORCH) or "torch" not in imported


@pytest.mark.parametrize("path", FILES)
def test_layers_import_only_what_is_under_them(path: str) -> None:
    assert climbs((PACKAGE / path).read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("format/header.py", "from latentcodec.images.modes import lossy"),
        ("entropy/coder.py", "def f():\n    from latentcodec.models.layers import LevelTable"),
        ("runtime/base.py", "if TYPE_CHECKING:\n    from latentcodec.format import container"),
        ("pipeline/encoder.py", "from latentcodec import encode"),
        ("pipeline/encoder.py", "from latentcodec.models.config import HyperConfig"),
        ("info.py", "from latentcodec.bench import run"),
    ],
)
def test_climbing_imports_are_seen(path: str, source: str) -> None:
    assert climbs(source, path)


def test_no_module_imports_itself_by_others() -> None:
    arrows = {
        module_of(path): set(imports((PACKAGE / path).read_text(encoding="utf-8")))
        for path in FILES
    }
    while True:  # take away what imports nothing that is left, until nothing more goes
        free = [module for module, targets in arrows.items() if not targets & set(arrows)]
        if not free:
            break
        for module in free:
            del arrows[module]
    assert not arrows, "these import each other, or what does"


@pytest.mark.parametrize(
    "source",
    [
        "import struct",
        "import struct as s",
        "from constriction import stream",
        "def f():\n    from PIL import Image",
        "import torch\ntorch.optim.SGD([])",
        "from torch.optim import SGD",
        "from torch import nn",
        "from torch.nn import functional",
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
    for place in {place for places in LIVES_IN.values() for place in places}:
        assert any(path.startswith(place) for path in FILES), place
    for package in MAY_IMPORT:
        assert any(path.startswith((f"{package}/", f"{package}.py")) for path in FILES), package


def overlong(source: str) -> list[str]:
    """What of a module is longer than the project allows."""
    found = [f"{count} lines"] if (count := source.count("\n")) > LINES_OF_A_MODULE else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            found += [f"{node.name}: {lines} lines"] if lines > LINES_OF_A_FUNCTION else []
    return found


@pytest.mark.parametrize("folder", ["latentcodec", "benchmarks", "tests"])
def test_modules_and_functions_are_short(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    long = {path.name: overlong(path.read_text(encoding="utf-8")) for path in files}
    assert {name: what for name, what in long.items() if what} == {}


def test_what_is_long_is_seen() -> None:
    assert overlong("x = 1\n" * 301) == ["301 lines"]
    assert overlong("def f():\n" + "    x = 1\n" * 40) == ["f: 41 lines"]
    assert overlong("async def f():\n" + "    x = 1\n" * 39) == []


def test_no_drawer_for_everything() -> None:
    assert not [path for path in FILES if Path(path).stem in ("utils", "helpers", "common", "misc")]
