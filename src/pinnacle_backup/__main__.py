"""``python -m pinnacle_backup`` is the installed ``pinnacle-backup``."""

import sys

from pinnacle_backup.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
