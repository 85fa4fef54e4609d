"""Style sheets for pages: typefaces, colours, borders and distances from a seed."""

from __future__ import annotations

from pathlib import Path
from random import Random

from graphics_set.fonts import Font, Fonts
from graphics_set.palette import Theme, css, mix
from graphics_set.sources import Sources

_SHADOWS = ("none", "none", "0 1px 3px rgba(0,0,0,.4)", "0 6px 20px rgba(0,0,0,.25)")
_STYLES = {
    "Bold": "font-weight:700",
    "Italic": "font-style:italic",
    "Bold Italic": "font-weight:700;font-style:italic",
}


def page(random: Random, sources: Sources, colours: Theme, content: str, rules: str = "") -> str:
    """A whole page of HTML: `content` in a style made for it, with more `rules` at the end."""
    fonts = sources.fonts
    faces = _faces("body", fonts.choose(random), fonts)
    faces += _faces("heading", fonts.choose(random), fonts)
    faces += _faces("code", fonts.choose(random, fixed_width=True), fonts)
    ground = css(colours.background)
    if random.random() < 0.12:
        tinted = css(mix(colours.background, colours.accents[0], 0.35))
        ground = f"linear-gradient({random.randrange(360)}deg,{ground},{tinted}) no-repeat"
    size_px, leading = random.choice((11, 12, 13, 14, 15, 16, 18)), random.uniform(1.25, 1.7)
    return f"""<!doctype html><meta charset=utf-8><style>{faces}
*{{box-sizing:border-box}} html{{background:{css(colours.background)}}}
body{{margin:0;background:{ground};font:{size_px}px/{leading:.2f} body;color:{css(colours.text)}}}
h1,h2,h3,th{{font-family:heading;margin:.4em 0}} code,pre,.code{{font-family:code}}
{_parts(random, colours)}{rules}</style>{content}"""


def _faces(name: str, font: Font, fonts: Fonts) -> str:
    """The files of a font, so that no other one of the machine is taken for it."""
    files = {"": font, **{_STYLES[s]: sibling for s, sibling in fonts.siblings(font).items()}}
    return "".join(
        f"@font-face{{font-family:{name};src:url('{Path(f.path).as_uri()}');{style}}}\n"
        for style, f in files.items()
    )


def _parts(random: Random, colours: Theme) -> str:
    """Rules for the parts of screens."""
    gap, radius = random.choice((4, 8, 12, 18)), random.choice((0, 0, 3, 6, 14))
    accent, second = map(css, random.sample(colours.accents, 2))
    line = f"1px solid {css(colours.border)}"
    stripe = css(random.choice((colours.surface, colours.background)))
    return f"""a{{color:{accent}}} .muted{{color:{css(colours.muted)}}}
input,textarea,select,button{{font:inherit;border-radius:{radius}px;padding:{gap // 2}px {gap}px}}
input,textarea,select{{border:{line};width:100%}}
.bar,.side,.card,th,input,textarea,select{{background:{css(colours.surface)};color:inherit}}
.row{{display:flex}} main{{flex:1;padding:{gap}px;min-width:0}}
.bar{{display:flex;gap:{gap}px;padding:{gap}px;border-bottom:{line}}}
.side{{width:{random.randint(120, 240)}px;padding:{gap}px;border-right:{line}}}
.card{{border:{line};border-radius:{radius}px;padding:{gap}px;margin:{gap}px;
box-shadow:{random.choice(_SHADOWS)}}}
.grid{{display:grid;grid-template-columns:repeat({random.randint(2, 4)},1fr)}}
button{{background:{accent};color:{css(colours.background)};border:0;margin:2px}}
.ghost{{background:none;color:{second};border:1px solid {second}}}
.block{{border-radius:{radius}px;padding:2px {gap}px;overflow:hidden;white-space:nowrap;
color:{css(colours.background)}}}
table{{border-collapse:collapse;width:100%}} td,th{{text-align:left;padding:{gap // 2}px {gap}px;
border:{random.choice((0, 1))}px solid {css(colours.border)};border-bottom-width:1px}}
tr:nth-child(even) td{{background:{stripe}}}
.dot{{width:2.4em;height:2.4em;border-radius:50%;flex:none;display:inline-block}}
.big{{font-size:2.1em;font-weight:700}} .mine{{background:{accent};
color:{css(colours.background)};margin-left:30%}} .theirs{{margin-right:30%}}
.swatch{{height:{random.randint(60, 200)}px;border-radius:{radius}px}}
"""
