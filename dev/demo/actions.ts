import { type Content, closeEvent, incomingEvent, outgoingEvent, ticketNumber } from "./events.ts";
import { type Ticket, call, read, refusal, same, ticketAnswer } from "../harness/client.ts";
import type { Received } from "../fakes/far-end.ts";
import { poll } from "../harness/poll.ts";
import { action, seconds, speech } from "../harness/print.ts";
import type { Scenario } from "./scenario.ts";

/** A message that the relay has taken on. */
export type Accepted = {
  id: string;
  sequence: number;
  sent: Record<string, unknown>;
  atMs: number;
};

/** The customer writes: 3Dolphins posts it to the relay, which has to accept it. */
export async function customerWrites(
  scenario: Scenario,
  content: Content,
  meaning: string,
  shown = content.message,
): Promise<Accepted> {
  speech("customer", shown, meaning);
  const sent = incomingEvent(scenario.owner, content);
  return post(`${scenario.engineBaseUrl}/incoming`, sent, "3Dolphins", "the desk", {});
}

/** The agent answers: the desk posts it to the relay with its token and waits up to 10 s to hear what became of it. */
export async function agentWrites(scenario: Scenario, content: Content, meaning: string): Promise<Accepted> {
  speech("agent", content.message, meaning);
  const sent = outgoingEvent(scenario.owner, content);
  return post(`${scenario.relay.url}/v1/outgoing`, sent, "the desk", "3Dolphins", {
    token: scenario.deskToken,
  });
}

export async function agentCloses(scenario: Scenario): Promise<Accepted> {
  const sent = closeEvent(scenario.owner);
  return post(`${scenario.relay.url}/v1/command`, sent, "the desk", "3Dolphins", {
    token: scenario.deskToken,
  });
}

/** The agent writes after Close. Returns what the relay answered to the desk. */
export async function agentIsRefused(scenario: Scenario, content: Content, meaning: string) {
  speech("agent", content.message, meaning);
  const body = outgoingEvent(scenario.owner, content);
  const reply = await call("POST", `${scenario.relay.url}/v1/outgoing`, {
    token: scenario.deskToken,
    body,
  });
  same("The status of a reply after Close", reply.status, 409, JSON.stringify(reply.body));
  const { error } = refusal.parse(reply.body);
  same("The code of a reply after Close", error.code, "ticket_closed");
  return { status: reply.status, ...error };
}

async function post(
  url: string,
  sent: Record<string, unknown>,
  from: string,
  to: string,
  auth: { token?: string },
): Promise<Accepted> {
  const waits = auth.token !== undefined;
  const atMs = Date.now();
  const reply = await call("POST", url, {
    ...auth,
    body: sent,
    headers: waits ? { prefer: "wait=10" } : {},
  });
  same(`The answer to POST ${new URL(url).pathname}`, [reply.status, reply.body], [200, { status: "success" }]);
  const id = reply.headers.get("relay-message-id") ?? "";
  const sequence = Number(reply.headers.get("relay-sequence"));
  if (!id.startsWith("msg_") || !(sequence >= 1))
    throw new Error(`The relay's answer names the message "${id}", number ${sequence}.`);
  const delivery = reply.headers.get("relay-delivery");
  if (waits) same("The header relay-delivery", delivery, "delivered");
  const outcome = waits ? `, and ${delivery}` : "";
  action(
    "relay",
    `answered ${from} ${reply.status} after ${seconds(reply.ms)}: stored as message ${sequence} to ${to}${outcome}`,
  );
  return { id, sequence, sent, atMs };
}

/** Waits for one attempt at a message to reach the desk, and checks what came against what 3Dolphins sent. */
export async function deskReceives(
  scenario: Scenario,
  accepted: Accepted,
  expected: Partial<Content> = {},
  attempt = 1,
): Promise<Received> {
  const isIt = (request: Received) =>
    request.headers["webhook-id"] === accepted.id && request.headers["relay-attempt"] === String(attempt);
  const all = await scenario.desk.until(
    (received) => received.some(isIt),
    `attempt ${attempt} of ${accepted.id} at the desk`,
  );
  const request = found(all, isIt);
  if (!scenario.desk.verified.has(request))
    throw new Error(`The desk could not verify the signature of ${accepted.id}.`);
  same("What the desk received", JSON.parse(request.body), { ...accepted.sent, ...expected });
  same("The header relay-sequence at the desk", request.headers["relay-sequence"], String(accepted.sequence));
  return request;
}

/** Waits for a message to reach 3Dolphins at this path, and checks it against what the desk sent. */
export async function engineReceives(scenario: Scenario, accepted: Accepted, path: string): Promise<Received> {
  const isIt = (request: Received) => request.headers["relay-message-id"] === accepted.id;
  const all = await scenario.engine.until((received) => received.some(isIt), `${accepted.id} at 3Dolphins`);
  const request = found(all, isIt);
  same("The path at 3Dolphins", request.path, path);
  const body: Record<string, unknown> = JSON.parse(request.body);
  for (const [field, value] of Object.entries(accepted.sent))
    same(`The field ${field} at 3Dolphins`, body[field], value);
  return request;
}

/** The ticket as the operator sees it, read again until `condition` holds. */
export async function readTicket(
  scenario: Scenario,
  condition: (ticket: Ticket) => boolean,
  what: string,
): Promise<Ticket> {
  const url = `${scenario.relay.url}/admin/tickets/${scenario.owner}/${ticketNumber}`;
  const ticket = await poll(
    async () => read(await call("GET", url, { token: scenario.adminToken }), ticketAnswer, "Reading the ticket").ticket,
    condition,
    { timeoutMs: 10_000, everyMs: 25 },
  );
  if (condition(ticket)) return ticket;
  throw new Error(`The ticket never showed ${what}. It shows: ${JSON.stringify(ticket.lanes)}, ${ticket.state}`);
}

function found(all: Received[], isIt: (request: Received) => boolean): Received {
  const request = all.find(isIt);
  if (request === undefined) throw new Error("What was received is gone.");
  return request;
}
