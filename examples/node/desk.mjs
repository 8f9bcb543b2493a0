/**
 * A desk in one file: it takes events, drops repeats, replies, closes, and reads the timeline.
 * It answers every text with a greeting, and closes the ticket when the customer writes "selesai" (done).
 */
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const { RELAY, DESK_TOKEN = "", SIGNING_SECRET = "", PORT = "3000", DATABASE = "desk.sqlite" } = process.env;
const webhook = new Webhook(SIGNING_SECRET);

const database = new DatabaseSync(DATABASE);
database.exec("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT NOT NULL, handled INTEGER DEFAULT 0)");
const insert = database.prepare("INSERT OR IGNORE INTO event (id, body) VALUES (?, ?)");
const nextEvent = database.prepare("SELECT id, body FROM event WHERE handled = 0 ORDER BY rowid LIMIT 1");
const markHandled = database.prepare("UPDATE event SET handled = 1 WHERE id = ?");

const server = createServer(async (request, response) => {
  const body = await buffer(request);
  try {
    webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(401).end();
  }
  // The id is the same in every attempt: one that is in the table already is a repeat.
  const id = String(request.headers["webhook-id"]);
  const { changes } = insert.run(id, body.toString());
  console.log(changes === 1 ? `received ${body.toString()}` : `dropped a repeat of ${id}`);
  // Answered once it is stored: the ticket's next event waits for this.
  response.writeHead(200, { "content-type": "application/json" }).end('{"status":"success"}');
  void handleAll();
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`The desk listens at http://127.0.0.1:${PORT}`));

let busy = false;
/** Handles what is stored, one after another; after a crash it goes on with what was left. */
async function handleAll() {
  if (busy) return;
  busy = true;
  try {
    for (let row = nextEvent.get(); row; row = nextEvent.get()) {
      await handle(String(row.id), JSON.parse(String(row.body)));
      markHandled.run(row.id);
    }
  } catch (error) {
    // The relay is away: try again, under the same idempotency keys, so that nothing is sent twice.
    console.error(String(error));
    setTimeout(handleAll, 1000);
  }
  busy = false;
}
void handleAll();

async function handle(id, { ticketNumber, channel, owner, customerName, messageType, message }) {
  if (messageType !== "text") return;
  const ticket = { ticketNumber, channel, owner };
  const text = { messageType: "text", message: `Halo ${customerName}, pesan Anda kami terima.`, mediaLink: "" };
  await call("POST", "/v1/outgoing", `reply-${id}`, { ...ticket, ...text, customerName });
  if (message.trim().toLowerCase() !== "selesai") return;
  await call("POST", "/v1/command", `close-${id}`, { ...ticket, event: "Close" });
  const query = new URLSearchParams({ owner });
  const answer = await call("GET", `/v1/tickets/${encodeURIComponent(ticketNumber)}?${query}`);
  for (const { lane, sequence, kind, state } of answer.ticket.messages) console.log(lane, sequence, kind, state);
}

async function call(method, path, key, body) {
  const headers = { authorization: `Bearer ${DESK_TOKEN}`, "content-type": "application/json", prefer: "wait=10" };
  if (key) headers["idempotency-key"] = key;
  const response = await fetch(RELAY + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const answer = await response.json();
  console.log(`${method} ${path}: ${response.status} ${response.headers.get("relay-delivery") ?? ""}`);
  const mayPass = response.status === 429 || response.status >= 500;
  if (mayPass && answer.error.code !== "delivery_failed") throw new Error(JSON.stringify(answer));
  return answer;
}
