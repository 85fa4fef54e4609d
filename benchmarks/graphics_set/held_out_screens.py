"""Screens whose layout only the benchmark has."""

from __future__ import annotations

import html
from random import Random

from graphics_set.corpus import number
from graphics_set.palette import Theme, css, mix
from graphics_set.sources import Sources


def _spreadsheet(random: Random, sources: Sources, colours: Theme) -> str:
    """A grid of numbers with lettered columns, some cells shaded by their value."""
    columns = [chr(ord("A") + k) for k in range(random.randint(8, 20))]
    ruler = css(colours.border)
    head = "".join(f"<th style='border:1px solid {ruler}'>{name}</th>" for name in columns)
    shaded = {name for name in columns if random.random() < 0.25}
    rows = []
    for row in range(1, 70):
        cells = f"<th style='border:1px solid {ruler}'>{row}</th>"
        for name in columns:
            tint = mix(colours.background, colours.accents[0], random.random() * 0.7)
            fill = f"background:{css(tint)};" if name in shaded else ""
            value = number(random) if random.random() < 0.8 else ""
            cells += f"<td style='{fill}border:1px solid {ruler};text-align:right'>{value}</td>"
        rows.append(f"<tr>{cells}</tr>")
    return f"<table style='font-size:.85em'><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _board(random: Random, sources: Sources, colours: Theme) -> str:
    """Columns of cards with coloured labels and bars of progress."""
    columns = []
    for _ in range(5):
        cards = []
        for _ in range(12):
            ink = css(random.choice(colours.accents))
            text = html.escape(sources.corpus.sentence(random))
            tag = html.escape(sources.corpus.label(random, 1))
            cards.append(
                f"<div class=card style='border-left:4px solid {ink}'>{text}<br>"
                f"<span class=block style='background:{ink}'>{tag}</span>"
                f"<div style='height:4px;width:{random.randrange(100)}%;background:{ink};"
                "margin-top:6px'></div></div>"
            )
        title = html.escape(sources.corpus.label(random, 2))
        columns.append(f"<div style='flex:1'><h3>{title}</h3>{''.join(cards)}</div>")
    return f"<div class=row>{''.join(columns)}</div>"


BODIES = (_spreadsheet, _board)
