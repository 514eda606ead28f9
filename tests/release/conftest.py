import os
from pathlib import Path

import pytest

from release import wheels


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel for x86_64 that PYKAFARR_WHEEL names, else one that is built now, as `make wheels` does."""
    if named := os.environ.get("PYKAFARR_WHEEL"):
        return Path(named).resolve()
    return wheels.build("amd64", dist=tmp_path_factory.mktemp("dist"))
