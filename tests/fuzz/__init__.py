"""Hostile input of every kind: `python -m tests.fuzz --seconds 60 --target container`."""
