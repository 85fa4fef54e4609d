"""Training: never imported by the codec itself, and free of constriction."""
