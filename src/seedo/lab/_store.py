"""Databases: an SQLite file unless a URL names something else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from seedo.errors import UserError

METADATA = sa.MetaData()
"""Tables of the lab's own database; a study's responses have theirs."""


def open_database(url: str | Path, tables: sa.MetaData) -> sa.Engine:
    """Connect, and make the tables that are missing.

    What is committed survives a kill: SQLite writes ahead and syncs at every commit.

    Args:
        url: an SQLAlchemy URL, or the path of an SQLite file.
        tables: to be there.

    Raises:
        UserError: no such database, no driver for it, or it cannot be written.
    """
    shown = sa.URL.create("sqlite", database=str(url)) if isinstance(url, Path) else url
    try:
        engine = sa.create_engine(shown, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _durable)
        tables.create_all(engine)
    except sa.exc.NoSuchModuleError as error:
        raise UserError("database", _named(url), "use sqlite:///FILE or postgresql+psycopg://") \
            from error  # fmt: skip
    except ImportError as error:
        remedy = 'its driver is missing: pip install "seedo[postgres]"'
        raise UserError("database", _named(url), remedy) from error
    except (sa.exc.SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise UserError("database", _named(url), f"cannot be opened: {reason}") from error
    return engine


def forget(engine: sa.Engine) -> None:
    """Leave nothing of what was deleted in an SQLite file, or in the log of what was written."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with suppress(sa.exc.OperationalError):  # somebody reads on: it is overwritten all the same
            connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _durable(connection, record) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=15000",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is deleted or moved is overwritten, not left in the file
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _named(url: str | Path) -> str:
    """The URL without its password."""
    if isinstance(url, Path):
        return str(url)
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "***"
