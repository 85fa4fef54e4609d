"""`latentcodec onnx`."""

from __future__ import annotations

from pathlib import Path

import click

from latentcodec.cli import options


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--model", help="A packaged model, by name.  [default: that of encode]")
@options.weights
def command(folder: Path, model: str | None, weights: str | None) -> None:
    """Write the networks of a model as ONNX graphs into FOLDER, which is made if it is missing.

    g_a, g_s and, of a hyper, h_a, h_s and the coding steps context_0 to context_3, with height
    and width open, and tables.safetensors with the integers that the coder needs. docs/onnx.md
    says what each takes and gives. Files of the same names are overwritten.
    """
    from latentcodec.runtime import model_store
    from latentcodec.runtime.onnx_export import export
    from latentcodec.system.atomic_write import write_file

    entry = model_store.by_name(options.chosen_model(model or model_store.chosen(), weights))
    files = export(model_store.checked_bytes(entry))
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_file(folder / name, data)
        click.echo(f"{folder / name}: {len(data)} bytes")
    click.echo(f"{entry.name}, for files whose model is {entry.code}, {entry.short_hash.hex()}")
