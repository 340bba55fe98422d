"""The guide's command line: `python scripts/backup_restore.py ...` is the installed `pinnacle-backup ...`."""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # Python itself leaves it out under -P
    from handover import hand_over

    hand_over()
    from pinnacle_backup.cli.main import main

    sys.exit(main())
