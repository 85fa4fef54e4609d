"""How each codec looks, the same in every plot and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A colour as #rrggbb, and a marker by matplotlib's letter."""

    color: str
    marker: str


# Dashes are for what others published. Markers differ from codec to codec, so that the curves can
# be told apart without colour.
_STYLES = {
    "lat": Style("#000000", "o"),
    "lat:psnr": Style("#c000c0", "p"),
    "lat:hyper": Style("#404040", "8"),
    "lat:ae": Style("#7a3db8", "P"),
    "lat:vae": Style("#1f77b4", "X"),
    "jpeg": Style("#d62728", "s"),
    "jpeg:444": Style("#ff7f0e", "^"),
    "jpegli": Style("#b0003a", "H"),
    "webp": Style("#2ca02c", "D"),
    "avif": Style("#1f77b4", "v"),
    "avif:2": Style("#9467bd", "x"),
    "avif:psnr:444:2": Style("#0b3c7a", "1"),
    "jxl": Style("#8c564b", "*"),
    "jxl:9": Style("#4f2d25", "d"),
    "jpeg2000": Style("#e377c2", "<"),
    "heic": Style("#17becf", ">"),
    "heic:psnr:444": Style("#0f6f7a", "h"),
}
_OTHERS = (
    Style("#7f7f00", "+"),
    Style("#005f5f", "3"),
    Style("#b00060", "4"),
    Style("#5050ff", "2"),
)


def styles(names: Sequence[str]) -> dict[str, Style]:
    """A style for each name: its own, or for an unknown codec one that no other has, if any."""
    unknown = [name for name in names if name not in _STYLES]
    given = {name: _OTHERS[place % len(_OTHERS)] for place, name in enumerate(unknown)}
    return {name: _STYLES.get(name) or given[name] for name in names}
