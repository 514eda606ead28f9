"""`python -m pykafarr`."""

import sys

from ._cli import main

sys.exit(main())
