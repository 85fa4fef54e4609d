"""Models, packaged or given by path: found by name or by code and hash, loaded once per process."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from latentcodec import defaults
from latentcodec.errors import CorruptWeights, UnknownModel
from latentcodec.runtime import weights_search

if TYPE_CHECKING:
    from latentcodec.runtime.base import Family
    from latentcodec.runtime.choice import Runtime
    from latentcodec.runtime.dense_vae import DenseVaeFamily

FOLDER = Path(__file__).parents[1] / "weights"
# What a model that encodes is tuned for, with the names that encoders of AV1 use: structural
# similarity, or squared error. The manifest says which models these are.
Tune = Literal["ssim", "psnr"]
TUNES: tuple[Tune, ...] = get_args(Tune)
# The code of weights that are in no package: files name them by their hash alone.
OWN_CODE = "USER"
WEIGHTS_SUFFIX = ".safetensors"
_own: dict[str, ModelEntry] = {}  # by hash


@dataclasses.dataclass(frozen=True)
class ModelEntry:
    """One line of the manifest. `code` and `sha256` name a model for ever."""

    name: str
    code: str
    family: str
    file: str
    sha256: str

    @property
    def short_hash(self) -> bytes:
        """What stands in a file's header: the first four bytes of the SHA-256."""
        return bytes.fromhex(self.sha256[:8])


def manifest() -> dict[str, Any]:
    """The manifest as it lies in the package."""
    return json.loads((FOLDER / "manifest.json").read_text())


def entries() -> list[ModelEntry]:
    """All packaged models, then those that `register_weights` was given."""
    fields = [f.name for f in dataclasses.fields(ModelEntry)]
    packaged = [ModelEntry(**{k: row[k] for k in fields}) for row in manifest()["models"]]
    return [*packaged, *own_entries()]


def own_entries() -> list[ModelEntry]:
    """The models that `register_weights` or `adopt` was given, for another process to adopt."""
    return list(_own.values())


def register_weights(path: str | os.PathLike[str], *, runtime: Runtime | None = None) -> str:
    """Make a weights file, as `latentcodec export` writes it, a model of this process.

    Returns the name of the model, which is its path, or the packaged model's if it is that file.
    Files made with it decode where the same weights are given. It is loaded at once, so that what
    is no model, or could be inexact, is refused before it is used. runtime: as for `Codec`.

    Raises OSError, and CorruptWeights.
    """
    from latentcodec.runtime import tensor_file

    path = Path(path)
    weights = path.read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    for entry in entries():
        if entry.sha256 == digest:
            return entry.name
    try:
        description = tensor_file.description_of(weights)
        entry = ModelEntry(str(path), OWN_CODE, description["family"], str(path.resolve()), digest)
    except (ValueError, KeyError) as error:
        raise CorruptWeights(f"{path} has no weights of latentcodec") from error
    load(entry, runtime)
    _own[digest] = entry
    return entry.name


def adopt(entry: ModelEntry) -> str:
    """Know a model of another process; it is loaded, and checked, when it is used.

    Returns its name. Where its file is not, it is looked for by its hash.
    """
    if entry.code == OWN_CODE:
        _own.setdefault(entry.sha256, entry)
    return entry.name


def chosen(model: str | os.PathLike[str] | None = None, tune: Tune | None = None) -> str:
    """The name of the model to encode with: `model`, or the packaged one that is tuned so.

    Where neither is given, it is that of the default tune. Raises ValueError where both are, for a
    tune that there is not, and for what is no name.
    """
    if model is not None and tune is not None:
        raise ValueError("give one of model and tune")
    if isinstance(model, (str, os.PathLike)):
        return os.fspath(model)
    if model is not None:
        raise ValueError(f"model must be a name or a path, not {model!r}")
    tune = defaults.TUNE if tune is None else tune
    if tune not in TUNES:
        raise ValueError(f"tune must be {' or '.join(TUNES)}, not {tune!r}")
    return str(manifest()["tunes"][tune])


def tune_of(entry: ModelEntry) -> Tune:
    """What a model is tuned for: as the manifest says, or by what it was last trained."""
    from latentcodec.runtime import tensor_file

    for tune, name in manifest()["tunes"].items():
        if name == entry.name:
            return tune
    runs = tensor_file.description_of(checked_bytes(entry))["trained"].get("runs", [])
    return "ssim" if runs and runs[-1].get("distortion") == "ms-ssim" else "psnr"


def by_name(name: str) -> ModelEntry:
    """The model called `name`, the first of the family `name`, or the weights in the file `name`.

    Raises UnknownModel, and for a file as `register_weights` does.
    """
    for entry in entries():
        if name in (entry.name, entry.family):
            return entry
    if name.endswith(WEIGHTS_SUFFIX) and Path(name).is_file():
        return by_name(register_weights(name))
    known = ", ".join(e.name for e in entries())
    raise UnknownModel(f"there is no model {name!r}; installed: {known}")


def by_code(code: str, short_hash: bytes) -> ModelEntry:
    """The model that a file names; weights of one's own are looked for, too. Raises UnknownModel,
    and CorruptWeights."""
    for entry in entries():
        if entry.code == code and entry.short_hash == short_hash:
            return entry
    if code == OWN_CODE and (path := weights_search.find(short_hash)):
        return by_name(register_weights(path))
    made = f"the file was made with model {code} ({short_hash.hex()})"
    if code == OWN_CODE:
        raise UnknownModel(
            f"{made}, somebody's own weights, which have to be given (--weights) "
            f"or lie in a folder of {weights_search.VARIABLE}"
        )
    raise UnknownModel(f"{made}, which this installation does not have")


def load_codec(entry: ModelEntry, runtime: Runtime | None = None) -> Family:
    """A model that codes files. Raises UnknownModel for one that only draws pictures."""
    from latentcodec.runtime.base import Family

    model = load(entry, runtime)
    if not isinstance(model, Family):
        raise UnknownModel(f"the model {entry.name} draws pictures and codes no files")
    return model


def load(entry: ModelEntry, runtime: Runtime | None = None) -> Family | DenseVaeFamily:
    """The working model, on a runtime; None: the first that is installed.

    Raises CorruptWeights if its file is missing or altered.
    """
    from latentcodec.runtime.choice import chosen

    return _load(entry, chosen(runtime))


@functools.lru_cache(maxsize=4)
def _load(entry: ModelEntry, runtime: Runtime) -> Family | DenseVaeFamily:
    from latentcodec.runtime.registry import load as load_weights

    return load_weights(checked_bytes(entry), runtime)


def checked_bytes(entry: ModelEntry) -> bytes:
    """The model's weights file. Raises CorruptWeights if it is missing or altered."""
    path = FOLDER / entry.file  # one's own is absolute
    if entry.code == OWN_CODE and not path.is_file():
        path = weights_search.find(entry.short_hash) or path
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise CorruptWeights(f"the weights of {entry.name} cannot be read: {error}") from error
    if hashlib.sha256(weights).hexdigest() != entry.sha256:
        raise CorruptWeights(f"the weights of {entry.name} are altered: their hash does not match")
    return weights
