"""A desk in one file, with the standard library alone (Python 3.9 or newer).

It takes events, drops repeats, replies, closes, and reads the timeline: it answers every text with a greeting, and closes
the ticket when the customer writes "selesai" (done).
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RELAY = os.environ["RELAY"]
TOKEN = os.environ["DESK_TOKEN"]
SECRET = base64.b64decode(os.environ["SIGNING_SECRET"].removeprefix("whsec_"))
PORT = int(os.environ.get("PORT", "3000"))

database = sqlite3.connect(os.environ.get("DATABASE", "desk.sqlite"), check_same_thread=False, isolation_level=None)
database.execute("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT NOT NULL, handled INTEGER DEFAULT 0)")
lock = threading.Lock()
arrived = threading.Event()


def query(sql, *parameters):
    with lock:
        cursor = database.execute(sql, parameters)
        return cursor.fetchall(), cursor.rowcount


def is_signed(headers, body):
    """Standard Webhooks: HMAC-SHA256 over id, timestamp and the raw body. During a rotation there are two signatures."""
    sent_at = headers.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{sent_at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures)


class Desk(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_signed(self.headers, body):
            return self.answer(401, {"status": "error"})
        # The id is the same in every attempt: one that is in the table already is a repeat.
        message_id = self.headers["webhook-id"]
        _, added = query("INSERT OR IGNORE INTO event (id, body) VALUES (?, ?)", message_id, body.decode())
        print(f"received {body.decode()}" if added else f"dropped a repeat of {message_id}", flush=True)
        # Answered once it is stored: the ticket's next event waits for this.
        self.answer(200, {"status": "success"})
        arrived.set()

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def call(method, path, key=None, content=None):
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", "prefer": "wait=10"}
    if key:
        headers["idempotency-key"] = key
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(RELAY + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, answer = response.status, json.load(response)
    except urllib.error.HTTPError as error:
        status, answer = error.code, json.load(error)
    print(f"{method} {path}: {status}", flush=True)
    if (status == 429 or status >= 500) and answer["error"]["code"] != "delivery_failed":
        raise OSError(answer)
    return answer


def handle(message_id, event):
    if event.get("messageType") != "text":
        return
    ticket = {name: event[name] for name in ("ticketNumber", "channel", "owner")}
    name = event["customerName"]
    text = {"messageType": "text", "message": f"Halo {name}, pesan Anda kami terima.", "mediaLink": ""}
    call("POST", "/v1/outgoing", f"reply-{message_id}", {**ticket, **text, "customerName": name})
    if event["message"].strip().lower() != "selesai":
        return
    call("POST", "/v1/command", f"close-{message_id}", {**ticket, "event": "Close"})
    owner = urllib.parse.urlencode({"owner": event["owner"]})
    answer = call("GET", f"/v1/tickets/{urllib.parse.quote(event['ticketNumber'], safe='')}?{owner}")
    for message in answer["ticket"]["messages"]:
        print(message["lane"], message["sequence"], message["kind"], message["state"], flush=True)


def handle_all():
    """Handles what is stored, one after another; after a crash it goes on with what was left."""
    while True:
        arrived.clear()
        rows, _ = query("SELECT id, body FROM event WHERE handled = 0 ORDER BY rowid LIMIT 1")
        if not rows:
            arrived.wait()
            continue
        try:
            handle(rows[0][0], json.loads(rows[0][1]))
            query("UPDATE event SET handled = 1 WHERE id = ?", rows[0][0])
        except (OSError, ValueError) as error:
            # The relay is away: try again, under the same idempotency keys, so that nothing is sent twice.
            print(error, flush=True)
            time.sleep(1)


threading.Thread(target=handle_all, daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", PORT), Desk)
print(f"The desk listens at http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
