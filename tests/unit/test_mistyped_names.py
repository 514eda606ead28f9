"""A name that was mistyped is an error that says which names are known, and which one was probably meant."""

import re
import traceback

import pytest

import pykafarr
from pykafarr._cli import main as cli
from pykafarr._options.nearest import known
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

ORDER = {"type": "record", "name": "shop.Order", "fields": [{"name": "amount", "type": "int"}]}
REFUND = {"type": "record", "name": "shop.Refund", "fields": [{"name": "amount", "type": "int"}]}
NO_ARGUMENT, PROPERTY = "listener() has no argument", '{"auto.offset.reset": …}'
UNKNOWN_TYPE = "message type 'Order'; known are shop.Order, shop.Refund. Did you mean shop.Order?"


@pytest.fixture(scope="module")
def kafka():
    """A topic of two types, whose first one no subject and no last message tells."""
    with MockKafka(topics={"ORDERS": 1}) as made:
        made.produce("ORDERS", ORDER, [{"amount": 1}])
        made.produce("ORDERS", REFUND, [{"amount": 2}])
        yield made


@pytest.fixture
def read(kafka):
    def run(**options):
        return pykafarr.read(kafka.servers, "ORDERS", kafka.registry_url, **options)

    return run


@pytest.mark.parametrize(
    ("name", "names", "said"),
    [
        ("Order", ["shop.Order", "shop.Refund"], "shop.Order, shop.Refund. Did you mean shop.Order?"),
        ("shop.order", ["shop.Order"], "shop.Order. Did you mean shop.Order?"),
        ("sale.Order", ["com.example.shop.Order"], "com.example.shop.Order. Did you mean com.example.shop.Order?"),
        ("costumer", ["customer", "x"], "customer, x. Did you mean customer?"),
        ("zzz", ["customer", "x"], "customer, x"),
        ("x", [], "none"),
        ("n", map(str, range(30)), ", ".join(map(str, range(20))) + ", …"),
    ],
)
def test_an_error_lists_the_names_and_the_nearest_one(name, names, said):
    assert known(name, names) == said


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_mistyped_message_type_of_the_command_line_is_an_error(kafka, form, tmp_path, capsys):
    command = ["read", "--servers", kafka.servers, "--registry", kafka.registry_url, "--topics", "ORDERS"]
    for where in (["--start", "earliest", "--format", form], ["--output", str(tmp_path / "orders.csv")]):
        assert cli.main([*command, *where, "--message-type", "Order"]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert UNKNOWN_TYPE in err
    assert list(tmp_path.iterdir()) == []
    assert cli.main([*command, "--start", "earliest", "--format", form, "--message-type", "shop.Order"]) == 0
    assert "1" in capsys.readouterr().out
    # A type that is known, and has no rows in the range, is no mistake.
    assert cli.main([*command, "--start", "0", "--end", "0", "--message-type", "shop.Refund"]) == 0


def test_a_mistyped_message_type_is_an_error_in_python(kafka, read):
    for method in ("to_pandas", "to_arrow", "reader"):
        with pytest.raises(pykafarr.SchemaError, match=re.escape(UNKNOWN_TYPE)):
            getattr(read(), method)("Order")
    (task,) = pykafarr.scan(kafka.servers, "ORDERS", kafka.registry_url).tasks()
    with pytest.raises(pykafarr.SchemaError, match=re.escape(UNKNOWN_TYPE)):
        task.read().to_pandas("Order")


def test_a_mistyped_column_metadata_or_option_names_the_nearest(kafka, read):
    with pytest.raises(pykafarr.ConfigError, match=r'no field "Amuont": it has amount\. Did you mean amount\?'):
        read(columns=["Amuont"]).to_arrow()
    with pytest.raises(pykafarr.ConfigError, match=r"leader_epoch, tombstone\. Did you mean offset\?"):
        read(metadata=["ofset"])
    with pytest.raises(pykafarr.ConfigError, match=r"unknown limits: 'colums': .* Did you mean columns\?"):
        read(limits={"colums": 7})
    plan = pykafarr.scan(kafka.servers, "ORDERS", kafka.registry_url)
    with pytest.raises(pykafarr.ConfigError, match=r"column is no option of reading: .* Did you mean columns\?"):
        plan.with_options(column=["amount"])


def test_a_mistyped_topic_of_a_scan_names_the_nearest(kafka):
    with pytest.raises(pykafarr.BrokerError, match=r"topic orders: the cluster does not have it.* mean ORDERS\?"):
        pykafarr.scan(kafka.servers, "orders", kafka.registry_url)


@pytest.mark.parametrize("where", [{"topics": "ORDER"}, {"topics": None, "assign": {"ORDER": [0]}}], ids=str)
def test_a_mistyped_topic_of_a_listener_names_the_nearest(kafka, where):
    options = {"registry_url": kafka.registry_url, "ready_timeout": 1000, **where}
    with pykafarr.listener(kafka.servers, "g", **options) as p:
        for _ in range(10):  # the cluster may not have told its topics yet
            with pytest.raises(pykafarr.BrokerError, match="topics that cannot be read: ORDER ") as raised:
                p.poll(10, 100)
            if "Did you mean ORDERS?" in str(raised.value):
                return
        raise raised.value


@pytest.mark.parametrize("opened", [pykafarr.listener, pykafarr.scan, pykafarr.read], ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("auto.ofset.reset", 'no property "auto.ofset.reset". Did you mean auto.offset.reset?'),
        ("enable_auto_commit", 'no property "enable_auto_commit". Did you mean enable.auto.commit?'),
        ("poll.ms", 'no property "poll.ms"'),
        ("schema.registry.url", "the URL of the schema registry is the argument registry_url"),
        ("schema.registry.ssl.ca.location", "belong to registry_config, without schema.registry. before their names"),
        ("basic.auth.user.info", "properties of the schema registry belong to registry_config"),
        ("bearer.auth.token", "properties of the schema registry belong to registry_config"),
        ("value.deserializer", "what values are is said by the argument value"),
    ],
)
def test_a_property_that_the_client_does_not_have_is_shown_its_place(kafka, opened, name, said):
    group = ["g"] if opened is pykafarr.listener else []
    with pytest.raises(pykafarr.ConfigError) as raised:
        opened(kafka.servers, *group, "ORDERS", kafka.registry_url, config={name: "geheim:x"})
    assert str(raised.value).startswith(f'config: there is no property "{name}"')
    assert str(raised.value).endswith(said)


@pytest.mark.parametrize("opened", [pykafarr.listener, pykafarr.scan, pykafarr.read], ids=lambda one: one.__name__)
def test_a_registry_url_without_http_is_shown_the_whole_one(kafka, opened):
    group = ["g"] if opened is pykafarr.listener else []
    for url in ("localhost:8081", "127.0.0.1:8081", "registry"):
        said = f'registry_url: "{url}" does not begin with http:// or https://. Did you mean http://{url}?'
        with pytest.raises(pykafarr.ConfigError, match=re.escape(said)):
            opened(kafka.servers, *group, "ORDERS", url)
    with pytest.raises(pykafarr.ConfigError, match="url: the registry's URL is the argument registry_url"):
        opened(kafka.servers, *group, "ORDERS", kafka.registry_url, registry_config={"schema.registry.url": "x"})


@pytest.mark.parametrize(
    ("call", "keyword", "said"),
    [
        (pykafarr.listener, "colums", "listener() has no argument 'colums'. Did you mean columns?"),
        (pykafarr.listener, "group_id", "listener() has no argument 'group_id'. Did you mean group?"),
        (pykafarr.scan, "metdata", "scan() has no argument 'metdata'. Did you mean metadata?"),
        (pykafarr.read, "metdata", "scan() has no argument 'metdata'. Did you mean metadata?"),
        (pykafarr.decode, "reader", "decode() has no argument 'reader'. Did you mean reader_schema?"),
        (pykafarr.Decoder, "union", "Decoder() has no argument 'union'. Did you mean unions?"),
        (MockKafka, "topic", "MockKafka() has no argument 'topic'. Did you mean topics?"),
        (MockKafka, "zzz", "MockKafka() has no argument 'zzz'"),
        (
            pykafarr.listener,
            "auto_offset_reset",
            f"{NO_ARGUMENT} 'auto_offset_reset'. A property of the client goes into config={PROPERTY}",
        ),
    ],
)
def test_a_mistyped_keyword_names_the_nearest(call, keyword, said):
    given = {"read": ["s:1", "t", None], "scan": ["s:1", "t", None]}.get(getattr(call, "__name__", ""), [])
    with pytest.raises(TypeError) as raised:
        call(*given, **{keyword: 1})
    assert str(raised.value) == said


def test_keywords_leave_no_password_in_their_frame(kafka):
    with pytest.raises(pykafarr.ConfigError) as raised:
        pykafarr.listener(kafka.servers, "g", "ORDERS", None, registry_config={"zz": "a-password"})
    frames = [frame for frame in traceback.walk_tb(raised.value.__traceback__) if frame[0].f_code.co_name == "call"]
    assert frames
    assert "a-password" not in str([frame.f_locals for frame, _ in frames])
