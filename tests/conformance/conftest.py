"""One Java for all tests, and closed books after each."""

from collections.abc import Iterator

import pytest

from tests.books import closed_books  # noqa: F401  # each test closes its own
from tests.conformance.avro import Avro
from tests.conformance.driver import Driver


@pytest.fixture(scope="session")
def java() -> Iterator[Avro]:
    """Apache Avro's Java."""
    avro = Avro()
    yield avro
    avro.close()


@pytest.fixture(scope="session")
def messages() -> Iterator[Driver]:
    """Google's Java Protobuf."""
    driver = Driver("Messages.java", "protobuf.pom.xml", "4.36.2")
    yield driver
    driver.close()
