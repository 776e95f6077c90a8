"""`python -m leadline`, for where the script is not on the path."""

import sys

from leadline.cli.entry import main

sys.exit(main())
