"""`python -m deepmotif` is the command line."""

import sys

from deepmotif.cli import main

sys.exit(main())
