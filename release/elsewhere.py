"""`python -m release.elsewhere`: where there is no library, the import must say so; it succeeds if it does."""

import sys

try:
    import pykafarr
except ImportError as error:
    print(f"ImportError: {error}")
    sys.exit(0 if "pykafarr" in str(error) and sys.platform in str(error) else 1)
print(f"pykafarr {pykafarr.__version__} was imported on {sys.platform}")
sys.exit(1)
