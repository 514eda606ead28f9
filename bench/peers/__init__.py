"""Decoding Protobuf and JSON in memory, against the fastest other libraries."""
