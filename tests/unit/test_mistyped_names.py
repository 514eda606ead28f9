"""A name that was mistyped is an error that says which names are known, and which one was probably meant."""

import re

import pytest

import pykafarr
from pykafarr import _cli
from pykafarr._nearest import known
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

ORDER = {"type": "record", "name": "shop.Order", "fields": [{"name": "amount", "type": "int"}]}
REFUND = {"type": "record", "name": "shop.Refund", "fields": [{"name": "amount", "type": "int"}]}
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
        assert _cli.main([*command, *where, "--message-type", "Order"]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert UNKNOWN_TYPE in err
    assert list(tmp_path.iterdir()) == []
    assert _cli.main([*command, "--start", "earliest", "--format", form, "--message-type", "shop.Order"]) == 0
    assert "1" in capsys.readouterr().out
    # A type that is known, and has no rows in the range, is no mistake.
    assert _cli.main([*command, "--start", "0", "--end", "0", "--message-type", "shop.Refund"]) == 0


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
