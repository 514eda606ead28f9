"""The environment variables that the library's HTTP and TLS connections use."""

from __future__ import annotations

import os

from .secrets import Hidden

_NAMES = (
    *("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUEST_METHOD"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)


def environment() -> dict[str, str]:
    """Those that are set now. The library's own copy of the environment is as old as the process."""
    return {name: Hidden(os.environ[name]) for name in _NAMES if name in os.environ}
