"""Kafka topics to frames, against the other ways of doing it: `make bench`. bench/README.md tells the method."""
