"""The program `latentcodec`, and `python -m latentcodec`."""

import sys


def run() -> None:
    """The command line in a process that is its own."""
    try:
        # Imported here, so that Ctrl-C meanwhile ends as it does later.
        from latentcodec.cli import main
        from latentcodec.runtime.precision import use_whole_process
        from latentcodec.system.allocator import keep_memory

        keep_memory()
        if sys.argv[1:2] != ["train"]:  # which says for each product what it needs
            use_whole_process()
        main(prog_name="latentcodec")
    except OSError as error:  # of --version and the like, where standard output is full
        _say(f"Error: {error.strerror or error}")
        sys.exit(1)
    except KeyboardInterrupt:
        _say("Interrupted")
        sys.exit(130)


def _say(text: str) -> None:
    if sys.stderr is not None:  # so Python has it where it was closed
        sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    run()
