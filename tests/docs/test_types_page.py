"""docs/types.md says what is true."""

from __future__ import annotations

import sys

import pytest

from tests.docs.types_page import PAGE, REWRITE, page


@pytest.mark.skipif(sys.version_info < (3, 11), reason="requirements/ has older frames for Python 3.10")
def test_the_page_of_types_says_what_frames_do() -> None:
    text = page()
    assert PAGE.read_text(encoding="utf-8") == text, f"`{REWRITE}` writes what is true:\n{text}"
