"""How the site bears a database that hangs, is read-only, full or away."""
