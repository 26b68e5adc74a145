"""A minimal pyftpdlib server: one user, one directory, the library's defaults otherwise.

Arguments: DIR PORT FIRST-LAST [PEM]
"""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

directory, port, passive = sys.argv[1:4]
if len(sys.argv) > 4:
    from pyftpdlib.handlers import TLS_FTPHandler as FTPHandler

    FTPHandler.certfile = sys.argv[4]

first, last = map(int, passive.split("-"))
FTPHandler.passive_ports = range(first, last + 1)
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user("bench", "bench", directory, perm="elradfmwMT")
logging.basicConfig(level=logging.ERROR)

server = FTPServer(("127.0.0.1", int(port)), FTPHandler)
server.max_cons = 4096
server.serve_forever()
