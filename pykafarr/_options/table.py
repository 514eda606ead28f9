"""The options of listeners, scans, decoders and producers, each declared once.

The signatures of `listener()`, `scan()` and `Decoder`, the TypedDicts, Spark's options, the command line, the contract
in kafarr.h and docs/options.md are tested against this table, and `settings()` makes of it what the library takes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from . import checks, offsets, schemas, sends
from .checks import (
    Acknowledge,
    Bodies,
    BodyFraming,
    Content,
    DtypeBackend,
    Enums,
    Errors,
    Formats,
    Framing,
    KeyContent,
    Mixed,
    OutOfRange,
    Recursion,
    Timestamps,
    Tombstones,
    Unions,
    UnknownMembers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# The default of a parameter that has none.
REQUIRED: Any = "required"


class Option(NamedTuple):
    """An option of one or several functions. Three names mean one thing to listeners and another to scans: two entries.

    Attributes:
        name: the parameter's.
        of: the functions that take it: "listener", "scan" (and so `read()` and the engines), "decoder", "producer",
            "send".
        keys: its keys in the JSON of kafarr.h; none where the library does not need it.
        check: what the library takes for the value and for those of `uses`: a value for each of `keys`, of which None
            is left out. Raises TypeError for a wrong type and ConfigError for a wrong value.
        help: a line for the command line and docs/options.md.
        default: the parameter's.
        uses: other options whose values the check takes, too.
        words: the words that it may be; none where it is no word.
        text: the function of spark_options that reads it; "": Spark has no such option.
        flag: at the command line; "": there is none.
        forms: what it may be, for docs/options.md, where the command line and Python take different forms.
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
    forms: str = ""
    late: bool = False


_LISTENER, _SCAN, _BOTH, _DECODER = ("listener",), ("scan",), ("listener", "scan"), ("decoder",)
_ALL = (*_BOTH, *_DECODER)
_PRODUCER, _SEND = ("producer",), ("send",)
_CLIENTS = (*_BOTH, *_PRODUCER)


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
        forms='`"earliest"`, `"now"`, an offset, a `datetime` with a zone, a `date`, a `timedelta`, `Milliseconds`, '
        "a pair of `Plan.ends`, or a dict of these; as text `earliest`, `now`, an offset, a time such as "
        "`2026-01-31T00:00Z`, a date, or so long ago, such as `-1h`",
    )


# In the order of the signatures.
OPTIONS = (
    Option(
        name="servers",
        of=_CLIENTS,
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
        of=_CLIENTS,
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
    _place("start", "earliest", "the first row"),
    _place("end", "now", "the place after the last row"),
    Option(
        name="config",
        of=_CLIENTS,
        keys=("config",),
        check=lambda value: checks.properties("config", value),
        help="properties of librdkafka",
        text="properties",
        flag="--config",
        late=True,
    ),
    Option(
        name="registry_config",
        of=_CLIENTS,
        keys=("registry_config",),
        check=lambda value: checks.properties("registry_config", value),
        help="properties of the registry client",
        text="properties",
        flag="--registry-config",
        late=True,
    ),
    _function("oauth_token", _CLIENTS, "a function that gives tokens for OAUTHBEARER"),
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
    _word("value", _BOTH, Content, "what the values are", flag="--value"),
    _word("value", _DECODER, Bodies, "what the bodies are"),
    Option(
        name="key",
        of=_BOTH,
        keys=("key",),
        check=lambda value: "bytes" if value is None else checks.choice("key", value, get_args(KeyContent)),
        help="what the keys are, for a column of them",
        words=get_args(KeyContent),
        text="text",
        flag="--key",
    ),
    Option(
        name="key_schema",
        of=_BOTH,
        keys=("key_schemas",),
        check=lambda given: schemas.given_schemas(given, "json", "key_schema"),
        help='the schema of keys, for key="json"',
        text="either",
        flag="--key-schema",
    ),
    _word("framing", _BOTH, Framing, "how messages name their schema", flag="--framing"),
    _word("framing", _DECODER, BodyFraming, "what is around bodies"),
    Option(
        name="schema",
        of=_BOTH,
        keys=("schemas",),
        check=schemas.given_schemas,
        help='the writer\'s schema, for framing="bare" and "single_object" and value="json"',
        uses=("value",),
        text="schema",
        flag="--schema",
    ),
    Option(
        name="schema",
        of=_DECODER,
        keys=("schema",),
        check=schemas.decoder_schema,
        help="the writer's schema",
        uses=("value", "framing"),
        default=REQUIRED,
    ),
    Option(
        name="message_type",
        of=_ALL,
        keys=("message_type",),
        check=lambda value: "" if value is None else checks.text("message_type", value),
        help="the full name of the type of values of Protobuf, where their schema has several",
        text="text",
        flag="--schema-message-type",
    ),
    _word("tombstones", _BOTH, Tombstones, "what messages without a value become", flag="--tombstones"),
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
        uses=("value",),
        flag="--reader-schema",
    ),
    Option(
        name="reader_schema",
        of=_SCAN,
        keys=("read_latest", "reader_schemas"),
        check=schemas.scan_reader_schemas,
        help='the schemas to read message types as, or "latest"',
        uses=("value",),
        text="schema",
        flag="--reader-schema",
    ),
    Option(
        name="reader_schema",
        of=_DECODER,
        keys=("reader_schema",),
        check=lambda given, value: None if given is None else schemas.schema_text(given, "reader_schema", value),
        help="the schema to read bodies as",
        uses=("value",),
    ),
    Option(
        name="columns",
        of=_ALL,
        keys=("columns",),
        check=lambda value: None if value is None else checks.texts("columns", value),
        help="the fields to read, as paths",
        text="either",
        flag="--columns",
    ),
    _word("unions", _ALL, Unions, "what a union of several types becomes", checked_here=False),
    _word(
        "recursion",
        _ALL,
        Recursion,
        "what a field becomes that leads back to its own record",
        checked_here=False,
        flag="--recursion",
    ),
    _word(
        "out_of_range",
        _ALL,
        OutOfRange,
        "what a value does that its type cannot hold, such as a time of day of 24:00",
        checked_here=False,
        flag="--out-of-range",
    ),
    _word(
        "timestamps",
        _ALL,
        Timestamps,
        "the unit of timestamps and durations of Protobuf",
        checked_here=False,
        flag="--timestamps",
    ),
    _word("enums", _ALL, Enums, "what enums of Protobuf become", checked_here=False, flag="--enums"),
    _word(
        "formats",
        _ALL,
        Formats,
        "what texts become whose JSON Schema has the format date-time, date or time",
        checked_here=False,
        flag="--formats",
    ),
    _word(
        "unknown_members",
        _ALL,
        UnknownMembers,
        "what members of JSON do that the schema does not name",
        checked_here=False,
        flag="--unknown-members",
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
        of=(*_DECODER, *_PRODUCER),
        keys=("limits",),
        check=checks.limits,
        help="what schemas and bodies may ask for",
    ),
    Option(
        name="memory_limit",
        of=_CLIENTS,
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
    Option(
        name="transactional_id",
        of=_PRODUCER,
        keys=("transactional_id",),
        check=lambda value: None if value is None else checks.text("transactional_id", value),
        help="the name by which a producer of transactions is known after a restart",
    ),
    Option(
        name="message_type",
        of=_SEND,
        keys=("message_type",),
        check=sends.message_type,
        help="the full name of the rows' type; None: that of the schema",
        default=REQUIRED,
    ),
    Option(
        name="topic",
        of=_SEND,
        keys=("topic",),
        check=lambda value: checks.text("topic", value),
        help="the topic to send to",
        default=REQUIRED,
    ),
    Option(
        name="value",
        of=_SEND,
        keys=("value",),
        check=sends.send_value,
        help="what the values are; by default what the schema is of, and Avro for one that is given or derived",
    ),
    Option(
        name="schema",
        of=_SEND,
        keys=("schema",),
        check=sends.send_schema,
        help="the schema to write with; by default the subject's last version of the message type",
        uses=("register", "subject", "value"),
    ),
    Option(
        name="register",
        of=_SEND,
        keys=(),  # that of schema, which is checked with it
        check=lambda _: None,
        help="whether a schema is registered that its subject does not have",
        default=False,
    ),
    Option(
        name="subject",
        of=_SEND,
        keys=(),  # likewise
        check=lambda _: None,
        help="what names the subject of a schema",
        default="topic",
        words=get_args(sends.Subject),
    ),
    Option(
        name="framing",
        of=_SEND,
        keys=("framing",),
        check=lambda value: checks.choice("framing", value, get_args(sends.SendFraming)),
        help="how messages name their schema",
        default="confluent",
        words=get_args(sends.SendFraming),
    ),
    Option(
        name="key",
        of=_SEND,
        keys=("key",),
        check=sends.send_key,
        help="the column of keys, and how they are written",
        uses=("subject",),
    ),
    *(
        Option(
            name=name,
            of=_SEND,
            keys=(name,),
            check=functools.partial(sends.column, name),
            help=help_,
        )
        for name, help_ in (
            ("partition", "the column of partitions"),
            ("timestamp", "the column of timestamps"),
        )
    ),
    Option(
        name="headers",
        of=_SEND,
        keys=("headers", "constant_headers"),
        check=sends.send_headers,
        help="the column of headers, or headers that are the same for each row",
    ),
    Option(
        name="tombstone",
        of=_SEND,
        keys=("tombstone",),
        check=lambda value: sends.column("tombstone", value),
        help="the column that says which rows have no value",
    ),
    Option(
        name="partitioner",
        of=_SEND,
        keys=("partitioner",),
        check=lambda value: None if value is None else checks.text("partitioner", value),
        help="what chooses the partition of a key, by librdkafka's names",
    ),
    _word("extra", _SEND, sends.Extra, "what columns do that the schema does not have"),
    _word("missing", _SEND, sends.Missing, "what fields do that the frame does not have"),
    Option(
        name="wait",
        of=_SEND,
        keys=(),  # it is the caller that waits
        check=lambda value: checks.truth("wait", value),
        help="whether to wait until the brokers have the rows",
        default=False,
    ),
)


def options_of(function: str) -> dict[str, Option]:
    """The options of a function, as `Option.of` names it, by their names, in the order of the signature."""
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
PRODUCER, SEND = options_of("producer"), options_of("send")
