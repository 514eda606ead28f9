"""Every row of a topic is delivered once, while the members of the group come and go and rows continue to come."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.ledger import Book, Member, until
from tests.integration.test_groups import PROTOCOLS

PARTITIONS = 4
MOST_MEMBERS = 3
# Members that join and leave.
REBALANCES = {"eager": 30, "cooperative": 30, "KIP-848": 12}


@pytest.mark.slow
@pytest.mark.parametrize("mixed", ["split", "group"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_members_that_close_cleanly_neither_lose_nor_repeat_a_row(protocol, mixed, cluster, writer, listen, committed):
    topic = cluster.new_topic(PARTITIONS)
    book = Book(writer, topic, PARTITIONS)
    choose = random.Random(protocol + mixed)
    members, leaving = [], []

    def check():
        for member in members + leaving:
            member.check()

    def meanwhile():
        book.write()
        check()

    def join():
        members.append(Member(pool, open_listener, book, drains=mixed == "group"))
        member = members[-1]
        until(lambda: member.rebalances > 0, "a member that joined was assigned nothing", meanwhile)

    def leave():
        leaving.append(members.pop(choose.randrange(len(members))))
        leaving[-1].leave()
        if choose.random() < 0.5:  # else the next one comes while this one goes
            until(leaving[-1].left, "a member does not leave", meanwhile)

    def open_listener():
        return listen(topic, config=PROTOCOLS[protocol], metadata=("partition", "offset"), mixed=mixed)

    with ThreadPoolExecutor(REBALANCES[protocol]) as pool:
        try:
            for _ in range(REBALANCES[protocol]):
                if len(members) < 2 or (len(members) < MOST_MEMBERS and choose.random() < 0.5):
                    join()
                else:
                    leave()
                book.write(50)
            until(lambda: not book.lost, book.describe_lost, check)
        finally:
            for member in members:
                member.leave()
    for member in members + leaving:
        assert member.left()

    assert not book.repeated
    assert not book.changed
    ends = [max(offset for partition, offset in book.written if partition == of) + 1 for of in range(PARTITIONS)]
    assert [committed(topic, partition) for partition in range(PARTITIONS)] == ends
