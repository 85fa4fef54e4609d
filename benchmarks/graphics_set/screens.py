"""Screens of programs as HTML: code, terminals, tables, forms, chats, dashboards, shops."""

from __future__ import annotations

import html
from collections.abc import Callable
from random import Random

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.styles import get_all_styles

from . import charts
from .palette import Theme, css, mix, theme
from .sources import Sources
from .words import number

Body = Callable[[Random, Sources, Theme], str]


def screen(random: Random, sources: Sources) -> str:
    """The HTML of one screen: a program's bar, perhaps a side bar, and its content."""
    colours = theme(random)
    body = random.choice(BODIES)
    content = body(random, sources, colours)
    side = _side(random, sources) if random.random() < 0.4 else ""
    bar = _bar(random, sources) if random.random() < 0.6 else ""
    return page(random, sources, colours, f"{bar}<div class=row>{side}<main>{content}</main></div>")


def page(random: Random, sources: Sources, colours: Theme, content: str, more: str = "") -> str:
    """`content` in the typefaces and colours of a style sheet made for it."""
    body, head = sources.fonts.pick(random), sources.fonts.pick(random)
    mono = sources.fonts.pick(random, fixed_width=True)
    radius, gap = random.choice((0, 0, 3, 6, 14)), random.choice((4, 8, 12, 18))
    shadow = random.choice(("none", "none", "0 1px 3px rgba(0,0,0,.4)", "0 6px 20px rgba(0,0,0,.25)"))
    accent, second = map(css, random.sample(colours.accents, 2))
    ground = css(colours.background)
    if random.random() < 0.12:
        tinted = css(mix(colours.background, colours.accents[0], 0.35))
        ground = f"linear-gradient({random.randrange(360)}deg,{ground},{tinted}) no-repeat"
    return f"""<!doctype html><meta charset=utf-8><style>
*{{box-sizing:border-box}} body{{margin:0;background:{ground};color:{css(colours.text)};
font:{random.choice((11, 12, 13, 14, 15, 16, 18))}px/{random.uniform(1.25, 1.7):.2f} '{body.family}'}}
html{{background:{css(colours.background)}}} h1,h2,h3,th{{font-family:'{head.family}';margin:.4em 0}}
code,pre,.mono{{font-family:'{mono.family}'}} a{{color:{accent}}}
.row{{display:flex}} main{{flex:1;padding:{gap}px;min-width:0}}
.bar,.side,.card,th,input,textarea,select{{background:{css(colours.surface)};color:inherit}}
.bar{{display:flex;gap:{gap}px;padding:{gap}px;border-bottom:1px solid {css(colours.border)}}}
.side{{width:{random.randint(120, 240)}px;padding:{gap}px;min-height:1500px;
border-right:1px solid {css(colours.border)}}}
.card{{border:1px solid {css(colours.border)};border-radius:{radius}px;padding:{gap}px;
box-shadow:{shadow};margin:{gap}px}}
.grid{{display:grid;grid-template-columns:repeat({random.randint(2, 4)},1fr)}}
.button,button{{background:{accent};color:{css(colours.background)};border:0;border-radius:{radius}px;
padding:{gap // 2}px {gap}px;display:inline-block;margin:2px}} .ghost{{background:none;
color:{second};border:1px solid {second}}} .muted{{color:{css(colours.muted)}}}
table{{border-collapse:collapse;width:100%}} td,th{{text-align:left;padding:{gap // 2}px {gap}px;
border:{random.choice((0, 1))}px solid {css(colours.border)};border-bottom-width:1px}}
tr:nth-child(even) td{{background:{css(random.choice((colours.surface, colours.background)))}}}
input,textarea,select{{border:1px solid {css(colours.border)};border-radius:{radius}px;
padding:{gap // 2}px;width:100%;font:inherit}} .dot{{width:2.4em;height:2.4em;border-radius:50%;
flex:none;display:inline-block}} .big{{font-size:2.1em;font-weight:700}} .mine{{background:{accent};
color:{css(colours.background)};margin-left:30%}} .theirs{{margin-right:30%}}
.swatch{{height:{random.randint(60, 200)}px;border-radius:{radius}px}} {more}
</style>{content}"""


def _label(random: Random, sources: Sources, most: int = 3) -> str:
    return html.escape(sources.words.label(random, most))


def _bar(random: Random, sources: Sources) -> str:
    items = "".join(f"<span>{_label(random, sources, 1)}</span>" for _ in range(random.randint(3, 7)))
    return f"<div class=bar><b>{_label(random, sources, 2)}</b>{items}<button>{_label(random, sources, 1)}</button></div>"


def _side(random: Random, sources: Sources) -> str:
    items = "".join(f"<p>{_label(random, sources, 2)}</p>" for _ in range(random.randint(8, 50)))
    return f"<div class=side><h3>{_label(random, sources, 2)}</h3>{items}</div>"


def _code(random: Random, sources: Sources, colours: Theme) -> str:
    styles = sorted(name for name in get_all_styles() if sources.split.code_style(name))
    form = HtmlFormatter(
        style=random.choice(styles), noclasses=True, linenos=random.choice((False, "inline"))
    )
    code = highlight(sources.words.lines(random, 120), PythonLexer(), form)
    tabs = "".join(f"<span class=card>{_label(random, sources, 1)}.py</span>" for _ in range(3))
    return f"<div class=bar>{tabs}</div>{code}"


def _terminal(random: Random, sources: Sources, colours: Theme) -> str:
    lines = []
    for _ in range(90):
        ink = css(random.choice(colours.accents))
        line = html.escape(random.choice((sources.words.sentence(random), sources.words.lines(random, 1))))
        prompt = f"<b style='color:{ink}'>{_label(random, sources, 1).lower()}$</b> "
        lines.append(f"{random.choice((prompt, '', ''))}<span style='color:{random.choice((ink, 'inherit'))}'>{line}</span>")
    return f"<pre style='margin:0'>{chr(10).join(lines)}</pre>"


def _table(random: Random, sources: Sources, colours: Theme) -> str:
    columns = random.randint(3, 8)
    head = "".join(f"<th>{_label(random, sources, 2)}</th>" for _ in range(columns))
    kinds = [random.random() < 0.7 for _ in range(columns)]
    rows = "".join(
        "<tr>" + "".join(f"<td>{number(random) if k else _label(random, sources)}</td>" for k in kinds) + "</tr>"
        for _ in range(40)
    )
    return f"<h2>{_label(random, sources, 5)}</h2><table><tr>{head}</tr>{rows}</table>"


def _form(random: Random, sources: Sources, colours: Theme) -> str:
    fields = []
    for _ in range(40):
        label = _label(random, sources)
        field = random.choice((
            f"<input value='{_label(random, sources)}'>",
            f"<input placeholder='{_label(random, sources)}'>",
            f"<select><option>{_label(random, sources)}</select>",
            f"<textarea rows=3>{html.escape(sources.words.sentence(random))}</textarea>",
            f"<input type=checkbox checked style='width:auto'> {_label(random, sources)}",
            f"<input type=range value={random.randrange(100)}>",
            f"<progress value={random.random():.2f} style='width:100%'></progress>",
        ))
        fields.append(f"<p><label class=muted>{label}</label><br>{field}</p>")
    buttons = f"<button>{_label(random, sources, 1)}</button><button class=ghost>{_label(random, sources, 1)}</button>"
    half = len(fields) // 2
    return f"<h1>{_label(random, sources, 4)}</h1><div class=grid><div class=card>{''.join(fields[:half])}{buttons}</div><div class=card>{''.join(fields[half:])}</div></div>"


def _chat(random: Random, sources: Sources, colours: Theme) -> str:
    lines = []
    for _ in range(48):
        ink = css(random.choice(colours.accents))
        side = random.choice(("mine", "theirs"))
        text = html.escape(sources.words.paragraph(random, random.choice((20, 60, 200))))
        dot = f"<span class=dot style='background:{ink}'></span>"
        lines.append(f"<div class='row'>{dot if side == 'theirs' else ''}<div class='card {side}'>{text}</div></div>")
    return "".join(lines)


def _dashboard(random: Random, sources: Sources, colours: Theme) -> str:
    cards = []
    for _ in range(48):
        title = f"<div class=muted>{_label(random, sources, 2)}</div>"
        figure = f"<div class=big>{number(random)}</div>"
        chart = charts.chart(random, [css(c) for c in colours.accents])
        cards.append(f"<div class=card>{title}{random.choice((figure, chart, figure + chart, chart))}</div>")
    return f"<h1>{_label(random, sources, 3)}</h1><div class=grid>{''.join(cards)}</div>"


def _shop(random: Random, sources: Sources, colours: Theme) -> str:
    cards = []
    for _ in range(48):
        first, second = map(css, random.sample(colours.accents, 2))
        ground = random.choice((first, f"linear-gradient({random.randrange(360)}deg,{first},{second})"))
        text = html.escape(sources.words.sentence(random))
        cards.append(
            f"<div class=card><div class=swatch style='background:{ground}'></div>"
            f"<h3>{_label(random, sources)}</h3><p class=muted>{text}</p>"
            f"<b>${random.uniform(1, 900):.2f}</b> <button>{_label(random, sources, 1)}</button></div>"
        )
    return f"<div class=grid>{''.join(cards)}</div>"


def _inbox(random: Random, sources: Sources, colours: Theme) -> str:
    rows = []
    for _ in range(60):
        bold = random.choice(("700", "400", "400"))
        ink = css(random.choice(colours.accents))
        text = html.escape(sources.words.sentence(random))[:90]
        rows.append(
            f"<tr style='font-weight:{bold}'><td><span class=dot style='background:{ink};width:1em;"
            f"height:1em'></span> {_label(random, sources, 2)}</td><td>{_label(random, sources, 4)} "
            f"<span class=muted>{text}</span></td><td>{random.randint(0, 23)}:{random.randint(10, 59)}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _calendar(random: Random, sources: Sources, colours: Theme) -> str:
    days = []
    for day in range(1, 36):
        events = "".join(
            f"<div class=button style='display:block;overflow:hidden;white-space:nowrap;"
            f"background:{css(random.choice(colours.accents))}'>{_label(random, sources, 2)}</div>"
            for _ in range(random.choice((0, 0, 1, 2)))
        )
        days.append(f"<td style='height:7.5em;vertical-align:top'>{(day - 1) % 31 + 1}{events}</td>")
    weeks = "".join(f"<tr>{''.join(days[k : k + 7])}</tr>" for k in range(0, 35, 7))
    return f"<h2>{_label(random, sources, 2)}</h2><table style='table-layout:fixed'>{weeks}</table>"


BODIES: tuple[Body, ...] = (
    _code, _code, _terminal, _table, _form, _chat, _dashboard, _dashboard, _shop, _inbox, _calendar,
)
