"""What every test of the command line has."""

import os
import pathlib
import shutil
import tempfile

import pytest


@pytest.fixture
def place():
    """A directory that also others may enter, with a short name (a socket's path is short)."""
    name = tempfile.mkdtemp(prefix="yoke-cli-")
    os.chmod(name, 0o755)
    yield pathlib.Path(name)
    shutil.rmtree(name)
