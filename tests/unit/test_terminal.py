"""Control characters that others wrote do nothing to the terminal of who reads them."""

import contextlib
import io
import json
import sys
import unicodedata

import pyarrow as pa
import pytest

from pykafarr._cli import main as cli
from pykafarr._library.terminal import Escaping, commanded

READ = ["read", "--servers", "a:1", "--topics", "t", "--registry", "http://registry", "--idle-timeout", "0"]
# Every character below U+10000 that is a control, and those that change the direction of what follows.
HOSTILE = "".join(
    chr(code)
    for code in range(0x10000)
    if unicodedata.category(chr(code)) in {"Cc", "Zl", "Zp"}
    or unicodedata.bidirectional(chr(code)) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    or code in {0x61C, 0x200E, 0x200F}
)
# The clipboard is written, the title is set, the screen is cleared: what terminals do with such texts.
TEXTS = [HOSTILE, "\x1b]52;c;cm0gLXJm\a", "\x9b2J", "a\rb", "\u202eabc", "grün 木 👩\u200d🚀"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(*arguments, status=0):
    """What the command writes to the terminals that stdout and stderr are."""
    out, err = Terminal(), Terminal()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert cli.main([*READ, *arguments]) == status
        assert (sys.stdout, sys.stderr) == (out, err)  # as before
    return out.getvalue(), err.getvalue()


@pytest.fixture
def record():
    headers = pa.array([[{"key": text, "value": text.encode()}] for text in TEXTS])
    symbols = pa.array(TEXTS).dictionary_encode()
    return pa.record_batch({"s": pa.array(TEXTS), "e": symbols, "_headers": headers, "_key": pa.array(TEXTS)})


def harmless(text):
    return not set(text) & (set(HOSTILE) - set("\n\t"))


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_values_on_a_terminal_are_shown_without_their_control_characters(fake, record, form):
    fake.answers.append(fake.batch(record))
    shown, _ = run("--format", form)
    assert harmless(shown)
    assert "\\u009b2J" in shown
    assert "grün 木 👩\u200d🚀" in shown


def test_a_line_of_json_on_a_terminal_is_the_same_value(fake, record):
    fake.answers.append(fake.batch(record))
    shown, _ = run("--format", "json")
    assert [json.loads(line)["s"] for line in shown.split("\n")[:-1]] == TEXTS


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_file_or_pipe_gets_the_values_as_they_are(fake, record, capsys, form):
    fake.answers.append(fake.batch(record))
    assert cli.main([*READ, "--format", form]) == 0
    assert "\x9b2J" in capsys.readouterr().out


def test_errors_on_a_terminal_are_shown_without_their_control_characters(fake):
    fake.answers.append(fake.error("BrokerError", "topic \x1b]0;a title\a: \u202eunknown"))
    _, err = run(status=1)
    assert "pykafarr: BrokerError: topic \\u001b]0;a title\\u0007: \\u202eunknown\n" in err


@pytest.mark.parametrize(
    "wrong",
    [["--bogus\x1b[2J"], ["stray\x9b2J"], ["--num-messages", "\x1b[2J"], ["--format", "\u202ejson"], ["--\x07config"]],
)
def test_wrong_arguments_are_shown_on_a_terminal_without_their_control_characters(wrong):
    terminal = Terminal()
    with contextlib.redirect_stderr(terminal), pytest.raises(SystemExit):
        cli.main([*READ, *wrong])
    assert harmless(terminal.getvalue())
    assert "error: " in terminal.getvalue()


def test_a_file_or_pipe_gets_a_wrong_argument_as_it_is(capsys):
    with pytest.raises(SystemExit):
        cli.main([*READ, "--bogus\x1b[2J"])
    assert "unrecognized arguments: --bogus\x1b[2J" in capsys.readouterr().err


def test_the_names_in_the_line_of_progress_are_shown_without_their_control_characters(fake):
    record = pa.record_batch({"x": pa.array([1])})
    fake.answers.append(fake.batch(record, topic="t\x1b[2J"))
    _, err = run()
    assert "1 row, at t\\u001b[2J[0]@5" in err
    assert "\r\x1b[K" in err  # its own are obeyed
    assert harmless(err.replace("\r\x1b[K", ""))


def test_nothing_takes_a_terminal_that_escapes_for_one_that_has_colours():
    terminal = Terminal()
    escaping = Escaping(terminal)
    assert not escaping.isatty()
    assert escaping.write("a\x1b") == 2
    assert commanded(escaping) is terminal
    assert commanded(terminal) is terminal
