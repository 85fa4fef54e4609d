"""Everything that can be wrong, one class each. Every message is one sentence for a person."""

from __future__ import annotations

import sys
import warnings


class LatError(Exception):
    """Base of every error that latentcodec raises for bad input.

    index: of what was given as a batch, the item that is wrong.
    """

    index: int | None = None


class NotALatFile(LatError):
    """The data does not begin with the signature."""


class UnsupportedVersion(LatError):
    """The file was written in a later version of the format."""


class CorruptHeader(LatError):
    """A header field has an illegal value, or the header's checksum is wrong."""


class TruncatedFile(LatError):
    """The data ends before the file does."""


class CorruptChunk(LatError):
    """A chunk has an illegal length, order or checksum."""


class UnknownChunk(LatError):
    """A chunk that a decoder must understand is not known."""


class TrailingData(LatError):
    """Bytes follow the last chunk."""


class CorruptPayload(LatError):
    """A tile's payload passes its checksum but no encoder wrote it."""


class CorruptAlpha(LatError):
    """A tile's transparency passes its checksum but no encoder wrote it."""


class UnknownModel(LatError):
    """The model that a file or a caller names is not in this installation."""


class CorruptWeights(LatError):
    """A weights file is damaged, altered, or breaks the exactness bound."""


class UnsupportedImage(LatError):
    """The picture cannot be encoded: not an image, or of a kind that would lose data."""


class LimitExceeded(LatError):
    """The picture is larger than the format or the decoder's limit allows."""


class GoalMissed(LatError):
    """No quality makes the file as small, or the picture as faithful, as was wanted."""


class VerificationFailed(LatError):
    """A file that was just encoded does not decode to the encoder's latents."""


class LossWarning(UserWarning):
    """Something of a picture, or of its metadata, is not kept."""


def warn_of_loss(message: str) -> None:
    """Give a LossWarning, which points at the line that called this package."""
    level, frame = 1, sys._getframe()
    # Pillow's frames lie between where it saves or opens by the plugin.
    passed = (__package__, "PIL")
    while frame.f_back and frame.f_globals["__name__"].split(".")[0] in passed:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, LossWarning, stacklevel=level)
