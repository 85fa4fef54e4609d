"""The packaged models: found by name or by code and hash, verified, loaded once per process."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentcodec.errors import CorruptWeights, UnknownModel

if TYPE_CHECKING:
    from latentcodec.families.dense_vae import DenseVaeFamily
    from latentcodec.families.family import Family

_FOLDER = Path(__file__).parent / "weights"
DEFAULT_MODEL = "hyper"


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
    return json.loads((_FOLDER / "manifest.json").read_text())


def entries() -> list[ModelEntry]:
    """All packaged models."""
    fields = [f.name for f in dataclasses.fields(ModelEntry)]
    return [ModelEntry(**{k: row[k] for k in fields}) for row in manifest()["models"]]


def by_name(name: str) -> ModelEntry:
    """The model called `name`, or the first of the family `name`. Raises UnknownModel."""
    for entry in entries():
        if name in (entry.name, entry.family):
            return entry
    known = ", ".join(e.name for e in entries())
    raise UnknownModel(f"there is no model {name!r}; installed: {known}")


def by_code(code: str, short_hash: bytes) -> ModelEntry:
    """The model that a file names. Raises UnknownModel."""
    for entry in entries():
        if entry.code == code and entry.short_hash == short_hash:
            return entry
    raise UnknownModel(
        f"the file was made with model {code} ({short_hash.hex()}), "
        "which this installation does not have"
    )


def load_codec(entry: ModelEntry) -> Family:
    """A model that codes files. Raises UnknownModel for one that only draws pictures."""
    from latentcodec.families.family import Family

    model = load(entry)
    if not isinstance(model, Family):
        raise UnknownModel(f"the model {entry.name} draws pictures and codes no files")
    return model


@functools.lru_cache(maxsize=4)
def load(entry: ModelEntry) -> Family | DenseVaeFamily:
    """The working model. Raises CorruptWeights if its file is missing or altered."""
    from latentcodec.families.load import load as load_weights

    try:
        weights = (_FOLDER / entry.file).read_bytes()
    except OSError as error:
        raise CorruptWeights(f"the weights of {entry.name} cannot be read: {error}") from error
    if hashlib.sha256(weights).hexdigest() != entry.sha256:
        raise CorruptWeights(f"the weights of {entry.name} are altered: their hash does not match")
    return load_weights(weights)
