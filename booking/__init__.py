"""The booking of handover visits: wizard, journal, availability, and the client of MacroCRM."""
