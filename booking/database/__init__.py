"""Bear a database that hangs, is read-only, full or away."""
