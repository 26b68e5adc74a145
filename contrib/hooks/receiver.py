#!/usr/bin/env python3
"""A receiver of ferry's hooks: it checks signatures, and forgets what comes twice.

  SECRET=whsec_... ./receiver.py 8080
  ferry serve ftp ... with [[hooks]] events = "upload.stored", url = "http://localhost:8080/", secret = "whsec_..."
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

SECRET = os.environ.get("SECRET", "")
SEEN = collections.OrderedDict()  # ids; a real receiver keeps them with what it has done


def signed(headers, body):
    """Reports whether body comes from who knows SECRET, and not from a record of long ago."""
    secret = SECRET.encode()
    if SECRET.startswith("whsec_"):
        secret = base64.b64decode(SECRET[len("whsec_"):])
    stamp = headers.get("webhook-timestamp", "0")
    if abs(time.time() - int(stamp)) > 300:
        return False
    text = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(want, one) for one in headers.get("webhook-signature", "").split())


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 204
        if SECRET and not signed(self.headers, body):
            status = 401
        else:
            events = json.loads(body)
            for event in events if isinstance(events, list) else [events]:
                self.take(event)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def take(self, event):
        if event["id"] in SEEN:
            return
        SEEN[event["id"]] = True
        if len(SEEN) > 100_000:
            SEEN.popitem(last=False)
        print(event["type"], event.get("subject", ""), event["data"].get("user", ""), flush=True)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("localhost", int(sys.argv[1])), Receiver).serve_forever()
