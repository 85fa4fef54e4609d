"""The figures on the pages are those of the committed results."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import kodak
import measured as measurements
import page_tables
import pytest

from latentcodec.bench.against import is_own, statistics_tables
from latentcodec.bench.bdrate import BdRate
from latentcodec.bench.codecs import find
from latentcodec.bench.metrics import PSNR
from latentcodec.bench.results import CodecResult, compare
from latentcodec.bench.selection import THOROUGH
from latentcodec.bench.summary import HEADINGS, table_rows
from latentcodec.errors import LatError
from tests.paths import ROOT

pytestmark = pytest.mark.slow

RESULTS = ROOT / "benchmarks" / "results"
KODAK = max(RESULTS.glob("kodak-*"))
FAMILIES = RESULTS / "families"


def tables(path: Path) -> list[list[list[str]]]:
    """The tables of a Markdown page: rows of cells, without the line under the header."""
    found: list[list[list[str]]] = [[]]
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            cells = [cell.strip().strip("*`") for cell in line.strip("|").split("|")]
            if not re.fullmatch(r"[-: ]+", cells[0]):
                found[-1].append(cells)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def table(path: Path, *header: str) -> list[dict[str, str]]:
    """The table whose header begins with `header`, as rows by column."""
    for rows in tables(path):
        if tuple(rows[0][: len(header)]) == header:
            return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    raise AssertionError(f"{path.name} has no table {header}")


def numbers(path: Path, *patterns: str) -> set[str]:
    """Whole figures on a page, without their signs."""
    text = path.read_text(encoding="utf-8")
    return {found.lstrip("+-") for p in patterns for found in re.findall(p, text)}


def rows_of(name: str) -> list[dict[str, str]]:
    with (FAMILIES / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def measured() -> dict[str, CodecResult]:
    """All codecs on Kodak, from the rows of their files."""
    return measurements.kodak()


def cells(results: Mapping[str, CodecResult]) -> dict[str, dict[str, str]]:
    """Rows by label, as `summary.md` has them."""
    return {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in table_rows(results)}


# Columns of the pages, and of the summary.
METRICS = {
    "PSNR": "BD-rate of mean curve",
    "PSNR, mean of per-image": "mean of BD-rates per image",
    "PSNR-Y": "BD-rate, PSNR-Y",
    "MS-SSIM": "BD-rate, MS-SSIM",
    "SSIMULACRA2": "BD-rate, SSIMULACRA2",
}
TIMES = {"encode, ms": "encode, ms", "decode, ms": "decode, ms"}


def test_rows_of_both_tunes_are_those_of_their_weights(measured: dict[str, CodecResult]) -> None:
    for name in measurements.OWN:
        result = measured[name]
        assert result.version == find(name).version()
        assert (len(result.points), len(result.per_image["psnr"])) == (10, 24)
    rivals = {name for name in measured if not is_own(name)}
    assert rivals <= {*measurements.CODECS, *THOROUGH}


def test_an_effort_that_was_measured_has_a_place_of_its_own() -> None:
    rows = measurements.kodak_rows()
    more = [replace(row, codec="lat:7") for row in rows if row.codec == "lat"]
    found = measurements._collect(measurements._packaged([*rows, *more]), [])
    assert [name for name in found if name[:3] == "lat"][:3] == ["lat", "lat:7", "lat:psnr"]
    assert found["lat:7"].label == "latentcodec, effort 7"


@pytest.mark.parametrize(
    "name", [KODAK.name, *(name for name in measurements.OTHER_SETS if (RESULTS / name).exists())]
)
def test_the_rows_agree_with_the_summaries(name: str) -> None:
    """Those that were written when the rows were measured."""
    other = name in measurements.OTHER_SETS
    results = measurements.other(name) if other else measurements.kodak()
    found, summary = cells(results), table(RESULTS / name / "summary.md", "codec")
    assert {row["codec"] for row in summary} == set(found)
    for row in summary:
        for heading in METRICS.values():
            assert row[heading] == found[row["codec"]][heading]


@pytest.mark.parametrize("page", kodak.PAGES)
def test_the_tables_of_a_page_are_made_from_the_rows(page: str) -> None:
    """By `make tables`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "<!-- table: " in text
    assert page_tables.fill(ROOT / page) == text


def test_a_table_that_nothing_makes_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- table: kodok -->\n<!-- end of table -->\n", encoding="utf-8")
    with pytest.raises(LatError, match=r"page\.md asks for a table kodok; known: kodak,"):
        page_tables.fill(page)


def test_the_readmes_table_is_that_of_the_results(measured: dict[str, CodecResult]) -> None:
    found, shown = cells(measured), table(ROOT / "README.md", "codec")
    assert {row["codec"] for row in shown} == set(found)
    for row in shown:
        for column, heading in (METRICS | TIMES).items():
            assert row[column] == found[row["codec"]][heading]


def test_the_readme_compares_with_the_best_setting_of_each_rival(
    measured: dict[str, CodecResult],
) -> None:
    """By every metric; and where a rival needs fewer bits, it says so."""
    shown = table(ROOT / "README.md", "ours", "against")
    for family in ("avif", "heic", "jxl"):
        settings = [name for name in measured if name.partition(":")[0] == family]
        for metric in METRICS:
            best = max(settings, key=lambda name: saved(measured[name].label, metric))
            for own in measurements.OWN:
                pair = measured[own].label, measured[best].label
                assert pair in {(row["ours"], row["against"]) for row in shown}
    for own in measurements.OWN:
        against = [row for row in shown if row["ours"] == measured[own].label]
        assert any("the other" in cell for row in against for cell in row.values())


def saved(label: str, metric: str) -> float:
    """Percent of the bits of the anchor that a codec saves, as the README has it."""
    (row,) = [row for row in table(ROOT / "README.md", "codec") if row["codec"] == label]
    return -float(row[metric].removesuffix(" %"))


def test_the_readme_names_the_libraries(measured: dict[str, CodecResult]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, result in measured.items():
        if not is_own(name):
            for library in result.version.split(", "):
                assert library.split(" ")[-1].strip("()") in text, library


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_pages_name_both_tunes(page: str, measured: dict[str, CodecResult]) -> None:
    """With the metrics that the tunes are for."""
    text, found = (ROOT / page).read_text(encoding="utf-8"), cells(measured)
    assert "--tune psnr" in text
    for label, columns in (
        ("latentcodec", ("PSNR", "MS-SSIM", "SSIMULACRA2")),
        ("latentcodec, tune psnr", ("PSNR",)),
    ):
        for column in columns:
            assert found[label][METRICS[column]].lstrip("-") in text


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/limits.md"])
def test_percentages_are_in_the_results(page: str, measured: dict[str, CodecResult]) -> None:
    """So that no page is left behind when the weights change."""
    pattern = r"\d+\.\d+ %"
    standing = "\n".join(line for found in statistics_tables(measured) for line in found.markdown())
    known = numbers(KODAK / "summary.md", pattern)
    known |= numbers(ROOT / "docs" / "design.md", pattern)  # the cost of the integers
    known |= set(re.findall(pattern, standing))
    assert numbers(ROOT / page, pattern) <= known


def test_training_and_data_are_those_of_the_model_card() -> None:
    patterns = r"\d+ minutes", r"\d+ photographs"
    known = numbers(ROOT / "docs" / "model-card.md", *patterns)
    for page in ("index.md", "limits.md"):
        assert numbers(ROOT / "docs" / page, *patterns) <= known


def test_the_model_cards_extremes_are_those_of_the_results(
    measured: dict[str, CodecResult],
) -> None:
    of_label = {result.label: result for result in measured.values()}
    rows = table(ROOT / "docs" / "model-card.md", "tune", "mean curve")
    assert {"latentcodec", "latentcodec, tune psnr"} <= {row["tune"] for row in rows}
    for row in rows:
        own = compare(measured["jpeg"], of_label[row["tune"]], PSNR)
        assert isinstance(own.rate, BdRate)
        assert row["mean curve"] == f"{own.rate.percent:.1f} %"
        assert row["mean of per-image"] == f"{own.mean_percent:.1f} %"
        by_rate = sorted(own.per_image.items(), key=lambda item: item[1])
        for column, (image, percent) in (("best", by_rate[0]), ("worst", by_rate[-1])):
            assert row[column] == f"{image.removesuffix('.png')} {percent:.1f} %"


def test_the_model_cards_tuned_table_is_that_of_the_results(
    measured: dict[str, CodecResult],
) -> None:
    found, rows = cells(measured), table(ROOT / "docs" / "model-card.md", "codec", "PSNR")
    assert {"latentcodec", "latentcodec, tune psnr"} < {row["codec"] for row in rows}
    for row in rows:
        for column, heading in METRICS.items():
            assert row[column] == found[row["codec"]][heading]


def test_the_families_table_is_that_of_their_summary() -> None:
    summary = {row["codec"]: row for row in table(FAMILIES / "summary.md", "codec")}
    for row in table(ROOT / "docs" / "ae-vs-vae.md", "family", "BD-rate, PSNR, mean curve"):
        name = row["family"]
        full = summary[f"latentcodec, {name}"]
        assert row["BD-rate, PSNR, mean curve"] == full["BD-rate of mean curve"]
        assert row["mean of per-image"] == full["mean of BD-rates per image"]
        assert row["MS-SSIM"] == full["BD-rate, MS-SSIM"]
        assert row["SSIMULACRA2"] == full["BD-rate, SSIMULACRA2"]


def test_the_comparisons_tables_are_those_of_their_files() -> None:
    page = ROOT / "docs" / "ae-vs-vae.md"
    curves = {row["psnr_db"]: row for row in rows_of("equal-psnr.csv")}
    for row in table(page, "PSNR, dB"):
        for shown, column in (("ae", "lat:ae"), ("vae", "lat:vae"), ("hyper", "lat:hyper")):
            rate = curves[row["PSNR, dB"]][f"{column}_bpp"]
            assert row[shown] == (f"{float(rate):.3f}" if rate else "")
    for found, line in zip(
        rows_of("rate-against-kl.csv"), table(page, "quality", "files, bpp"), strict=True
    ):
        assert line["files, bpp"] == found["real_bpp"]
        assert line["KL, bpp"] == found["kl_bpp"]
        assert line["files / KL"] == f"{float(found['real_over_kl']):.3f}"
    paths = {(row["family"], row["path"]): row for row in rows_of("smoothness.csv")}
    for line in table(page, "family", "path"):
        found = paths[line["family"], line["path"]]
        assert (line["length"], line["return error"]) == (found["length"], found["return_error"])


def test_active_units_and_determinism_are_those_of_their_files() -> None:
    text = (ROOT / "docs" / "ae-vs-vae.md").read_text(encoding="utf-8")
    units = rows_of("units.csv")
    for family in ("ae", "vae", "hyper"):
        active = sum(r["family"] == family and float(r["nonzero"]) > 0.01 for r in units)
        assert f"{active} of `{family}`" in text
    coded = sum(r["family"] == "vae" and r["coded"] == "1" for r in units)
    assert f"{coded} are coded" in text
    (changed,) = [r["symbols_changed"] for r in rows_of("determinism.csv") if r["symbols_changed"]]
    assert f"{100 * float(changed):.0f} % of its symbols" in text
