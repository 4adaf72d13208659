"""`make bench`: how fast the site is, against the stand-in, under gunicorn, on this machine.

Absolute figures say little about another machine; ratios within one run do, and so the goals are
ratios or counts wherever they can be. Nothing here is part of the site or of its tests.
"""
