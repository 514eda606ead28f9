"""docs/pandas.md says what is true, and its recipes help."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from tests.docs import recipes
from tests.docs.pandas_page import JUDGES, PANDAS_PAGE, SHOWN, frame_of, page
from tests.docs.types_page import REWRITE

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="requirements/ has older frames for Python 3.10")


def test_the_page_of_pandas_says_what_it_does() -> None:
    text = page()  # raises where no recipe helps
    assert PANDAS_PAGE.read_text(encoding="utf-8") == text, f"`{REWRITE}` writes what is true:\n{text}"


@pytest.mark.parametrize("name", SHOWN)
def test_texts_are_taken_by_every_function(name: str) -> None:
    frame = frame_of(name)
    told = frame.assign(x=recipes.texts(frame["x"]))
    assert {judge.__name__: judge(told, "texts") for judge in JUDGES.values()} == dict.fromkeys(JUDGES, "")


def test_records_become_columns_and_lists_become_rows() -> None:
    frame = frame_of("record")
    split = pd.concat([frame.drop(columns="x"), frame["x"].struct.explode()], axis=1)
    assert list(split.columns) == ["n", "x", "y"]
    assert split["y"].tolist() == [value["y"] for value in frame["x"].tolist()]
    lists = frame_of("array")
    assert lists.explode("x")["x"].dropna().tolist() == [item for value in lists["x"].tolist() for item in value]
