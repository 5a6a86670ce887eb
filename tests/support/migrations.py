"""Tables of former versions."""

from alembic import command
from alembic.config import Config

from abaco.database import connection


def downgrade(engine, version):
    """Bring the tables of a database back to a former version, or to none with ``base``."""
    config = Config()
    config.set_main_option("script_location", str(connection.MIGRATIONS))
    with connection.writing(engine) as opened:
        config.attributes["connection"] = opened
        command.downgrade(config, version)
