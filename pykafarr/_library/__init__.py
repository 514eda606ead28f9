"""The native library: loaded, called, and what belongs to its process."""
