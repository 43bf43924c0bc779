"""Alembic's entry: run the revisions on the connection that `sinks.schema` hands over."""

from alembic import context

from sinks.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
