"""What belongs to the training set and what to the benchmark: nothing belongs to both."""

from __future__ import annotations

import dataclasses

# Typefaces (first words of family names) that only the benchmark may use, so that a font on
# any machine is on the same side of the split.
_HELD_OUT_TYPEFACES = frozenset({"Liberation", "Roboto", "Hack", "EB", "Vollkorn", "Cantarell"})
_HELD_OUT_PAGES = frozenset({"limits", "reliability", "faq", "ae-vs-vae"})
_HELD_OUT_PLOT_STYLES = frozenset({"bmh", "Solarize_Light2", "seaborn-v0_8-ticks", "tableau-colorblind10"})
_HELD_OUT_COLOUR_MAPS = frozenset({"cividis", "RdYlBu", "terrain", "PuBuGn", "afmhot"})
_HELD_OUT_CODE_STYLES = frozenset({"solarized-dark", "friendly", "nord", "xcode"})


@dataclasses.dataclass(frozen=True)
class Split:
    """One side: `name` is part of every seed, `held_out` says which side it is."""

    name: str
    held_out: bool

    def typeface(self, family: str) -> bool:
        """Whether fonts of this family are on this side."""
        return (family.split()[0] in _HELD_OUT_TYPEFACES) == self.held_out

    def page(self, stem: str) -> bool:
        """Whether the page of the documentation with this stem is on this side."""
        return (stem in _HELD_OUT_PAGES) == self.held_out

    def module(self, stem: str) -> bool:
        """Whether the source file with this stem is on this side: one in four is held out."""
        return (sum(stem.encode()) % 4 == 0) == self.held_out

    def plot_style(self, name: str) -> bool:
        """Whether the style sheet of matplotlib is on this side."""
        return (name in _HELD_OUT_PLOT_STYLES) == self.held_out

    def colour_map(self, name: str) -> bool:
        """Whether the colour map of matplotlib is on this side."""
        return (name in _HELD_OUT_COLOUR_MAPS) == self.held_out

    def code_style(self, name: str) -> bool:
        """Whether the style of Pygments is on this side."""
        return (name in _HELD_OUT_CODE_STYLES) == self.held_out


SPLITS = {split.name: split for split in (Split("training", False), Split("benchmark", True))}
