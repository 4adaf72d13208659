"""Strangers who try to harm buyers or to learn of them, on a whole installation. `make attack`."""
