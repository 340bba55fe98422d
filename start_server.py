"""Start the server with the pages and the scheduler: `python start_server.py` is `pinnacle-backup serve`."""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts"))
    from handover import hand_over

    hand_over()
    from pinnacle_backup.cli.main import main

    sys.argv.insert(1, "serve")
    sys.exit(main())
