"""Screens of programs as HTML: code, terminals, tables, forms, chats, dashboards, shops.

They are longer than any screen; what does not fit is cut off.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from random import Random

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import HtmlLexer, MarkdownLexer, PythonLexer
from pygments.styles import get_all_styles

from graphics_set import held_out_screens
from graphics_set.charts import chart
from graphics_set.corpus import number
from graphics_set.palette import Theme, css, theme
from graphics_set.sources import Sources
from graphics_set.stylesheet import page

Body = Callable[[Random, Sources, Theme], str]


def screen(random: Random, sources: Sources, number: int) -> str:
    """The screen with a number: its content, perhaps under a bar or beside a list."""
    colours = theme(random)
    bodies = (held_out_screens.BODIES if sources.split.held_out else ()) + _BODIES
    body = bodies[number % len(bodies)](random, sources, colours)
    content = f"<main>{body}</main>"
    if random.random() < 0.4:
        names = "".join(f"<p>{_label(random, sources, 2)}</p>" for _ in range(40))
        content = f"<div class=side><h3>{_label(random, sources, 2)}</h3>{names}</div>{content}"
    content = f"<div class=row>{content}</div>"
    if random.random() < 0.6:
        names = "".join(f"<span>{_label(random, sources, 1)}</span>" for _ in range(6))
        button = f"<button>{_label(random, sources, 1)}</button>"
        content = (
            f"<div class=bar><b>{_label(random, sources, 2)}</b>{names}{button}</div>{content}"
        )
    return page(random, sources, colours, content)


def _label(random: Random, sources: Sources, words: int = 3) -> str:
    return html.escape(sources.corpus.label(random, words))


def _sentence(random: Random, sources: Sources) -> str:
    return html.escape(sources.corpus.sentence(random))


def _code(random: Random, sources: Sources, colours: Theme) -> str:
    styles = sorted(name for name in get_all_styles() if sources.split.has_code_style(name))
    kind = random.random()
    if kind < 0.6:
        text, lexer = sources.corpus.lines(random, 150), PythonLexer()
    elif kind < 0.8:
        text, lexer = _form(random, sources, colours).replace("><", ">\n<"), HtmlLexer()
    else:
        text, lexer = random.choice(sorted(sources.corpus.pages.values())), MarkdownLexer()
    form = HtmlFormatter(
        style=random.choice(styles), noclasses=True, linenos=random.choice((False, "inline"))
    )
    tabs = "".join(f"<span class=card>{_label(random, sources, 1)}</span>" for _ in range(3))
    return f"<div class=bar>{tabs}</div>{highlight(text, lexer, form)}"


def _terminal(random: Random, sources: Sources, colours: Theme) -> str:
    lines = []
    for _ in range(90):
        ink = random.choice((css(random.choice(colours.accents)), "inherit", "inherit"))
        source = html.escape(sources.corpus.lines(random, 1))
        line = random.choice((_sentence(random, sources), source))
        prompt = f"<b style='color:{ink}'>{_label(random, sources, 1).lower()}$</b> "
        lines.append(f"{random.choice((prompt, '', ''))}<span style='color:{ink}'>{line}</span>")
    return "<pre style='margin:0'>" + "\n".join(lines) + "</pre>"


def _table(random: Random, sources: Sources, colours: Theme) -> str:
    numeric = [random.random() < 0.7 for _ in range(random.randint(3, 8))]
    head = "".join(f"<th>{_label(random, sources, 2)}</th>" for _ in numeric)
    rows = []
    for _ in range(50):
        cells = (number(random) if column else _label(random, sources) for column in numeric)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<h2>{_label(random, sources, 5)}</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _form(random: Random, sources: Sources, colours: Theme) -> str:
    halves = []
    for _ in range(2):
        fields = "".join(_field(random, sources) for _ in range(20))
        button = f"<button>{_label(random, sources, 1)}</button>"
        ghost = f"<button class=ghost>{_label(random, sources, 1)}</button>"
        halves.append(f"<div class=card>{button}{ghost}{fields}</div>")
    return f"<h1>{_label(random, sources, 4)}</h1><div class=grid>{''.join(halves)}</div>"


def _field(random: Random, sources: Sources) -> str:
    label = _label(random, sources)
    field = random.choice(
        (
            f"<input value='{label}'>",
            f"<input placeholder='{label}'>",
            f"<select><option>{label}</select>",
            f"<textarea rows=3>{_sentence(random, sources)}</textarea>",
            f"<input type=checkbox checked style='width:auto'> {label}",
            f"<input type=range value={random.randrange(100)}>",
            f"<progress value={random.random():.2f} style='width:100%'></progress>",
        )
    )
    return f"<p><label class=muted>{_label(random, sources)}</label><br>{field}</p>"


def _chat(random: Random, sources: Sources, colours: Theme) -> str:
    lines = []
    for _ in range(40):
        text = html.escape(sources.corpus.paragraph(random, random.choice((20, 60, 200))))
        if random.random() < 0.5:
            lines.append(f"<div class=row><div class='card mine'>{text}</div></div>")
            continue
        ink = css(random.choice(colours.accents))
        dot = f"<span class=dot style='background:{ink}'></span>"
        lines.append(f"<div class=row>{dot}<div class='card theirs'>{text}</div></div>")
    return "".join(lines)


def _dashboard(random: Random, sources: Sources, colours: Theme) -> str:
    cards = []
    for _ in range(40):
        title = f"<div class=muted>{_label(random, sources, 2)}</div>"
        figure = f"<div class=big>{number(random)}</div>"
        drawn = chart(random, [css(colour) for colour in colours.accents])
        content = random.choice((figure, drawn, figure + drawn, drawn))
        cards.append(f"<div class=card>{title}{content}</div>")
    return f"<h1>{_label(random, sources, 3)}</h1><div class=grid>{''.join(cards)}</div>"


def _shop(random: Random, sources: Sources, colours: Theme) -> str:
    cards = []
    for _ in range(30):
        first, second = map(css, random.sample(colours.accents, 2))
        blend = f"linear-gradient({random.randrange(360)}deg,{first},{second})"
        swatch = f"<div class=swatch style='background:{random.choice((first, blend))}'></div>"
        text = f"<h3>{_label(random, sources)}</h3><p>{_sentence(random, sources)}</p>"
        price = f"<b>${random.uniform(1, 900):.2f}</b>"
        button = f"<button>{_label(random, sources, 1)}</button>"
        cards.append(f"<div class=card>{swatch}{text}{price} {button}</div>")
    return f"<div class=grid>{''.join(cards)}</div>"


def _inbox(random: Random, sources: Sources, colours: Theme) -> str:
    rows = []
    for _ in range(60):
        ink = css(random.choice(colours.accents))
        dot = f"<span class=dot style='background:{ink};width:1em;height:1em'></span>"
        text = f"{_label(random, sources, 4)} <span class=muted>{_sentence(random, sources)}</span>"
        cells = (f"{dot} {_label(random, sources, 2)}", text, f"{random.randint(0, 23)}:30")
        bold = random.choice(("700", "400", "400"))
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f"<tr style='font-weight:{bold}'>{row}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _calendar(random: Random, sources: Sources, colours: Theme) -> str:
    weeks = []
    for week in range(10):
        days = []
        for day in range(7):
            events = "".join(
                f"<div class=block style='background:{css(random.choice(colours.accents))}'>"
                f"{_label(random, sources, 2)}</div>"
                for _ in range(random.choice((0, 0, 1, 2)))
            )
            date = (7 * week + day) % 31 + 1
            days.append(f"<td style='height:7.5em;vertical-align:top'>{date}{events}</td>")
        weeks.append(f"<tr>{''.join(days)}</tr>")
    table = f"<table style='table-layout:fixed'>{''.join(weeks)}</table>"
    return f"<h2>{_label(random, sources, 2)}</h2>{table}"


_BODIES: tuple[Body, ...] = (
    *(_code, _dashboard, _chat, _table, _terminal, _form),
    *(_code, _dashboard, _shop, _inbox, _code, _calendar),
)
