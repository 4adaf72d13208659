"""Tell errors of an unavailable, read-only or full database from bugs.

By type and code, never by the message.
"""

from __future__ import annotations

import sqlite3

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError

# Classes of SQLSTATE: no connection, refused login, no such database, a passing conflict, no space
# or memory, a locked object, operator intervention, the disk, PostgreSQL itself.
AWAY_CLASSES = {"08", "28", "3D", "40", "53", "55", "57", "58", "XX"}
# Of classes that otherwise are bugs: read-only, a closed idle connection, a revoked privilege.
AWAY_STATES = {"25006", "25P03", "25P04", "42501"}
# SQLite's own codes for the same.
AWAY_CODES = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOTADB,
}


def is_away(error: BaseException | None) -> bool:
    """Whether an error means that the database can't serve now."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    cause = error.__cause__
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        return cause.sqlstate[:2] in AWAY_CLASSES or cause.sqlstate in AWAY_STATES
    if isinstance(cause, sqlite3.Error) and hasattr(cause, "sqlite_errorcode"):
        # The lower byte is the primary code.
        return cause.sqlite_errorcode & 0xFF in AWAY_CODES
    # A broken connection has no code.
    return isinstance(error, OperationalError | InterfaceError)
