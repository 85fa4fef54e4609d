"""`latentcodec completion`."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell, to be put where it looks for them.

    \b
    bash  ~/.local/share/bash-completion/completions/latentcodec
    zsh   a file _latentcodec in a folder of $fpath
    fish  ~/.config/fish/completions/latentcodec.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    from latentcodec.cli import main

    found = get_completion_class(shell)
    assert found is not None  # click has all of _SHELLS
    completer = found(main, {}, "latentcodec", "_LATENTCODEC_COMPLETE")
    # The bash class would first ask the version of the bash that is found, which is not needed.
    click.echo(ShellComplete.source(completer))
