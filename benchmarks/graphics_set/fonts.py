"""The machine's fonts on one side of the split."""

from __future__ import annotations

import collections
import dataclasses
import logging
from pathlib import Path
from random import Random

from fontTools.ttLib import TTFont, TTLibError
from matplotlib import font_manager
from PIL import ImageFont

from graphics_set.split import Split

# Some fonts have odd numbers in them, of which fontTools warns; their letters are sound.
logging.getLogger("fontTools").setLevel(logging.ERROR)

_ASCII = frozenset(range(0x20, 0x7F))
_PRIVATE_USE = range(0xE000, 0xF900)  # where fonts of icons have them
_LEAST_TYPEFACES = 4
_LEAST_LETTERS = 40
# Families of Noto and STIX that repeat the Latin letters of the first one.
_REPEATED = ("Noto Sans ", "Noto Serif ", "Noto Naskh ", "Noto Kufi ", "STIX")
_UNREADABLE = {
    "Symbols",
    "Keyboard",
    "Initials",
    "Dingbats",
    "D050000L",
}  # pictures in place of letters


class TooFewFonts(Exception):
    """The machine's fonts do not suffice for a set."""


@dataclasses.dataclass(frozen=True)
class Font:
    """A font file. `letters` are characters that it has: ASCII where it has all of that."""

    path: str
    family: str
    style: str
    fixed_width: bool
    letters: str

    def at(self, size_px: float) -> ImageFont.FreeTypeFont:
        """The font at a size, laid out by Pillow alone, which every build of it can."""
        return ImageFont.truetype(self.path, size_px, layout_engine=ImageFont.Layout.BASIC)


@dataclasses.dataclass(frozen=True)
class Fonts:
    """`latin` has ASCII, `scripts` the letters of other scripts, `icons` pictures."""

    latin: list[Font]
    scripts: list[Font]
    icons: list[Font]

    @classmethod
    def of(cls, split: Split) -> Fonts:
        """The fonts on this side of the split; those with ASCII are made known to matplotlib.

        Raises:
            TooFewFonts: There are not enough of them for a varied set.
        """
        found = [font for font in map(_read, sorted(font_manager.findSystemFonts())) if font]
        ours = [font for font in found if split.has_typeface(font.family)]
        latin = [
            font
            for font in ours
            if font.letters.isascii() and not font.family.startswith(_REPEATED)
        ]
        _check(latin, split)
        known = {entry.fname for entry in font_manager.fontManager.ttflist}
        for font in latin:
            if font.path not in known:
                font_manager.fontManager.addfont(font.path)
        others = [font for font in ours if not font.letters.isascii()]
        icons = [font for font in others if ord(font.letters[0]) in _PRIVATE_USE]
        return cls(latin, [font for font in others if font not in icons], icons)

    def choose(self, random: Random, fixed_width: bool | None = None) -> Font:
        """A font with ASCII, every typeface as likely as the next."""
        by_typeface = collections.defaultdict(list)
        for font in self.latin:
            if fixed_width is None or font.fixed_width == fixed_width:
                by_typeface[_typeface(font)].append(font)
        return random.choice(by_typeface[random.choice(sorted(by_typeface))])

    def siblings(self, font: Font) -> dict[str, Font]:
        """Bold and italic fonts of the same family, by style."""
        styles = ("Bold", "Italic", "Bold Italic")
        return {f.style: f for f in self.latin if f.family == font.family and f.style in styles}


def _typeface(font: Font) -> str:
    return font.family.split()[0]


def _check(latin: list[Font], split: Split) -> None:
    typefaces = sorted({_typeface(font) for font in latin})
    if len(typefaces) >= _LEAST_TYPEFACES and any(font.fixed_width for font in latin):
        return
    names = ", ".join(typefaces) or "none"
    raise TooFewFonts(
        f"the {split.name} set needs {_LEAST_TYPEFACES} typefaces with Latin letters, one of them "
        f"of fixed width, and this machine has {len(typefaces)} ({names}); "
        "Debian's fonts-dejavu, fonts-noto-core, fonts-lato and fonts-freefont-ttf are enough for "
        "the training set, and fonts-liberation, fonts-roboto, fonts-hack, fonts-vollkorn and "
        "fonts-cantarell for the benchmark"
    )


def _read(path: str) -> Font | None:
    """None for what is no font with outlines, or has too few letters."""
    if Path(path).suffix.lower() not in {".ttf", ".otf"}:
        return None
    try:
        with TTFont(path, lazy=True) as file:
            glyphs = file.getBestCmap() or {}
            family = file["name"].getBestFamilyName()
            style = file["name"].getBestSubFamilyName() or "Regular"
            widths = {file["hmtx"][glyphs[ord(c)]] for c in "iM" if ord(c) in glyphs}
            unreadable = not _UNREADABLE.isdisjoint(family.split())
    except (TTLibError, KeyError, AttributeError):  # broken, or without a name
        return None
    if glyphs.keys() >= _ASCII and not unreadable:
        letters = [chr(code) for code in sorted(_ASCII)]
    else:
        letters = [chr(code) for code in sorted(glyphs) if _is_letter(code)]
    if len(letters) < _LEAST_LETTERS:
        return None
    return Font(path, family, style, len({advance for advance, _ in widths}) == 1, "".join(letters))


def _is_letter(code: int) -> bool:
    return code > 0x2FF and (chr(code).isalpha() or code in _PRIVATE_USE)
