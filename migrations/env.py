"""Alembic's entry: runs the steps on the connection that `triage.store.migrate` hands in.

For `alembic revision --autogenerate` by hand, see CONTRIBUTING.md.
"""

from __future__ import annotations

from alembic import context

from triage.core.crash import crash_point
from triage.store.schema import Base

connection = context.config.attributes["connection"]


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """FTS5 keeps its index in tables of its own making; autogenerate must not drop them."""
    return not (kind == "table" and (name or "").startswith("item_search"))


context.configure(
    connection=connection,
    include_name=_is_ours,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=True,
    on_version_apply=lambda **_: crash_point("migrate:step"),
)
with context.begin_transaction():
    context.run_migrations()
