"""A PostgreSQL database for tests of studies, where somebody offers one."""

from __future__ import annotations

import os

import pytest

POSTGRES = os.environ.get("SEEDO_TEST_POSTGRES")


@pytest.fixture
def postgres():
    """The URL of an empty PostgreSQL database; what the test leaves is deleted."""
    if not POSTGRES:
        pytest.skip("SEEDO_TEST_POSTGRES is not set")
    from seedo.lab._store import open_database
    from seedo.lab.study._store import STUDY_METADATA

    engine = open_database(POSTGRES, STUDY_METADATA)
    STUDY_METADATA.drop_all(engine)
    yield POSTGRES
    STUDY_METADATA.drop_all(engine)
    engine.dispose()
