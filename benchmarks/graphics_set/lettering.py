"""Text set with Pillow: columns, posters, other scripts, words at any angle."""

from __future__ import annotations

import textwrap
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from graphics_set.backgrounds import background
from graphics_set.fonts import Font
from graphics_set.palette import RGB, theme
from graphics_set.sources import Sources, size

# The filter that FreeType applies to text for subpixels in a row.
_SUBPIXEL_FILTER = np.array([8, 77, 86, 77, 8]) / 256


def draw_text(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    font: Font,
    px: float,
    ink: RGB,
    antialiasing: str,
) -> None:
    """Draw lines of text. `antialiasing`: "none", "grey" or "subpixel" (R, G, B in a row)."""
    if antialiasing == "subpixel":
        _draw_subpixel(image, at, text, font.at(3 * px), ink)
        return
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1" if antialiasing == "none" else "L"
    draw.text(at, text, ink, font.at(px), spacing=0.4 * px)


def _bottom(image: Image.Image, y: float, text: str, font: Font, px: float) -> float:
    """Where lines of text that begin at `y` end."""
    box = ImageDraw.Draw(image).multiline_textbbox((0, y), text, font.at(px), spacing=0.4 * px)
    return box[3]


def _draw_subpixel(
    image: Image.Image, at: tuple[float, float], text: str, font: ImageFont.FreeTypeFont, ink: RGB
) -> None:
    wide, high = 3 * image.width, 3 * image.height
    mask = Image.new("L", (wide, high))
    ImageDraw.Draw(mask).text((3 * at[0], 3 * at[1]), text, 255, font, spacing=0.13 * font.size)
    cover = np.asarray(mask.resize((wide, image.height), Image.Resampling.BOX)) / 255
    padded = np.pad(cover, ((0, 0), (2, 2)))
    smooth = sum(w * padded[:, k : k + wide] for k, w in enumerate(_SUBPIXEL_FILTER))
    alpha = np.asarray(smooth).reshape(image.height, image.width, 3)
    ground = np.asarray(image, dtype=float)
    mixed = ground + alpha * (np.array(ink) - ground)
    image.paste(Image.fromarray(mixed.round().astype(np.uint8)))


def antialiasing(random: Random) -> str:
    """How the edges of letters are drawn."""
    return random.choice(("none", "grey", "grey", "grey", "subpixel", "subpixel"))


def columns(random: Random, sources: Sources) -> Image.Image:
    """A page of one to three columns, some with headings."""
    width, height = size(random)
    colours = theme(random)
    image = background(random, width, height, colours)
    body, head, how = (
        sources.fonts.choose(random),
        sources.fonts.choose(random),
        antialiasing(random),
    )
    px, count = random.uniform(9, 22), random.randint(1, 3)
    margin = random.randint(16, 60)
    column = (width - margin) / count
    letter_px = body.at(px).getlength("The quick brown fox jumps") / 25
    across = max(12, int((column - margin) / letter_px))
    for number in range(count):
        x, y = margin + number * column, float(margin)
        while y < height:
            if random.random() < 0.3:
                size_px = px * random.uniform(1.2, 2.5)
                title = textwrap.shorten(
                    sources.corpus.label(random, 6),
                    max(8, int(across * px / size_px)),
                    placeholder="",
                )
                draw_text(image, (x, y), title, head, size_px, random.choice(colours.accents), how)
                y += 1.6 * size_px
            text = textwrap.fill(sources.corpus.paragraph(random, random.randint(100, 600)), across)
            draw_text(image, (x, y), text, body, px, colours.text, how)
            y = _bottom(image, y, text, body, px) + random.uniform(0.5, 1.2) * px
    return image


def poster(random: Random, sources: Sources) -> Image.Image:
    """Few large words, each in a size and colour of its own, some on bars or with outlines."""
    width, height = size(random)
    colours = theme(random)
    image = background(random, width, height, colours)
    draw, y = ImageDraw.Draw(image), random.uniform(0, 60)
    while y < height:
        font, px = sources.fonts.choose(random), random.choice((18, 28, 40, 64, 90, 140, 220))
        ink = random.choice((*colours.accents, colours.text, colours.text))
        if random.random() < 0.25:
            draw.rectangle((0, y, width, y + 1.3 * px), random.choice(colours.accents))
            ink = colours.background
        place = (random.uniform(0, width / 3), y)
        text = sources.corpus.label(random, 3)
        if random.random() < 0.2:
            draw.text(place, text, colours.background, font.at(px), stroke_width=2, stroke_fill=ink)
        else:
            draw_text(image, place, text, font, px, ink, random.choice(("grey", "grey", "none")))
        y += px * random.uniform(1.25, 1.8)
    return image


def cloud(random: Random, sources: Sources) -> Image.Image:
    """Words at any angle."""
    width, height = size(random)
    colours = theme(random)
    image = background(random, width, height, colours)
    for _ in range(random.randint(15, 60)):
        font = sources.fonts.choose(random).at(random.uniform(10, 70))
        text = sources.corpus.label(random, 2)
        word = Image.new("L", (int(font.getlength(text)) + 8, int(font.size * 1.5)))
        ImageDraw.Draw(word).text((4, 4), text, 255, font)
        angle = random.choice((0, 0, 90, random.uniform(-60, 60)))
        word = word.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        at = (random.randrange(-40, width), random.randrange(-20, height))
        image.paste(random.choice((*colours.accents, colours.text)), at, word)
    return image


def scripts(random: Random, sources: Sources) -> Image.Image:
    """Rows of letters of other scripts and of symbols, as the fonts of the machine have them."""
    others = sources.fonts.scripts + 8 * sources.fonts.icons
    if not others:
        return poster(random, sources)
    width, height = size(random)
    colours = theme(random)
    image = background(random, width, height, colours)
    how, y = antialiasing(random), 12.0
    while y < height:
        font, px = random.choice(others), random.choice((14, 18, 24, 32, 48, 80))
        first = random.randrange(len(font.letters))
        near = font.letters[first : first + 120]
        count = int(width / px)
        word = "".join(random.choice(near) + " " * (random.random() < 0.15) for _ in range(count))
        draw_text(
            image, (16, y), word, font, px, random.choice((colours.text, *colours.accents)), how
        )
        y += 1.7 * px
    return image


def listing(random: Random, sources: Sources) -> Image.Image:
    """Lines of source code in one colour."""
    width, height = size(random)
    colours = theme(random)
    image = Image.new("RGB", (width, height), colours.background)
    font, px = (
        sources.fonts.choose(random, fixed_width=True),
        random.choice((10, 11, 12, 13, 14, 16, 20)),
    )
    rows = int(height / (1.4 * px)) + 1
    text = sources.corpus.lines(random, rows)
    draw_text(image, (8, 8), text, font, px, colours.text, antialiasing(random))
    return image


DRAWERS = (columns, poster, scripts, columns, cloud, listing, columns, poster)
