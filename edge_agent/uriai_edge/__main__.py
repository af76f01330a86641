"""``python -m uriai_edge`` is ``uriai-edge``."""

import sys

from uriai_edge.cli import main

sys.exit(main())
