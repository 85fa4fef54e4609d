"""A photograph with graphics: captions, overlays, and photographs within a screen."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw

from graphics_set.backgrounds import background
from graphics_set.flat_art import draw_shape
from graphics_set.lettering import antialiasing, draw_text
from graphics_set.palette import Theme, theme
from graphics_set.photographs import random_part
from graphics_set.sources import Sources, size


def captioned(random: Random, sources: Sources, photo: Image.Image) -> Image.Image:
    """The photograph with bars, words and shapes over it."""
    width, height = size(random)
    colours = theme(random)
    image = random_part(photo, random, width, height)
    for _ in range(random.randint(1, 4)):
        _caption(image, random, sources, colours)
    for _ in range(random.choice((0, 0, 2, 5))):
        at = random.uniform(0, width), random.uniform(0, height)
        draw_shape(ImageDraw.Draw(image), random, at, 40, random.choice(colours.accents))
    return image


def _caption(image: Image.Image, random: Random, sources: Sources, colours: Theme) -> None:
    """A line of text: plain, outlined, on a bar or on a translucent one."""
    px = random.choice((14, 20, 32, 56, 90))
    y = random.randint(0, image.height - px - 20)
    text, font = sources.corpus.label(random, 5), sources.fonts.choose(random)
    ink = random.choice(((255, 255, 255), (0, 0, 0), *colours.accents))
    kind = random.choice(("bar", "veil", "plain", "outline"))
    if kind == "outline":
        draw, back = ImageDraw.Draw(image), colours.background
        draw.text((20, y), text, ink, font.at(px), stroke_width=2, stroke_fill=back)
        return
    if kind in ("bar", "veil"):
        strip = image.crop((0, y, image.width, y + int(1.4 * px)))
        bar = Image.new("RGB", strip.size, colours.background)
        image.paste(bar if kind == "bar" else Image.blend(strip, bar, 0.6), (0, y))
        ink = colours.text
    draw_text(image, (20, y + 0.1 * px), text, font, px, ink, antialiasing(random))


def framed(random: Random, sources: Sources, photo: Image.Image) -> Image.Image:
    """Photographs between columns of text, in frames, as a magazine or a gallery has them."""
    width, height = size(random)
    colours = theme(random)
    image = background(random, width, height, colours)
    body, px, how = sources.fonts.choose(random), random.uniform(11, 18), antialiasing(random)
    across, down = random.randint(1, 3), random.randint(1, 3)
    cell = width // across, height // down
    gap, frame = random.randint(8, 30), random.choice((0, 0, 2, 8))
    for row in range(down):
        for column in range(across):
            left, top = column * cell[0] + gap, row * cell[1] + gap
            high = int((cell[1] - 2 * gap) * random.uniform(0.5, 0.9))
            picture = random_part(photo, random, cell[0] - 2 * gap, high)
            box = (left - frame, top - frame, left + picture.width + frame, top + high + frame)
            ImageDraw.Draw(image).rectangle(box, colours.text)
            image.paste(picture, (left, top))
            text = sources.corpus.paragraphs(random, int(picture.width / (0.6 * px)), 4)
            draw_text(image, (left, top + high + 8), text, body, px, colours.text, how)
    return image


DRAWERS = (captioned, framed)
