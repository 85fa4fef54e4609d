"""Screens, plots, text, drawings and flat art, drawn from a seed; benchmarks/graphics.py runs it.

Two sets come from here: one to train on, one to measure with. Their seeds, typefaces, pages of
text, style sheets and colour maps have nothing in common (`split`).
"""
