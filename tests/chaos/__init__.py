"""What is left of the messages when brokers, listeners and consumers fail: `python -m tests.chaos`, or `make chaos`.

Each module has a `run(…)` with the number of failures as an argument: few in
tests/integration/test_faults.py, many here.
"""
