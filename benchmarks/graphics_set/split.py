"""What belongs to the training set and what to the benchmark: nothing belongs to both."""

from __future__ import annotations

import dataclasses

# Typefaces (first words of the names of families), so that a font is on the same side on every
# machine.
_TYPEFACES = frozenset({"Liberation", "Roboto", "Hack", "EB", "Vollkorn", "Cantarell"})
_PAGES = frozenset({"limits", "reliability", "faq", "ae-vs-vae"})
_PLOT_STYLES = frozenset({"bmh", "Solarize_Light2", "seaborn-v0_8-ticks", "tableau-colorblind10"})
_COLOUR_MAPS = frozenset({"cividis", "RdYlBu", "terrain", "PuBuGn", "afmhot"})
_CODE_STYLES = frozenset({"solarized-dark", "friendly", "nord", "xcode"})
_EVERY = 4  # of the project's source files, one in so many is held out


@dataclasses.dataclass(frozen=True)
class Split:
    """One side. `name` is part of every seed; the benchmark's is the held-out one."""

    name: str
    held_out: bool

    def has_typeface(self, family: str) -> bool:
        """Whether the fonts of a family are on this side."""
        return (family.split()[0] in _TYPEFACES) == self.held_out

    def has_page(self, stem: str) -> bool:
        """Whether the page docs/STEM.md is on this side."""
        return (stem in _PAGES) == self.held_out

    def has_module(self, stem: str) -> bool:
        """Whether source files called STEM.py are on this side."""
        return (sum(stem.encode()) % _EVERY == 0) == self.held_out

    def has_plot_style(self, name: str) -> bool:
        """Whether the style sheet of matplotlib is on this side."""
        return (name in _PLOT_STYLES) == self.held_out

    def has_colour_map(self, name: str) -> bool:
        """Whether the colour map of matplotlib is on this side."""
        return (name in _COLOUR_MAPS) == self.held_out

    def has_code_style(self, name: str) -> bool:
        """Whether the style of Pygments is on this side."""
        return (name in _CODE_STYLES) == self.held_out


SPLITS = {split.name: split for split in (Split("training", False), Split("benchmark", True))}
