"""What messages are, as the command `read` is told: their format, their framing, and schemas in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from .._options import json_schemas
from .._options.scans import is_registered
from .._options.schemas import LATEST
from .._options.table import LISTENER

if TYPE_CHECKING:
    import argparse

# Options of words that are arguments of the same name, with the same words and the same default, and what words mean
# that do not say it.
_WORDS = {
    "tombstones": "keep: rows without values, skip: nothing",
    "out_of_range": "",
    "recursion": "json: a text",
    "timestamps": "",
    "enums": "",
    "formats": "string: texts",
    "unknown_members": "count: nothing, and their number is told; keep: a column _extra",
}


def add_messages(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that say what messages are."""
    option = LISTENER["value"]
    parser.add_argument(
        option.flag,
        choices=option.words,
        help=f"{option.help}; default: auto, which is what the registry says of each message, and bytes where a "
        "message names no schema of it; avro with --framing bare and single_object, json with connect",
    )
    option = LISTENER["key"]
    parser.add_argument(option.flag, choices=option.words, help=option.help)
    option = LISTENER["key_schema"]
    parser.add_argument(option.flag, metavar="FILE", help=f"{option.help}; a file as --schema takes them for json")
    option = LISTENER["framing"]
    parser.add_argument(
        option.flag,
        choices=option.words,
        default=option.default,
        help=f"{option.help}; apicurio: by 8 bytes, with --registry-config apicurio.registry.use-id=globalId or "
        "contentId; bare: not at all, --schema says it (%(default)s)",
    )
    option = LISTENER["schema"]
    parser.add_argument(
        option.flag,
        action="append",
        metavar="FILE",
        help=f"{option.help}; a file of an Avro schema, of .proto text or descriptors, of a JSON Schema, or for json "
        'of {"column": "type"}; may be repeated',
    )
    parser.add_argument(LISTENER["message_type"].flag, metavar="NAME", help=LISTENER["message_type"].help)
    option = LISTENER["reader_schema"]
    parser.add_argument(
        option.flag,
        action="append",
        metavar="FILE",
        help=f"{option.help}, in files as --schema takes them; may be repeated; of a scan also latest, each topic's "
        "newest in the registry, which is its default",
    )
    parser.add_argument(LISTENER["columns"].flag, nargs="+", metavar="PATH", help=LISTENER["columns"].help)
    for name, meant in _WORDS.items():
        option = LISTENER[name]
        parser.add_argument(
            option.flag,
            choices=option.words,
            default=option.default,
            help=f"{option.help}{'; ' if meant else ''}{meant} (%(default)s)",
        )


def wrong_usage(options: argparse.Namespace) -> str | None:
    """What is missing or too much, in words of the command line; None: nothing."""
    if options.registry is None and is_registered(options.value or "auto", options.framing):
        return (
            "--registry is missing: messages name schemas of it. What has none is read by --value json, string or "
            "bytes, or by --framing bare with --schema and --value avro, protobuf or jsonschema"
        )
    return None


# What messages are where only their framing is given; with the others the registry says it.
_UNSAID = {"bare": "avro", "single_object": "avro", "connect": "json"}


def message_options(options: argparse.Namespace, *, scans: bool) -> dict[str, Any]:
    """The options of listeners and scans that the arguments stand for.

    Raises:
        ConfigError: a file of a schema cannot be read.
    """
    value = options.value or _UNSAID.get(options.framing, "auto")
    found = {name: getattr(options, name) for name in _WORDS}
    return found | {
        "value": value,
        "key": options.key,
        "key_schema": _schemas("--key-schema", options.key_schema and [options.key_schema], "json"),
        "framing": options.framing,
        "schema": _schemas("--schema", options.schema, value),
        "message_type": options.schema_message_type,
        "reader_schema": _reader_schemas(options, value, scans=scans),
        "columns": options.columns,
    }


def _reader_schemas(options: argparse.Namespace, value: str, *, scans: bool) -> Any:
    if options.reader_schema == [LATEST]:
        return LATEST  # which a listener refuses with its reason
    if options.reader_schema is None and scans and is_registered(value, options.framing):
        return LATEST
    return _schemas("--reader-schema", options.reader_schema, value)


def _schemas(flag: str, files: list[str] | None, value: str) -> Any:
    """The schemas of files as Python takes them: one, or several."""
    if files is None:
        return None
    found = [_schema(f"{flag} {file}", Path(file), value) for file in files]
    return found[0] if len(found) == 1 else found


def _schema(place: str, file: Path, value: str) -> Any:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror or error}") from error
    if value == "protobuf" and file.suffix != ".proto" and _is_binary(content):
        return content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: it is no text in UTF-8: {error}") from error
    return _columns(text) if value == "json" else text


def _is_binary(content: bytes) -> bool:
    """Whether it is no text: descriptors have lengths and types of fields below the space."""
    return any(byte < 0x20 and byte not in b"\t\n\v\f\r" for byte in content)


def _columns(text: str) -> Any:
    """The text of a JSON Schema as it is, and {name: type} as a dict, which Python takes for an Arrow schema."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text  # the library says where it is wrong
    is_columns = isinstance(found, dict) and "arrow" not in found and not json_schemas.is_schema(found)
    return found if is_columns and found else text
