"""Alembic's entry: runs the steps on the connection that `triage.store.migrate` hands in.

For `alembic revision --autogenerate` by hand, see CONTRIBUTING.md.
"""

from __future__ import annotations

from alembic import context

from triage.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
