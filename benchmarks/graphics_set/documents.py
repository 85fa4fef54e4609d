"""Pages of the project's documentation as HTML, in many styles."""

from __future__ import annotations

from random import Random

import markdown

from graphics_set.palette import css, theme
from graphics_set.sources import Sources
from graphics_set.stylesheet import page

_EXTENSIONS = ["tables", "fenced_code", "sane_lists"]
_COLUMNS = (
    "max-width:46em;margin:auto",
    "max-width:none",
    "columns:2;column-gap:2em",
    "max-width:38em;margin-left:3em;text-align:justify",
)
_TOUCHES = (
    "",
    "p::first-letter{font-size:1.6em}",
    "h2{border-bottom:2px solid}",
    "p{text-indent:1.5em;margin:0}",
)


def document(random: Random, sources: Sources, number: int) -> str:
    """A page of the documentation, in turn, from a random heading on."""
    pages = sorted(sources.corpus.pages)
    parts = sources.corpus.pages[pages[number % len(pages)]].split("\n## ")
    start = random.randrange(len(parts))
    # Round and round, so that no screen is too large for it.
    text = "\n\n## ".join((parts[start:] + parts[:start]) * 2)
    colours = theme(random)
    rules = (
        f"main{{{random.choice(_COLUMNS)}}} h2{{color:{css(colours.accents[0])}}} "
        f"pre{{background:{css(colours.surface)};padding:.8em}} {random.choice(_TOUCHES)}"
    )
    content = markdown.markdown(text, extensions=_EXTENSIONS)
    return page(random, sources, colours, f"<main>{content}</main>", rules)
