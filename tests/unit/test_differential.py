"""Random schemas and values: what fastavro writes, decoded here, against what fastavro reads.

A failure names its seed: `case(seed)` makes the same schema and values again.
One file, however long: the generator and the comparison must know the same types.

Where fastavro does other than the specification says, the comparison follows the specification:

* It knows neither nanosecond timestamps, duration, big-decimal nor uuid on fixed: it gives the type beneath, which is
  read here.
* It gives a default as it stands in the schema: bytes as text of ISO-8859-1 code points, logical types as numbers.
* It makes a float of an int or a long without rounding it to 32 bits.
* Of a reader's union it takes the first branch that the value can be promoted to, which is the specification to the
  letter. So does this library, but for a union that lists the same types as the writer's: there each branch is read as
  itself, or a long in a union of double and long would lose digits when it is read with the schema that it was written
  with.
* It does not promote what has a logical type: an int of a time-millis goes past an earlier branch of double, a uuid
  past one of bytes.
* It reads a corrupted body where it can: varints of any length, booleans other than 0 and 1, decimals beyond their
  precision, bytes left over. So what it makes of corrupted bodies is not compared.
"""

import copy
import datetime as dt
import decimal
import io
import math
import random
import struct
import uuid
from typing import Any

import fastavro
import pyarrow as pa
import pytest

import pykafarr
from tests.books import closed_books  # noqa: F401  # each test closes its own
from tests.unit.encoding import zigzag

CHUNKS = 40
CASES = 50  # in a chunk
ROWS = 5

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  # of local timestamps
FIRST, LAST = -62_135_596_800, 253_402_300_799  # seconds of the years 1 to 9999, which Python's datetime has
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
SECONDS = {"millis": 10**3, "micros": 10**6, "nanos": 10**9}
LOGICAL = {
    "date": "int",
    "time-millis": "int",
    "time-micros": "long",
    "timestamp-millis": "long",
    "timestamp-micros": "long",
    "timestamp-nanos": "long",
    "local-timestamp-millis": "long",
    "local-timestamp-micros": "long",
    "local-timestamp-nanos": "long",
    "uuid": "string",
    "big-decimal": "bytes",
}
NUMBERS = ["int", "long", "float", "double"]


class Maker:
    """Makes random schemas, and values of them as fastavro's writer takes them."""

    def __init__(self, seed: int, *, references: bool = True) -> None:
        self.random = random.Random(seed)
        self.references = references
        self.named: dict[str, dict[str, Any]] = {}  # by what refers to them
        self.complete: list[tuple[str, str]] = []  # namespace and full name
        self.count = 0

    # ---- schemas ----

    def record(self, depth: int, namespace: str) -> dict[str, Any]:
        schema, inner = self.name({"type": "record"}, namespace)
        names = self.random.sample("abcdefgh", self.random.choice([0, 1, 2, 2, 3, 4]) if depth else 4)
        schema["fields"] = [{"name": name, "type": self.schema(depth + 1, inner)} for name in names]
        return self.completed(schema)

    def schema(self, depth: int, namespace: str, *, union: bool = True) -> Any:
        choose = self.random.random()
        if self.references and choose < 0.1 and (known := self.reference(namespace)):
            return known
        kinds = ["primitive"] * 3 + ["logical"] * 2 + ["enum", "fixed"]
        if depth < 4:
            kinds += ["record", "array", "map"] + (["union", "optional"] if union else [])
        kind = self.random.choice(kinds)
        if kind == "primitive":
            return self.random.choice(PRIMITIVES[1:] if not union else PRIMITIVES)
        if kind == "logical":
            return self.logical(namespace)
        if kind == "enum":
            schema, _ = self.name({"type": "enum"}, namespace)
            schema["symbols"] = [f"S{number}" for number in range(self.random.choice([1, 2, 5, 70]))]
            return self.completed(schema)
        if kind == "fixed":
            return self.fixed(self.random.choice([0, 1, 4, 12, 16, 33]), namespace)
        if kind == "record":
            return self.record(depth, namespace)
        if kind == "array":
            return {"type": "array", "items": self.schema(depth + 1, namespace)}
        if kind == "map":
            return {"type": "map", "values": self.schema(depth + 1, namespace)}
        if kind == "optional":
            other = self.schema(depth + 1, namespace, union=False)
            return self.random.choice([["null", other], [other, "null"]])
        return self.union(depth, namespace)

    def union(self, depth: int, namespace: str) -> list[Any]:
        branches: list[Any] = []
        seen = set()
        for _ in range(self.random.choice([1, 2, 3, 4, 6])):
            complete = list(self.complete)
            branch = self.random.choice([None, None, "null", "record"])
            if branch is None:
                branch = self.schema(depth + 1, namespace, union=False)
            elif branch == "record":
                branch = self.record(depth + 1, namespace)
            name = self.type_name(branch)
            if name not in seen:
                seen.add(name)
                branches.append(branch)
            else:  # what it defines is nowhere
                self.complete = complete
        return branches

    def logical(self, namespace: str) -> dict[str, Any]:
        name = self.random.choice([*LOGICAL, "decimal", "decimal", "duration", "uuid on fixed"])
        if name == "duration":
            return {**self.fixed(12, namespace), "logicalType": name}
        if name == "uuid on fixed":
            return {**self.fixed(16, namespace), "logicalType": "uuid"}
        if name != "decimal":
            return {"type": LOGICAL[name], "logicalType": name}
        precision = self.random.choice([1, 2, 9, 18, 19, 38, 39, 76])
        more = {"logicalType": name, "precision": precision, "scale": self.random.randint(0, precision)}
        if self.random.random() < 0.5:
            return {"type": "bytes", **more}
        size = next(size for size in range(1, 40) if 2 ** (8 * size - 1) - 1 >= 10**precision - 1)
        return {**self.fixed(size, namespace), **more}

    def fixed(self, size: int, namespace: str) -> dict[str, Any]:
        schema, _ = self.name({"type": "fixed"}, namespace)
        schema["size"] = size
        # Not to be referred to: its logical type is added later.
        return schema

    def name(self, schema: dict[str, Any], namespace: str) -> tuple[dict[str, Any], str]:
        self.count += 1
        name = f"N{self.count}"
        choose = self.random.random()
        if choose < 0.15:
            namespace = f"space{self.random.randint(1, 3)}"
            schema |= {"name": name, "namespace": namespace}
        elif choose < 0.25:
            namespace = f"deep.space{self.random.randint(1, 3)}"
            schema["name"] = f"{namespace}.{name}"
        else:
            schema["name"] = name
        schema["@full"] = f"{namespace}.{name}" if namespace else name
        schema["@namespace"] = namespace
        return schema, namespace

    def completed(self, schema: dict[str, Any]) -> dict[str, Any]:
        self.complete.append((schema["@namespace"], schema["@full"]))
        self.named[schema["@full"]] = self.named[schema["@full"].rpartition(".")[2]] = schema
        return schema

    def reference(self, namespace: str) -> str | None:
        known = [(ns, full) for ns, full in self.complete if ns or not namespace]
        if not known:
            return None
        ns, full = self.random.choice(known)
        return full.rpartition(".")[2] if ns == namespace and self.random.random() < 0.5 else full

    def resolve(self, schema: Any) -> Any:
        return self.named.get(schema, schema) if isinstance(schema, str) else schema

    def type_name(self, schema: Any) -> str:
        schema = self.resolve(schema)
        return schema if isinstance(schema, str) else schema.get("@full", schema["type"])

    # ---- values ----

    def value(self, schema: Any) -> Any:
        schema = self.resolve(schema)
        if isinstance(schema, list):
            branch = self.resolve(self.random.choice(schema))
            # Left to itself, fastavro chooses by the value: bytes for a decimal, a text for a date.
            return (self.type_name(branch), self.value(branch))
        kind, logical = kind_of(schema), logical_of(schema)
        if logical:
            return self.logical_value(schema, logical)
        return getattr(self, f"{kind}_value")(schema)

    def null_value(self, _: Any) -> None:
        return None

    def boolean_value(self, _: Any) -> bool:
        return self.random.random() < 0.5

    def int_value(self, _: Any) -> int:
        return self.number(31)

    def long_value(self, _: Any) -> int:
        return self.number(63)

    def number(self, bits: int) -> int:
        edges = [0, -1, 63, 64, -64, -65, 2**bits - 1, -(2**bits)]
        number = self.random.getrandbits(self.random.randint(1, bits))
        return self.random.choice([*edges, number, number, -number, -number])

    def float_value(self, _: Any) -> float:
        found = self.random.choice([0.0, -0.0, math.inf, -math.inf, math.nan, self.random.gauss(0, 1e6)])
        return float(struct.unpack("<f", struct.pack("<f", found))[0])

    def double_value(self, _: Any) -> float:
        return self.random.choice([0.0, -0.0, math.inf, math.nan, 5e-324, self.random.gauss(0, 1e200)])

    def bytes_value(self, _: Any) -> bytes:
        return self.random.randbytes(self.random.choice([0, 1, 7, 8, 16, 63, 64, 200]))

    def string_value(self, _: Any) -> str:
        alphabet = self.random.choice(["abc", "aü€𝄞\0"])
        return "".join(self.random.choices(alphabet, k=self.random.choice([0, 1, 3, 4, 7, 8, 15, 16, 17, 100])))

    def fixed_value(self, schema: Any) -> bytes:
        return self.random.randbytes(schema["size"])

    def enum_value(self, schema: Any) -> str:
        return self.random.choice(schema["symbols"])

    def array_value(self, schema: Any) -> list[Any]:
        return [self.value(schema["items"]) for _ in range(self.random.choice([0, 1, 2, 5]))]

    def map_value(self, schema: Any) -> dict[str, Any]:
        return {self.string_value(None): self.value(schema["values"]) for _ in range(self.random.choice([0, 1, 3]))}

    def record_value(self, schema: Any) -> dict[str, Any]:
        return {field["name"]: self.value(field["type"]) for field in schema["fields"]}

    def logical_value(self, schema: Any, logical: str) -> Any:
        """The value of the type beneath, which fastavro's writer takes as well."""
        base, _, unit = logical.rpartition("-")
        if logical == "date":
            return self.random.randint(FIRST // 86400, LAST // 86400)
        if base == "time":
            return self.random.choice([0, 86400 * SECONDS[unit] - 1, self.random.randrange(86400 * SECONDS[unit])])
        if unit == "nanos":
            return self.random.randint(-(2**63) + 1, 2**63 - 1)
        if base in {"timestamp", "local-timestamp"}:
            return self.random.randint(FIRST * SECONDS[unit], LAST * SECONDS[unit])
        if logical == "duration":
            return struct.pack("<III", *(self.random.choice([0, 1, 2**31 - 1]) for _ in range(3)))
        if logical == "uuid":
            made = uuid.UUID(bytes=self.random.randbytes(16))
            return str(made) if schema["type"] == "string" else made.bytes
        if logical == "big-decimal":
            digits = signed(self.number(self.random.choice([3, 31, 63, 200])))
            return zigzag(len(digits)) + digits + zigzag(self.random.choice([0, 1, 5, -3, 40]))
        most = 10 ** schema["precision"] - 1
        number = self.random.choice([0, most, -most, 1, -1, self.random.randint(-most, most)])
        if schema["type"] == "bytes":
            return signed(number)
        return number.to_bytes(schema["size"], "big", signed=True)

    # ---- readers' schemas ----

    def reader(self, schema: Any) -> Any:
        """Another schema that values of this one can be read as. Named types occur once."""
        if isinstance(schema, list):
            branches = [self.reader_branch(branch) for branch in schema]
            if len({self.type_name(branch) for branch in branches}) < len(branches):
                return schema
            if self.random.random() < 0.3:
                self.random.shuffle(branches)
            if self.random.random() < 0.2 and "null" not in branches:
                branches.append("null")
            return branches
        made = self.reader_branch(schema)
        if self.random.random() < 0.1 and made != "null":
            return self.random.choice([["null", made], [made, "null"], [made]])
        return made

    def reader_branch(self, schema: Any) -> Any:
        """The same, and no union of what was none."""
        if isinstance(schema, str):
            return self.promoted(schema)
        made = dict(schema)
        if made["type"] == "record":
            if self.random.random() < 0.2:
                made = {**made, "name": f"{made['@full']}x", "aliases": [made["@full"]]}
                made.pop("namespace", None)
            made["fields"] = self.reader_fields(made["fields"], made["@namespace"])
        elif made["type"] == "array":
            made["items"] = self.reader(made["items"])
        elif made["type"] == "map":
            made["values"] = self.reader(made["values"])
        elif made["type"] == "enum":
            made["symbols"] = self.random.sample([*made["symbols"], "NEW"], len(made["symbols"]) + 1)
        return made

    def promoted(self, kind: str) -> str:
        if self.random.random() < 0.3 and kind in NUMBERS:
            return self.random.choice(NUMBERS[NUMBERS.index(kind) :])
        # bytes as string only where they are UTF-8, which random ones are not
        return "bytes" if kind == "string" and self.random.random() < 0.1 else kind

    def reader_fields(self, fields: list[Any], namespace: str) -> list[Any]:
        made = []
        for field in fields:
            if self.random.random() < 0.2:
                continue
            new = {"name": field["name"], "type": self.reader(field["type"])}
            if self.random.random() < 0.2:
                new |= {"name": f"{field['name']}_renamed", "aliases": ["unheard_of", field["name"]]}
            made.append(new)
        for number in range(self.random.choice([0, 0, 1, 2])):
            kind = self.schema(3, namespace)
            made.append({"name": f"new{number}", "type": kind, "default": self.default(kind)})
        self.random.shuffle(made)
        return made

    def default(self, schema: Any) -> Any:
        """A value as it stands in a schema."""
        if isinstance(schema, list):
            return self.default(schema[0])  # fastavro, as Avro before 1.12, wants the first branch's
        kind = kind_of(schema)
        if kind in {"float", "double"}:
            return self.random.choice([0.0, 1.5, -2.0])
        if kind == "record":
            return {field["name"]: self.default(field["type"]) for field in schema["fields"]}
        if kind == "array":
            return [self.default(schema["items"]) for _ in range(self.random.choice([0, 2]))]
        if kind == "map":
            return {key: self.default(schema["values"]) for key in self.random.choice(["", "ab"])}
        made = self.value(schema)
        return made.decode("latin-1") if isinstance(made, bytes) else made


def kind_of(schema: Any) -> str:
    return schema if isinstance(schema, str) else "union" if isinstance(schema, list) else schema["type"]


def logical_of(schema: Any) -> str | None:
    return schema.get("logicalType") if isinstance(schema, dict) else None


def signed(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return (number >> 1) ^ -(number & 1), at


def plain(schema: Any) -> Any:
    """Without this test's own notes."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if not key.startswith("@")}
    return schema


class Comparison:
    """Holds what Arrow gives against what fastavro gives."""

    def __init__(self, maker: Maker, *, dense: bool = False) -> None:
        self.resolve = maker.resolve
        self.dense = dense

    def same(self, schema: Any, arrow: Any, fast: Any, path: str = "") -> None:
        schema = self.resolve(schema)
        kind = kind_of(schema)
        if kind == "union":
            self.union(schema, arrow, fast, path)
        elif kind == "record":
            assert list(arrow) == [field["name"] for field in schema["fields"]], path
            for field in schema["fields"]:
                name = field["name"]
                self.same(field["type"], arrow[name], fast[name], f"{path}.{name}")
        elif kind == "array":
            assert len(arrow) == len(fast), path
            for index, (item, other) in enumerate(zip(arrow, fast, strict=True)):
                self.same(schema["items"], item, other, f"{path}[{index}]")
        elif kind == "map":
            assert [key for key, _ in arrow] == list(fast), path
            for (key, item), other in zip(arrow, fast.values(), strict=True):
                self.same(schema["values"], item, other, f"{path}[{key!r}]")
        else:
            ours, theirs = leaf_of_arrow(schema, arrow), leaf_of_fastavro(schema, fast)
            assert type(ours) is type(theirs), (path, ours, theirs)
            assert ours == theirs, path

    def union(self, schema: list[Any], arrow: Any, fast: Any, path: str) -> None:
        others = [branch for branch in schema if branch != "null"]
        if len(others) == 1 and len(schema) <= 2:
            if arrow is None or fast is None:
                assert arrow is fast, path
            else:
                self.same(others[0], arrow, fast, path)
            return
        if fast is None:
            assert arrow is None, path
            return
        if self.dense:  # which of them it is, pyarrow does not tell: one of them has to fit
            assert any(self.fits(branch, arrow, fast) for branch in others), (path, arrow, fast)
            return
        # The order of the members is that of the branches; their names are another test's business.
        assert len(arrow) == len(others), path
        found = [(branch, value) for branch, value in zip(others, arrow.values(), strict=True) if value is not None]
        assert len(found) == 1, (path, arrow)
        branch, value = found[0]
        kind = kind_of(self.resolve(branch))
        if kind in {"int", "long"} and isinstance(fast, float):  # an earlier branch, for fastavro
            assert logical_of(branch) or float(value) == fast, path
            return
        # A later branch, for fastavro.
        promoted = {"float": (dt.date, dt.time), "double": (dt.date, dt.time), "bytes": (uuid.UUID,)}
        if isinstance(fast, promoted.get(kind, ())) and not logical_of(branch):
            return
        if kind == "string" and isinstance(fast, bytes):
            fast = fast.decode()
        self.same(branch, value, fast, path)

    def fits(self, branch: Any, arrow: Any, fast: Any) -> bool:
        try:
            self.same(branch, arrow, fast)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error):
            return False
        return True


def leaf_of_arrow(schema: Any, value: Any) -> Any:
    logical, kind = logical_of(schema), kind_of(schema)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else (value, math.copysign(1, value))
    if logical == "duration":
        return (value.months, value.days, value.nanoseconds)
    if logical and "timestamp-nanos" in logical:
        return int(value.value)
    if logical and "timestamp" in logical:
        return value.replace(tzinfo=None)
    if logical == "uuid" and kind == "string":
        return uuid.UUID(value)
    return value


def leaf_of_fastavro(schema: Any, value: Any) -> Any:
    logical, kind = logical_of(schema), kind_of(schema)
    if kind in {"bytes", "fixed"} and isinstance(value, str):  # a default
        value = value.encode("latin-1")
    if logical == "decimal":
        if isinstance(value, bytes):
            value = decimal.Decimal(int.from_bytes(value, "big", signed=True))
            value = value.scaleb(-schema["scale"], decimal.Context(prec=80))
        return value
    if logical == "big-decimal":
        return big_decimal(value)
    if logical == "duration":
        months, days, millis = struct.unpack("<III", value)
        return (months, days, millis * 10**6)
    if logical == "uuid":
        if isinstance(value, uuid.UUID):
            return value
        return uuid.UUID(value) if isinstance(value, str) else uuid.UUID(bytes=value)
    if logical and isinstance(value, int) and "nanos" not in logical:
        return moment(logical, value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if kind == "float" and not math.isnan(value):
        with_rounding = struct.unpack("<f", struct.pack("<f", value))[0]
        return (with_rounding, math.copysign(1, with_rounding))
    if kind == "double" and not math.isnan(value):
        return (float(value), math.copysign(1, value))
    return "NaN" if isinstance(value, float) else value


def moment(logical: str, value: int) -> Any:
    base, _, unit = logical.rpartition("-")
    if logical == "date":
        return EPOCH.date() + dt.timedelta(days=value)
    found = EPOCH + dt.timedelta(microseconds=value * (10**6 // SECONDS[unit]))
    return found.time() if base == "time" else found


def big_decimal(value: bytes) -> str:
    length, at = varint(value, 0)
    unscaled = int.from_bytes(value[at : at + length], "big", signed=True)
    scale, _ = varint(value, at + length)
    return (
        format(decimal.Decimal(unscaled).scaleb(-scale, decimal.Context(prec=200)), "f")
        if unscaled
        else (format(decimal.Decimal((0, (0,), -max(scale, 0))), "f"))
    )


def write(parsed: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, parsed, value)
    return stream.getvalue()


def read(parsed: Any, body: bytes, reader: Any = None) -> Any:
    stream = io.BytesIO(body)
    value = fastavro.schemaless_reader(stream, parsed, reader)
    assert not stream.read()
    return value


def decode(schema: Any, bodies: list[bytes], *args: Any, **options: Any) -> pa.RecordBatch:
    batch = pykafarr.decode(schema, bodies, *args, **options)
    batch.validate(full=True)
    assert batch.num_rows == len(bodies)
    return batch


def case(seed: int, *, references: bool = True) -> tuple[Maker, Any, Any, list[bytes]]:
    """A schema (with notes, and as fastavro parsed it) and bodies of it."""
    maker = Maker(seed, references=references)
    schema = maker.record(0, "")
    parsed = fastavro.parse_schema(copy.deepcopy(plain(schema)))
    return maker, schema, parsed, [write(parsed, maker.value(schema)) for _ in range(ROWS)]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_are_the_values_that_fastavro_reads(chunk):
    for seed in range(chunk * CASES, (chunk + 1) * CASES):
        maker, schema, parsed, bodies = case(seed)
        batch = decode(plain(schema), bodies)
        for row, body in zip(batch.to_pylist() if batch.num_columns else [{}] * ROWS, bodies, strict=True):
            Comparison(maker).same(schema, row, read(parsed, body), f"seed {seed}: ")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_read_as_another_schema_are_the_values_that_fastavro_reads(chunk):
    for seed in range(10**6 + chunk * CASES, 10**6 + (chunk + 1) * CASES):
        maker, schema, parsed, bodies = case(seed, references=False)
        reader = maker.reader_branch(schema)
        batch = decode(plain(schema), bodies, plain(reader))
        parsed_reader = fastavro.parse_schema(copy.deepcopy(plain(reader)))
        for row, body in zip(batch.to_pylist() if batch.num_columns else [{}] * ROWS, bodies, strict=True):
            Comparison(maker).same(reader, row, read(parsed, body, parsed_reader), f"seed {seed}: ")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_part_of_the_columns_is_that_part_of_all_columns(chunk):
    for seed in range(2 * 10**6 + chunk * CASES, 2 * 10**6 + (chunk + 1) * CASES):
        maker, schema, _, bodies = case(seed)
        names = [field["name"] for field in schema["fields"]]
        wanted = maker.random.sample(names, maker.random.randint(1, len(names)))
        whole, part = decode(plain(schema), bodies), decode(plain(schema), bodies, columns=wanted)
        assert part.schema.names == [name for name in names if name in wanted], seed
        for name in wanted:
            # Not by `equals`, for which a NaN is no NaN, and which is not made for extension types.
            assert repr(part[name].to_pylist()) == repr(whole[name].to_pylist()), (seed, name)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_dense_unions_hold_what_struct_unions_hold(chunk):
    for seed in range(3 * 10**6 + chunk * CASES, 3 * 10**6 + (chunk + 1) * CASES):
        maker, schema, parsed, bodies = case(seed)
        batch = decode(plain(schema), bodies, unions="dense")
        for row, body in zip(batch.to_pylist() if batch.num_columns else [{}] * ROWS, bodies, strict=True):
            Comparison(maker, dense=True).same(schema, row, read(parsed, body), f"seed {seed}: ")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_corrupted_body_is_an_error_or_a_valid_batch(chunk):
    places = set()
    for seed in range(4 * 10**6 + chunk * CASES, 4 * 10**6 + (chunk + 1) * CASES):
        maker, schema, _, bodies = case(seed)
        decoder = pykafarr.Decoder(plain(schema), unions=maker.random.choice(["struct", "dense"]))
        for body in bodies:
            for broken in corrupted(maker.random, body):
                try:
                    batch = decoder.decode([bodies[0], broken, bodies[1]])
                except pykafarr.DecodeError as error:  # noqa: PERF203
                    places.add(error.offset)
                else:
                    batch.validate(full=True)
                    assert batch.num_rows == 3
    assert places == {1}


def corrupted(rand: random.Random, body: bytes) -> list[bytes]:
    found = [body + b"\0", rand.randbytes(len(body))]
    if body:
        at = rand.randrange(len(body))
        flipped = body[at] ^ 1 << rand.randrange(8)
        found += [
            body[:at],
            body[:at] + bytes([flipped]) + body[at + 1 :],
            body[:at] + b"\xff" * 9 + b"\x01" + body[at + 1 :],
            body[:at] + body[at + 1 :],
        ]
    return found
