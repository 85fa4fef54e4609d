"""Pages of the project's documentation as HTML, in many styles."""

from __future__ import annotations

from random import Random

import markdown

from .palette import css, theme
from .screens import page
from .sources import Sources

_EXTENSIONS = ["tables", "fenced_code", "sane_lists"]


def document(random: Random, sources: Sources) -> str:
    """A page of the documentation from a random heading on, in one column or two."""
    text = sources.words.pages[random.choice(sorted(sources.words.pages))]
    parts = text.split("\n## ")
    start = random.randrange(len(parts))
    # Round and round, so that no screen is too large for it.
    text = "\n\n## ".join((parts[start:] + parts[:start]) * 2)
    colours = theme(random)
    shape = random.choice((
        "max-width:46em;margin:auto",
        "max-width:none",
        "columns:2;column-gap:2em",
        "max-width:38em;margin-left:3em;text-align:justify",
    ))
    rules = f"main{{{shape}}} pre{{background:{css(colours.surface)};padding:.8em}} h2{{color:{css(colours.accents[0])}}}"
    rules += random.choice(("", "p::first-letter{font-size:1.6em}", "h2{border-bottom:2px solid}", "p{text-indent:1.5em;margin:0}"))
    content = markdown.markdown(text, extensions=_EXTENSIONS)
    return page(random, sources, colours, f"<main>{content}</main>", rules)
