"""Packaged models at work: one class per family, all with the same interface: see `base.py`."""
