"""The self-contained HTML page: everything it needs is written into the one file."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from PIL import Image

from latentcodec.bench.against import Table, statistics_tables
from latentcodec.bench.matching import Match
from latentcodec.bench.metrics import METRICS, bits_per_pixel
from latentcodec.bench.published import Published
from latentcodec.bench.results import MEAN_METRICS, CodecResult
from latentcodec.bench.rows import Row
from latentcodec.bench.styles import styles
from latentcodec.bench.summary import HEADINGS, finite, notes, table_rows

# Codecs whose files a browser shows by itself; the page holds other ones' pixels without loss.
_MIME_TYPES = {"jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}

_WEBP_MAX_PX = 16383  # a side


def slider_data(name: str, original: Image.Image, matches: Sequence[Match]) -> dict[str, Any]:
    """What the slider needs of one image, ready for JSON: the original and each codec's picture."""
    width, height = original.size
    pictures = [{"label": "Original", "figures": "", "src": lossless_source(original)}]
    for match in matches:
        bpp = bits_per_pixel(len(match.data), width, height)
        pictures.append(
            {
                "label": match.codec.label,
                "figures": f"setting {match.setting:g}, {len(match.data):,} bytes, "
                f"{bpp:.3f} bpp, {match.psnr:.2f} dB",
                "src": picture_source(match),
            }
        )
    return {"image": name, "width": width, "height": height, "pictures": pictures}


def picture_source(match: Match) -> str:
    """The codec's own file where browsers read it, otherwise what it decodes to."""
    mime = _MIME_TYPES.get(match.codec.name.partition(":")[0])
    return _data_uri(mime, match.data) if mime else lossless_source(match.decoded)


def lossless_source(image: Image.Image) -> str:
    """An image as it is, for the src of an img element."""
    buffer = io.BytesIO()
    if max(image.size) > _WEBP_MAX_PX:
        image.save(buffer, "PNG")
        return _data_uri("image/png", buffer.getvalue())
    image.save(buffer, "WEBP", lossless=True)
    return _data_uri("image/webp", buffer.getvalue())


def _data_uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def benchmark_page(
    results: Mapping[str, CodecResult],
    rows: Sequence[Row],
    published: Sequence[Published],
    sliders: Sequence[dict[str, Any]],
    facts: Mapping[str, Any],
    by_content: Sequence[Table] = (),
) -> bytes:
    """The page of a benchmark: curves, table, sliders, and how the run was made."""
    looks = styles(list(results))
    data = {
        "metrics": [{"column": m.column, "label": m.label} for m in MEAN_METRICS],
        "codecs": [_codec(result, rows) | asdict(looks[name]) for name, result in results.items()],
        "published": [
            {"label": curve.name, "source": curve.source, "points": _published_points(curve)}
            for curve in published
        ],
        "table": {"headings": HEADINGS, "rows": table_rows(results), "notes": notes(results)},
        "statistics": [asdict(table) for table in (*statistics_tables(results), *by_content)],
        "sliders": list(sliders),
        "facts": facts,
    }
    images = facts["images"]
    title = f"{images['folder']}: {images['count']} images, {len(results)} codecs"
    return _assemble(title, "benchmark.html", ("chart.js", "table.js", "slider.js"), data)


def comparison_page(slider: dict[str, Any]) -> bytes:
    """The page of one photograph: the slider alone."""
    title = f"{slider['image']} at one size"
    return _assemble(title, "comparison.html", ("slider.js",), {"sliders": [slider]})


def blind_page(name: str, data: Mapping[str, Any]) -> bytes:
    """The page of blind pairs, with a place for the votes; `data` is what `blind.py` puts in."""
    votes = '<script id="votes" type="application/json">[]</script>'
    return _assemble(f"{name}: which one is better?", "blind.html", ("blind.js",), data, votes)


def _codec(result: CodecResult, rows: Sequence[Row]) -> dict[str, Any]:
    """A codec's points: of the mean over all images, and of each image."""
    images: dict[str, list[dict[str, float | None]]] = {}
    columns = [metric.column for metric in METRICS]
    for row in rows:
        if row.codec == result.name:
            quality = {column: finite(getattr(row, column)) for column in columns}
            images.setdefault(row.image, []).append(
                {"setting": row.setting, "bytes": row.bytes, "bpp": row.bpp, **quality}
            )
    mean = [
        {
            "setting": point.setting,
            "bytes": point.bytes,
            "bpp": point.bpp,
            **{column: finite(value) for column, value in point.quality.items()},
        }
        for point in result.points
    ]
    return {
        "name": result.name,
        "label": result.label,
        "version": result.version,
        "mean": mean,
        "images": images,
    }


def _published_points(curve: Published) -> list[dict[str, float]]:
    return [
        {"bpp": bpp, **{column: values[place] for column, values in curve.quality.items()}}
        for place, bpp in enumerate(curve.bpp)
    ]


def _assemble(
    title: str, body: str, scripts: Sequence[str], data: Mapping[str, Any], more: str = ""
) -> bytes:
    """One HTML file from the template, style and scripts that lie beside this module.

    `more` stands before the scripts.
    """
    # A script element ends at the first "</", wherever that stands.
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        # Without one, browsers ask the server for an icon.
        '<link rel="icon" href="data:,">',
        f"<style>{_asset('page.css')}</style></head><body>",
        f"<h1>{html.escape(title)}</h1>",
        _asset(body),
        f'<script id="data" type="application/json">{text}</script>',
        more,
        *(f"<script>{_asset(script)}</script>" for script in scripts),
        "</body></html>\n",
    ]
    return "\n".join(parts).encode()


def _asset(name: str) -> str:
    folder = resources.files("latentcodec.bench") / "page_assets"
    return (folder / name).read_text(encoding="utf-8")
