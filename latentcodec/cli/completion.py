"""`latentcodec completion`."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell, to be put where it looks for them.

    `latentcodec desktop install` does so for all of them.

    \b
    bash  ~/.local/share/bash-completion/completions/latentcodec
    zsh   a file _latentcodec in a folder of $fpath
    fish  ~/.config/fish/completions/latentcodec.fish
    """
    click.echo(completion_script(shell))


def completion_script(shell: str) -> str:
    """For one of bash, zsh and fish."""
    from click.shell_completion import ShellComplete, get_completion_class

    from latentcodec.cli import main

    found = get_completion_class(shell)
    assert found is not None  # click has all of _SHELLS
    completer = found(main, {}, "latentcodec", "_LATENTCODEC_COMPLETE")
    # The bash class would first ask the version of the bash that is found, which is not needed.
    return ShellComplete.source(completer)
