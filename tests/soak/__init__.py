"""Hundreds of buyers for minutes on the whole installation. `make soak MINUTES=10`."""
