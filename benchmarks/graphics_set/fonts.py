"""The machine's fonts on one side of the split."""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path
from random import Random

from fontTools.ttLib import TTFont, TTLibError
from matplotlib import font_manager
from PIL import ImageFont

from .split import Split

_ASCII = frozenset(range(0x20, 0x7F))
_LEAST_TYPEFACES = 4
# Families of Noto and STIX that repeat the Latin letters of their first one.
_REPEATED = ("Noto Sans ", "Noto Serif ", "Noto Naskh ", "Noto Kufi ", "STIX")


_UNREADABLE = {"Symbols", "Keyboard", "Initials", "Dingbats"}  # pictures in the place of letters


class TooFewFonts(Exception):
    """The machine's fonts do not suffice for a set."""


@dataclasses.dataclass(frozen=True)
class Font:
    """A font file: `letters` are characters that it has, ASCII where it has all of that."""

    path: str
    family: str
    style: str
    fixed_width: bool
    letters: str

    def at(self, size_px: float) -> ImageFont.FreeTypeFont:
        """The font at a size."""
        return ImageFont.truetype(self.path, size_px, layout_engine=ImageFont.Layout.BASIC)


@dataclasses.dataclass(frozen=True)
class Fonts:
    """`latin` has ASCII; `scripts` letters of other scripts; `symbols` pictures."""

    latin: list[Font]
    scripts: list[Font]
    symbols: list[Font]

    @classmethod
    def of(cls, split: Split) -> Fonts:
        """Raises TooFewFonts."""
        found = [f for f in map(_read, sorted(font_manager.findSystemFonts())) if f]
        ours = [font for font in found if split.typeface(font.family)]
        latin = [
            font
            for font in ours
            if font.letters.isascii() and not font.family.startswith(_REPEATED)
        ]
        typefaces = {font.family.split()[0] for font in latin}
        fixed = {font.family for font in latin if font.fixed_width}
        if len(typefaces) < _LEAST_TYPEFACES or not fixed:
            raise TooFewFonts(
                f"the {split.name} set needs {_LEAST_TYPEFACES} typefaces with Latin letters, one "
                f"of them of fixed width, and this machine has {sorted(typefaces)}; Debian's "
                "fonts-dejavu, fonts-liberation, fonts-roboto, fonts-hack, fonts-vollkorn, "
                "fonts-cantarell, fonts-lato and fonts-noto-core are enough"
            )
        others = [font for font in ours if not font.letters.isascii()]
        return cls(
            latin,
            [font for font in others if font.letters[0] < "\ue000"],
            [font for font in others if font.letters[0] >= "\ue000"],
        )

    def pick(self, random: Random, fixed_width: bool | None = None) -> Font:
        """A font with Latin letters, every typeface as likely as the next."""
        by_typeface = collections.defaultdict(list)
        for font in self.latin:
            if fixed_width is None or font.fixed_width == fixed_width:
                by_typeface[font.family.split()[0]].append(font)
        return random.choice(by_typeface[random.choice(sorted(by_typeface))])


def _read(path: str) -> Font | None:
    """None for what Pillow or a browser may not draw (bitmap and Type 1 fonts)."""
    if Path(path).suffix.lower() not in {".ttf", ".otf"}:
        return None
    try:
        with TTFont(path, lazy=True) as file:
            characters = set(file.getBestCmap() or ())
            names = file["name"]
            family = names.getBestFamilyName()
            style = names.getBestSubFamilyName() or "Regular"
            fixed = bool(file["post"].isFixedPitch)
    except (TTLibError, KeyError, AttributeError):
        return None
    if characters >= _ASCII and not _UNREADABLE & set(family.split()):
        letters = "".join(map(chr, sorted(_ASCII)))
        return Font(path, family, style, fixed or "Mono" in family, letters)
    drawn = [chr(c) for c in sorted(characters) if c > 0x2FF and (chr(c).isalpha() or 0xE000 <= c < 0xF8FF)]
    return Font(path, family, style, False, "".join(drawn)) if len(drawn) >= 40 else None
