"""What a shell wants to know of the database while somebody types.

Answered without SQLAlchemy, whose import alone takes longer than a shell should wait. Only reads.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def sources(database: Path) -> list[tuple[int, str]]:
    """Number and name of every source; empty where there is no database that can be read."""
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT id, title FROM source WHERE removed_at IS NULL ORDER BY id")
            return [(int(number), str(title)) for number, title in rows]
    except sqlite3.Error:
        return []  # a shell is no place for errors
