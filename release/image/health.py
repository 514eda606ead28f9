"""The health check of the runtime image: status 0 while the container is well.

The library decodes, and, where HEALTH_FILE names a file that the application touches as it goes, that is younger than
HEALTH_SECONDS (60).
"""

import os
import sys
import time
from pathlib import Path

import pykafarr

assert pykafarr.decode('"long"', [b"\x02"]).num_rows == 1
if named := os.environ.get("HEALTH_FILE"):
    try:
        age = time.time() - Path(named).stat().st_mtime
    except FileNotFoundError:
        sys.exit(f"{named} is not there: the application has not begun, or does not touch it")
    if age > float(os.environ.get("HEALTH_SECONDS", "60")):
        sys.exit(f"{named} was touched {age:.0f} s ago: the application makes no progress")
