"""Test your own code without a Kafka: an embedded broker and an embedded schema registry.

Example:
    with MockKafka(topics={"prices": 2}) as kafka:
        kafka.produce("prices", PRICE_SCHEMA, [{"symbol": "GBPUSD", "bid": 1.27}])
        config = {"auto.offset.reset": "earliest"}
        with pykafarr.listener(kafka.servers, "test", "prices", kafka.registry_url, config=config) as p:
            message_type, frame = p.poll(num_messages=1)
"""

from .._naming import publish
from .mock import MockKafka

__all__ = ["MockKafka"]

publish(MockKafka, __name__)  # as users name it
del publish
