"""from_file and from_env: values that are read when a listener opens."""

import json

import pytest

import pykafarr
from pykafarr._library import library as lib
from pykafarr._options import checks

WHERE = "config['sasl.password']"


def resolved(secret):
    return checks.properties("config", {"sasl.password": secret})["sasl.password"]


@pytest.mark.parametrize(("text", "value"), [("geheim", "geheim"), ("geheim\n", "geheim"), ("geheim \r\n", "geheim ")])
def test_a_file_is_read_without_its_last_line_break(tmp_path, text, value):
    file = tmp_path / "password"
    file.write_bytes(text.encode())
    assert resolved(pykafarr.from_file(file)) == value
    assert resolved(pykafarr.from_file(str(file))) == value


def test_a_variable_is_read_when_it_is_needed(monkeypatch):
    secret = pykafarr.from_env("PYKAFARR_TEST")
    monkeypatch.setenv("PYKAFARR_TEST", "first")
    assert resolved(secret) == "first"
    monkeypatch.setenv("PYKAFARR_TEST", "second")
    assert resolved(secret) == "second"


def test_what_is_missing_is_named(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(pykafarr.ConfigError) as caught:
        resolved(pykafarr.from_file(missing))
    assert str(caught.value) == f"{WHERE}: file {str(missing)!r} cannot be read: No such file or directory"
    with pytest.raises(pykafarr.ConfigError) as caught:
        resolved(pykafarr.from_env("PYKAFARR_MISSING"))
    assert str(caught.value) == f"{WHERE}: there is no environment variable 'PYKAFARR_MISSING'"


def test_a_file_that_is_no_text_is_not_quoted(tmp_path):
    file = tmp_path / "password"
    file.write_bytes(b"geheim\xff")
    with pytest.raises(pykafarr.ConfigError, match="is not UTF-8") as caught:
        resolved(pykafarr.from_file(file))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_representations_show_where_it_lies_and_never_the_value(monkeypatch):
    monkeypatch.setenv("PYKAFARR_TEST", "geheim")
    secret = pykafarr.from_env("PYKAFARR_TEST")
    assert repr(secret) == "pykafarr.from_env('PYKAFARR_TEST')"
    found = checks.properties("config", {"a": secret, "b": "geheim"})
    assert "geheim" not in repr(found)
    text, length = lib.encode(found)
    assert "geheim" not in repr(text)
    assert json.loads(text) == {"a": "geheim", "b": "geheim"}
    assert length == len(text)
    assert "geheim" not in repr(pykafarr.OAuthToken("geheim", 1))


def test_the_registry_s_address_may_be_a_secret(monkeypatch):
    monkeypatch.setenv("PYKAFARR_TEST", "http://anna:geheim@registry:8081")
    found = checks.registry_url(pykafarr.from_env("PYKAFARR_TEST"))
    assert found == "http://anna:geheim@registry:8081"
    assert "geheim" not in repr(found)


@pytest.mark.parametrize("name", [1, None])
def test_the_name_of_a_variable_is_a_text(name):
    with pytest.raises(TypeError, match="must be a str"):
        pykafarr.from_env(name)


def test_a_group_with_an_at_sign_is_shown():
    with pykafarr.listener("127.0.0.1:1", "team@example", "t", "http://127.0.0.1:1") as p:
        assert repr(p) == "<pykafarr.Listener group='team@example' topics=['t'] open>"
