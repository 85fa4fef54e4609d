"""Small charts of dashboards, as SVG."""

from __future__ import annotations

import math
from random import Random

_WIDE, _HIGH = 240, 90


def chart(random: Random, inks: list[str]) -> str:
    """A line, an area, bars, a ring or a gauge, as wide as its place."""
    drawn = random.choice((_line, _line, _bars, _bars, _ring, _gauge))(random, inks)
    return f"<svg viewBox='0 0 {_WIDE} {_HIGH}' width='100%'>{drawn}</svg>"


def _line(random: Random, inks: list[str]) -> str:
    drawn = ""
    for ink in inks[: random.randint(1, 3)]:
        y, points = _HIGH / 2, []
        for k in range(25):
            y = min(max(y + random.gauss(0, 9), 4), _HIGH - 4)
            points.append(f"{k * _WIDE / 24:.1f},{y:.1f}")
        path = " ".join(points)
        drawn += f"<polyline points='{path}' fill='none' stroke='{ink}' stroke-width='2'/>"
        if random.random() < 0.4:
            drawn += (
                f"<polygon points='0,{_HIGH} {path} {_WIDE},{_HIGH}' fill='{ink}' opacity='.25'/>"
            )
    return drawn


def _bars(random: Random, inks: list[str]) -> str:
    count = random.randint(5, 24)
    step, ink = _WIDE / count, random.choice(inks)
    heights = [random.uniform(4, _HIGH) for _ in range(count)]
    return "".join(
        f"<rect x='{k * step:.1f}' y='{_HIGH - h:.1f}' width='{0.75 * step:.1f}' height='{h:.1f}' "
        f"fill='{ink if random.random() < 0.8 else inks[0]}'/>"
        for k, h in enumerate(heights)
    )


def _ring(random: Random, inks: list[str]) -> str:
    around, start, drawn = 2 * math.pi * 30, 0.0, ""
    for ink in inks[: random.randint(2, 5)]:
        share = random.uniform(0.1, 0.3) * around
        drawn += (
            f"<circle cx='{_WIDE / 2}' cy='{_HIGH / 2}' r='30' fill='none' stroke='{ink}' "
            f"stroke-width='14' stroke-dasharray='{share:.1f} 999' "
            f"stroke-dashoffset='{-start:.1f}'/>"
        )
        start += share
    return drawn


def _gauge(random: Random, inks: list[str]) -> str:
    drawn = ""
    for row, ink in enumerate(inks[: random.randint(1, 4)]):
        wide, y = random.uniform(20, _WIDE), 10 + 20 * row
        drawn += f"<rect y='{y}' width='{_WIDE}' height='8' rx='4' fill='{ink}' opacity='.2'/>"
        drawn += f"<rect y='{y}' width='{wide:.1f}' height='8' rx='4' fill='{ink}'/>"
    return drawn
