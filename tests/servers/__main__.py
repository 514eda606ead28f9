"""python -m tests.servers: runs the broker and the registry in the foreground until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys

from .cluster import start
from .process import ServerError


def main() -> int:
    """Starts both servers, prints where they are, and stops them at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=main.__doc__)
    parser.add_argument("--topic", action="append", default=[], metavar="NAME[:PARTITIONS]", help="create this topic")
    arguments = parser.parse_args()

    # SIGTERM ends it as Ctrl-C does: through the with block, which stops the servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with start() as cluster:
            for wanted in arguments.topic:
                name, _, partitions = wanted.partition(":")
                cluster.create_topic(name, int(partitions or 1))
            print(f"Kafka     {cluster.servers}")
            print(f"registry  {cluster.registry_url}")
            print(f"logs      {cluster.folder}")
            print("Ctrl-C stops both and removes their data.", flush=True)
            cluster.wait()
    except KeyboardInterrupt:
        return 0
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
