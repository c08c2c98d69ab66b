"""`python -m serving`: a worker of several, started by the supervisor, which hands it the socket."""

import os
import socket
import sys

from models.bundle.lean import import_lean


def main() -> int:
    """Serve on the inherited socket; 1 where there is no model to serve."""
    from models.errors import DamagedBundle
    from serving.logs import note
    from serving.security import KeysUnreadable
    from serving.server import Closed, run
    from serving.settings import Settings
    from serving.supervisor import SOCKET

    try:
        run(Settings(), socket.socket(fileno=int(os.environ[SOCKET])))
    except (DamagedBundle, KeysUnreadable, Closed, OSError) as error:
        note("not started", "error", why=str(error))
        return 1
    return 0


if __name__ == "__main__":
    import_lean("pandas", "pyarrow")
    sys.exit(main())
