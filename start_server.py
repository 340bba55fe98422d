"""Start the server with the pages and the scheduler; it is not part of this version, and this says so."""

import sys

if __name__ == "__main__":
    sys.stderr.write(
        "This version has no server yet; every backup and restore works from the command line: "
        "python scripts/backup_restore.py --help\n"
    )
    sys.exit(3)
