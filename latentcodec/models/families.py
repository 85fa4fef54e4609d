"""The families of models, a row each: where the parts of each are, and its sizes.

Parts are named here and imported when they are asked for: who decodes needs no training, and who
asks for the options of `train` no torch.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from latentcodec.models.config import Config, DenseConfig, HyperConfig, TransformConfig

# "small" is for rehearsals and tests: the same code in seconds.
_SIZES: dict[str, dict[str, Any]] = {
    "base": {"expansion_8": 1.75, "expansion_16": 1},
    "small": {
        "channels_8": 32,
        "channels_16": 48,
        "blocks_8": 1,
        "blocks_16": 1,
        "synthesis_blocks_8": 2,
        "synthesis_blocks_16": 1,
        "latents": 192,
        "hyper_latents": 16,
        "hyper_channels": 32,
        "context_channels": 32,
        "channels_fine": 16,
        "channels_coarse": 24,
        "blocks": 1,
    },
}
_HYPER_SIZES: dict[str, dict[str, Any]] = {
    "base": {
        "channels_16": 320,
        "blocks_16": 4,
        "synthesis_blocks_8": 4,
        "synthesis_blocks_16": 4,
        "expansion_8": 2,
        "expansion_16": 1.5,
        "activation": "hardswish",
        "block_biases": False,
        "latents": 512,
        "lapped": True,
        "context_channels": 192,
        "context_blocks": 3,
        "context_expansion": 1.5,
    },
    "small": {
        "activation": "hardswish",
        "block_biases": False,
        "lapped": True,
        "context_blocks": 2,
    },
}
SIZES = tuple(_SIZES)


@dataclasses.dataclass(frozen=True)
class FamilyRow:
    """One family.

    config: what its sizes are. model: the Module that is trained, with `config`,
    `start(photographs)` and `forward(x, level) -> Output`. runtime: a packaged one at work.
    exporter, restorer: what packaging adds to the transforms, and how that is undone; see
    `training/packaging.py`. augmentation: how its crops are cut, if not as textures for a codec.
    """

    config: type[Config]
    model: str
    runtime: str
    exporter: str = ""
    restorer: str = ""
    augmentation: str = ""
    sizes: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)


FAMILIES = {
    "hyper": FamilyRow(
        config=HyperConfig,
        model="models.hyper.HyperModel",
        runtime="runtime.hyper.HyperFamily",
        exporter="training.packaging.export_hyper",
        restorer="training.packaging.restore_hyper",
        sizes=_HYPER_SIZES,
    ),
    "ae": FamilyRow(
        config=TransformConfig,
        model="models.autoencoder.Autoencoder",
        runtime="runtime.factorized.FactorizedFamily",
        exporter="training.packaging.export_ae",
    ),
    "vae": FamilyRow(
        config=TransformConfig,
        model="models.vae.VariationalAutoencoder",
        runtime="runtime.vae.VaeFamily",
        exporter="training.packaging.export_vae",
        restorer="training.packaging.restore_vae",
    ),
    "vae64": FamilyRow(
        config=DenseConfig,
        model="models.dense_vae.DenseVae",
        runtime="runtime.dense_vae.DenseVaeFamily",
        augmentation="training.data.WHOLE_SCENES",
    ),
}


def part(family: str, name: str) -> Any:
    """A part of a family, by its field of the row; None where the family has none.

    Raises KeyError for another family.
    """
    module, _, attribute = str(getattr(FAMILIES[family], name)).rpartition(".")
    return getattr(importlib.import_module(f"latentcodec.{module}"), attribute) if module else None


def config_of(family: str, values: dict[str, Any]) -> Config:
    """The configuration of a family from stored values. Raises TypeError for unknown ones."""
    return FAMILIES[family].config(**values)


def sized(family: str, size: str) -> Config:
    """The configuration of one of SIZES."""
    row = FAMILIES[family]
    known = {field.name for field in dataclasses.fields(row.config)}
    sizes = {**_SIZES[size], **row.sizes.get(size, {})}
    return row.config(**{k: v for k, v in sizes.items() if k in known})


def build(family: str, config: Config) -> Any:
    """An untrained model."""
    return part(family, "model")(config)
