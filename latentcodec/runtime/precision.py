"""Where bfloat16 is used: in the transforms, and in products of the prior that it does not change.

bfloat16 has the range of float32 and 8 bits of precision. The transforms' features and weights
keep it where the processor multiplies it natively; what is a sum over the whole picture, the
linear shortcut, stays in float32. Decoded samples change by one grey level at most, and latents,
which the exact prior gives, never.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from latentcodec.errors import LatError

if TYPE_CHECKING:
    import torch

VARIABLE = "LATENTCODEC_PRECISION"
_PRECISIONS = ("auto", "float32", "bfloat16")

_is_whole_process = False


def prefers_bfloat16(device: str | torch.device) -> bool:
    """Whether bfloat16 pays on `device`: where it is multiplied natively, by AVX-512 BF16 for one.

    Measured on two cores with AVX-512 BF16: a training step takes half the time of float32.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and torch.cpu._is_avx512_bf16_supported()


def dtype_of(device: str | torch.device) -> torch.dtype:
    """What the transforms' features have on `device`, unless LATENTCODEC_PRECISION names another.

    Raises LatError for another value of that variable.
    """
    import torch

    wanted = os.environ.get(VARIABLE) or "auto"
    if wanted not in _PRECISIONS:
        raise LatError(f"{VARIABLE} must be one of {', '.join(_PRECISIONS)}, not {wanted!r}")
    if wanted == "bfloat16" or (wanted == "auto" and prefers_bfloat16(device)):
        return torch.bfloat16
    return torch.float32


def use_whole_process() -> None:
    """Say that nothing else in this process needs float32 products of full precision.

    torch has one setting for all of a process's products: `set_float32_matmul_precision`. With
    "medium" factors are rounded to bfloat16, where that is fast. The prior's factors are integers
    that bfloat16 holds, so that nothing changes but the time.
    """
    global _is_whole_process
    _is_whole_process = True
    if "torch" in sys.modules:
        round_factors()


def keep_factors() -> None:
    """From now on, full precision after all: for a model whose pixels rounded factors would change.

    Others lose nothing but time.
    """
    global _is_whole_process
    if _is_whole_process:
        import torch

        _is_whole_process = False
        torch.set_float32_matmul_precision("highest")


def round_factors() -> None:
    """Set torch as `use_whole_process` has it, where that was said and bfloat16 is used."""
    import torch

    if _is_whole_process and dtype_of("cpu") == torch.bfloat16:
        torch.set_float32_matmul_precision("medium")
