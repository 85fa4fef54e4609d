"""One class per model family, all with the same interface: see `families/hyper.py`."""
