"""The options of listeners, scans and decoders, each declared once.

The signatures of `listener()`, `scan()` and `Decoder`, the TypedDicts, Spark's options, the command line, the contract
in kafarr.h and docs/options.md are tested against this table, and `settings()` makes of it what the library takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from . import checks, offsets, schemas
from .checks import (
    Acknowledge,
    Content,
    DtypeBackend,
    Errors,
    Framing,
    Mixed,
    OutOfRange,
    Recursion,
    Tombstones,
    Unions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# The default of a parameter that has none.
REQUIRED: Any = "required"


class Option(NamedTuple):
    """An option of one or several functions. Three names mean one thing to listeners and another to scans: two entries.

    Attributes:
        name: the parameter's.
        of: the functions that take it: "listener", "scan" (and so `read()` and the engines), "decoder".
        keys: its keys in the JSON of kafarr.h; none where the library does not need it.
        check: what the library takes for the value and for those of `uses`: a value for each of `keys`, of which None
            is left out. Raises TypeError for a wrong type and ConfigError for a wrong value.
        help: a line for the command line and docs/options.md.
        default: the parameter's.
        uses: other options whose values the check takes, too.
        words: the words that it may be; none where it is no word.
        text: the function of spark_options that reads it; "": Spark has no such option.
        flag: at the command line; "": there is none.
        late: of a scan, whether it is read on the machine that reads the rows, which has the passwords.
    """

    name: str
    of: tuple[str, ...]
    keys: tuple[str, ...]
    check: Callable[..., Any]
    help: str
    default: Any = None
    uses: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    text: str = ""
    flag: str = ""
    late: bool = False


_LISTENER, _SCAN, _BOTH, _DECODER = ("listener",), ("scan",), ("listener", "scan"), ("decoder",)
_ALL = (*_BOTH, *_DECODER)


def _word(
    name: str,
    of: tuple[str, ...],
    alias: Any,
    help_: str,
    *,
    text: str = "text",
    flag: str = "",
    checked_here: bool = True,
) -> Option:
    """An option that is one of a few words, the first of which is the default.

    checked_here: whether another word is refused here; else the library does, for callers of other languages, too.
    """
    words: tuple[str, ...] = get_args(alias)

    def check(value: object) -> str:
        return checks.choice(name, value, words) if checked_here else checks.text(name, value)

    return Option(name, of, (name,), check, help_, words[0], words=words, text=text, flag=flag)


def _function(name: str, of: tuple[str, ...], help_: str) -> Option:
    """A function of the caller's; the library is given whether there is one."""
    return Option(name, of, (name,), lambda value: checks.function(name, value), help_)


def _place(name: str, default: str, help_: str) -> Option:
    """Where a scan begins or ends."""
    return Option(
        name,
        _SCAN,
        (name,),
        lambda value: offsets.scan_places(name, value),
        help_,
        default,
        text="place",
        flag=f"--{name}",
    )


# In the order of the signatures.
OPTIONS = (
    Option(
        name="servers",
        of=_BOTH,
        keys=("servers",),
        check=checks.servers,
        help="bootstrap servers: host:port,host:port",
        default=REQUIRED,
        text="either",
        flag="--servers",
    ),
    Option(
        name="group",
        of=_LISTENER,
        keys=("group",),
        check=lambda value: checks.text("group", value),
        help="the consumer group's id",
        default=REQUIRED,
        flag="--group",
    ),
    Option(
        name="topics",
        of=_LISTENER,
        keys=("topics", "assign"),
        check=offsets.topics_or_assign,
        help="topics, or ^regex, to read",
        default=REQUIRED,
        uses=("assign",),
        flag="--topics",
    ),
    Option(
        name="topics",
        of=_SCAN,
        keys=("topics",),
        check=lambda value: checks.texts("topics", value),
        help="topics, or ^regex, to read",
        default=REQUIRED,
        text="either",
        flag="--topics",
    ),
    Option(
        name="registry_url",
        of=_BOTH,
        keys=("registry_url",),
        check=checks.registry_url,
        help="URL of the schema registry",
        default=REQUIRED,
        text="secret",
        flag="--registry",
        late=True,
    ),
    Option(
        name="start",
        of=_LISTENER,
        keys=("start",),
        check=offsets.start,
        help="where partitions begin that this listener gets for the first time",
        default="committed",
    ),
    Option(
        name="assign",
        of=_LISTENER,
        keys=(),  # those of topics, which is checked with it
        check=lambda _: None,
        help="partitions to read without a subscription",
    ),
    _place("start", "earliest", "the first row: earliest, now, an offset, or a time such as 2026-01-31T00:00Z"),
    _place("end", "now", "the place after the last row, as for the start"),
    Option(
        name="config",
        of=_BOTH,
        keys=("config",),
        check=lambda value: checks.properties("config", value),
        help="properties of librdkafka",
        text="properties",
        flag="--config",
        late=True,
    ),
    Option(
        name="registry_config",
        of=_BOTH,
        keys=("registry_config",),
        check=lambda value: checks.properties("registry_config", value),
        help="properties of the registry client",
        text="properties",
        flag="--registry-config",
        late=True,
    ),
    _function("oauth_token", _BOTH, "a function that gives tokens for OAUTHBEARER"),
    Option(
        name="metadata",
        of=_BOTH,
        keys=("metadata",),
        check=lambda value, key: checks.metadata_columns(value, with_key=key is not None),
        help="metadata columns",
        default=("offset",),
        uses=("key",),
        text="either",
        flag="--metadata",
    ),
    _word("value", _BOTH, Content, "what the values are"),
    Option(
        name="key",
        of=_BOTH,
        keys=("key",),
        check=lambda value: "bytes" if value is None else checks.choice("key", value, get_args(Content)),
        help="what the keys are, for a column of them",
        words=get_args(Content),
        text="text",
    ),
    _word("framing", _BOTH, Framing, "how messages name their schema", flag="--framing"),
    Option(
        name="schema",
        of=_BOTH,
        keys=("schemas",),
        check=schemas.given_schemas,
        help='the writer\'s schema, for framing="bare" and "single_object"',
        text="either",
    ),
    Option(
        name="schema",
        of=_DECODER,
        keys=("schema",),
        check=schemas.schema_text,
        help="the writer's schema",
        default=REQUIRED,
    ),
    _word("tombstones", _BOTH, Tombstones, "what messages without a value become"),
    _word("mixed", _BOTH, Mixed, "whether a frame ends where the message type changes", text=""),
    _word("acknowledge", _LISTENER, Acknowledge, "what counts rows as processed", text=""),
    _word("errors", _BOTH, Errors, "what a message does that cannot be decoded", flag="--errors"),
    Option(
        name="schema_patience",
        of=_BOTH,
        keys=("schema_patience_ms",),
        check=lambda value: checks.milliseconds("schema_patience", value) or -1,
        help="how long a message waits for a schema that the registry does not have",
        default=300_000,
        text="number",
    ),
    Option(
        name="rules",
        of=_BOTH,
        keys=("rules", "rules_secret"),
        check=lambda value: (checks.rules(value), checks.rules_secret(value)),
        help="what fields do that a data contract has encrypted",
        default="raise",
        words=("raise", "ignore"),
        text="rules",
        flag="--rules",
        late=True,
    ),
    Option(
        name="dead_letter_topic",
        of=_LISTENER,
        keys=("dead_letter_topic",),
        check=lambda value: "" if value is None else checks.text("dead_letter_topic", value),
        help="the topic that messages are written to that cannot be decoded",
    ),
    Option(
        name="reader_schema",
        of=_LISTENER,
        keys=("reader_schemas",),
        check=schemas.reader_schemas,
        help="the schemas to read message types as",
    ),
    Option(
        name="reader_schema",
        of=_SCAN,
        keys=("read_latest", "reader_schemas"),
        check=schemas.scan_reader_schemas,
        help='the schemas to read message types as, or "latest"',
        text="either",
    ),
    Option(
        name="reader_schema",
        of=_DECODER,
        keys=("reader_schema",),
        check=lambda value: None if value is None else schemas.schema_text(value, "reader_schema"),
        help="the schema to read bodies as",
    ),
    Option(
        name="columns",
        of=_ALL,
        keys=("columns",),
        check=lambda value: None if value is None else checks.texts("columns", value),
        help="the fields to read, as paths",
        text="either",
    ),
    _word("unions", _ALL, Unions, "what a union of several types becomes", checked_here=False),
    _word("recursion", _ALL, Recursion, "what a field becomes that leads back to its own record", checked_here=False),
    _word(
        "out_of_range",
        _ALL,
        OutOfRange,
        "what a value does that its type cannot hold, such as a time of day of 24:00",
        checked_here=False,
        flag="--out-of-range",
    ),
    Option(
        name="limits",
        of=_BOTH,
        keys=("limits", "batch_bytes", "schema_bytes"),
        check=checks.limits_of_batches,
        help="what schemas, messages and batches may ask for",
        text="json",
    ),
    Option(
        name="limits",
        of=_DECODER,
        keys=("limits",),
        check=checks.limits,
        help="what schema and bodies may ask for",
    ),
    Option(
        name="memory_limit",
        of=_BOTH,
        keys=("memory_limit",),
        check=lambda value: checks.from_one("memory_limit", value, checks.MAX_MEMORY),
        help="most bytes that are held",
        text="number",
    ),
    Option(
        name="ready_timeout",
        of=_LISTENER,
        keys=("ready_timeout_ms",),
        check=lambda value: checks.milliseconds("ready_timeout", value),
        help="longest wait for the cluster",
        default=30000,
        flag="--ready-timeout",
    ),
    Option(
        name="num_messages",
        of=_SCAN,
        keys=("num_messages",),
        check=lambda value: checks.from_one("num_messages", value, checks.MAX_MESSAGES),
        help="most rows of a batch",
        text="number",
        flag="--num-messages",
    ),
    Option(
        name="allow_partial",
        of=_SCAN,
        keys=("allow_partial",),
        check=lambda value: checks.truth("allow_partial", value),
        help="take what there is where rows are gone",
        default=False,
        text="truth",
        flag="--allow-partial",
    ),
    Option(
        name="dtype_backend",
        of=_BOTH,
        keys=(),
        check=checks.dtype_backend,
        help="the dtypes of pandas frames; by default they follow from the schema",
        words=get_args(DtypeBackend),
    ),
    Option(
        name="timeout",
        of=_SCAN,
        keys=("ready_timeout_ms",),
        check=lambda value: checks.milliseconds("timeout", value, least=1),
        help="longest wait for the cluster and the registry, each time",
        default=30000,
        text="number",
        flag="--ready-timeout",
    ),
    _function("on_assign", _LISTENER, "called with the partitions that the listener got"),
    _function("on_revoke", _LISTENER, "called with the partitions that the listener gives up"),
)


def options_of(function: str) -> dict[str, Option]:
    """The options of "listener", "scan" or "decoder" by their names, in the order of the signature."""
    return {option.name: option for option in OPTIONS if function in option.of}


def settings(options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the library takes, of the arguments for these options."""
    found: dict[str, Any] = {}
    for option in options:
        made = option.check(given[option.name], *(given[name] for name in option.uses))
        values = made if len(option.keys) > 1 else (made,) * len(option.keys)
        found.update((key, value) for key, value in zip(option.keys, values, strict=True) if value is not None)
    return found


LISTENER, SCAN, DECODER = options_of("listener"), options_of("scan"), options_of("decoder")
