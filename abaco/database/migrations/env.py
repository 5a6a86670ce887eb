"""Alembic's environment: the migrations run over the connection that it is given, or over that of DATABASE_URL."""

from alembic import context

from abaco.core import project
from abaco.database import connection as database
from abaco.database.schema import SCHEMA, metadata


def run(connection) -> None:
    """Run the migrations within the transaction of a connection."""
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name == schema,
        compare_type=True,
    )
    context.run_migrations()


if connection := context.config.attributes.get("connection"):
    run(connection)
else:  # alembic revision --autogenerate, when the tables of schema.py have changed
    with database.writing(database.connect(project.root() / "reports")) as connection:
        run(connection)
