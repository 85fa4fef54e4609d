"""A photograph with graphics: captions, overlays, and photographs within a screen."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw

from .backgrounds import background
from .flat_art import shape
from .lettering import put, smoothing
from .palette import theme
from .photographs import piece
from .sources import Sources, size


def captioned(random: Random, sources: Sources, photo: Image.Image) -> Image.Image:
    """The photograph with bars, words and shapes over it."""
    width, height = size(random)
    colours = theme(random)
    image = piece(photo, random, width, height)
    for _ in range(random.randint(1, 4)):
        px = random.choice((14, 20, 32, 56, 90))
        y = random.randint(0, height - px - 20)
        text, font = sources.words.label(random, 5), sources.fonts.pick(random)
        ink = random.choice(((255, 255, 255), (0, 0, 0), *colours.accents))
        draw = ImageDraw.Draw(image)
        kind = random.choice(("bar", "veil", "plain", "outline"))
        if kind == "outline":
            draw.text((20, y), text, ink, font.at(px), stroke_width=2, stroke_fill=colours.background)
            continue
        if kind == "bar":
            draw.rectangle((0, y, width, y + int(1.4 * px)), colours.background)
            ink = colours.text
        elif kind == "veil":
            strip = image.crop((0, y, width, y + int(1.4 * px)))
            veil = Image.new("RGB", strip.size, colours.background)
            image.paste(Image.blend(strip, veil, 0.6), (0, y))
            ink = colours.text
        put(image, (20, y + 0.1 * px), text, font, px, ink, smoothing(random))
    for _ in range(random.choice((0, 0, 2, 5))):
        at = random.uniform(0, width), random.uniform(0, height)
        shape(ImageDraw.Draw(image), random, *at, 40, random.choice(colours.accents), None)
    return image


def framed(random: Random, sources: Sources, photo: Image.Image) -> Image.Image:
    """Photographs between columns of text, in frames, as a magazine or a gallery has them."""
    width, height = size(random)
    colours = theme(random)
    image = background(random, width, height, colours)
    body, px, how = sources.fonts.pick(random), random.uniform(11, 18), smoothing(random)
    across, down = random.randint(1, 3), random.randint(1, 3)
    cell = width // across, height // down
    gap, frame = random.randint(8, 30), random.choice((0, 0, 2, 8))
    for row in range(down):
        for column in range(across):
            left, top = column * cell[0] + gap, row * cell[1] + gap
            high = int((cell[1] - 2 * gap) * random.uniform(0.5, 0.9))
            picture = piece(photo, random, cell[0] - 2 * gap, high)
            box = (left - frame, top - frame, left + picture.width + frame, top + high + frame)
            ImageDraw.Draw(image).rectangle(box, colours.text)
            image.paste(picture, (left, top))
            text = sources.words.paragraph(random, 150)
            letters = int(picture.width / (0.55 * px))
            lines = [text[k : k + letters] for k in range(0, len(text), letters)][:4]
            put(image, (left, top + high + 8), "\n".join(lines), body, px, colours.text, how)
    return image


DRAWERS = (captioned, framed)
