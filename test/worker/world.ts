import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Ticket } from "../../src/index";
import type { TicketView, TimelineMessage } from "../../src/model/answers";

/** A relay in workerd, with the far ends played by a function in place of `fetch`. */

export type Sent = { url: string; headers: Headers; body: string };
type Answer = (sent: Sent) => Response | Promise<Response>;

export const ok: Answer = () => Response.json({ status: "success" });
export const status =
  (code: number): Answer =>
  () =>
    new Response("", { status: code });

/**
 * Takes the place of both far ends in each test of a file, and leaves nothing of it to the next: what was sent, oldest
 * first, and how to answer from now on.
 */
export function useFarEnds() {
  const sent: Sent[] = [];
  let answer = ok;
  beforeEach(() => {
    sent.length = 0;
    answer = ok;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      const one = { url: request.url, headers: request.headers, body: await request.text() };
      sent.push(one);
      return answer(one);
    });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await reset();
    vi.restoreAllMocks();
  });
  return {
    sent,
    texts: () => sent.map((one) => (JSON.parse(one.body) as { message?: string }).message ?? ""),
    answerWith: (next: Answer) => {
      answer = next;
    },
    until: (count: number) => vi.waitFor(() => expect(sent.length).toBeGreaterThanOrEqual(count), WAIT),
  };
}

const WAIT = { timeout: 10_000, interval: 5 };
const ORIGIN = "https://relay.example";
export const OPERATOR = { authorization: "Bearer an-operator-token-for-tests-alone-0123456789" };

export const call = (path: string, init: RequestInit = {}) => exports.default.fetch(new Request(ORIGIN + path, init));

export async function operator(method: string, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await call(`/admin${path}`, { method, headers: OPERATOR, ...init });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

let count = 0;
/** No two tests share an owner: what an isolate has read of a tenant outlives the storage of a test. */
export const fresh = (what: string) => `${what}-${++count}-${crypto.randomUUID().slice(0, 8)}`;

export async function registerTenant(record: Record<string, unknown> = {}): Promise<string> {
  const owner = fresh("owner");
  await operator("PUT", `/tenants/${owner}`, {
    dolphins: { baseUrl: "https://bank.example.com" },
    desk: { type: "native", url: "https://desk.example.com/hook" },
    ...record,
  });
  return owner;
}

export async function tokenOf(owner: string): Promise<string> {
  const answer = await operator("GET", `/tenants/${owner}/credentials`);
  return (answer as { credentials: { token: string } }).credentials.token;
}

export const incoming = (owner: string, ticketNumber: string, message: string, more: Record<string, unknown> = {}) =>
  call("/v1/dolphins/ingress-key-of-main/incoming", {
    method: "POST",
    body: JSON.stringify({
      ticketNumber,
      channel: "whatsapp",
      accountId: "628128778222",
      contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
      messageType: "text",
      message,
      mediaLink: "",
      customerName: "Farhan Akbar",
      createdDate: "2021-04-28T15:39:37.945",
      owner,
      ...more,
    }),
  });

export const outgoing = (token: string, ticketNumber: string, message: string, headers: Record<string, string> = {}) =>
  call("/v1/outgoing", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({
      ticketNumber,
      channel: "whatsapp",
      messageType: "text",
      message,
      mediaLink: "",
      customerName: "Farhan Akbar",
    }),
  });

export const close = (token: string, ticketNumber: string) =>
  call("/v1/command", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ ticketNumber, channel: "whatsapp", event: "Close" }),
  });

export async function accepted(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  expect(response.status, await response.text()).toBe(200);
  return response.headers.get("relay-message-id") ?? "";
}

export const ticketOf = (owner: string, ticketNumber: string): DurableObjectStub<Ticket> =>
  env.TICKET.getByName(JSON.stringify([owner, ticketNumber]));

export const viewOf = async (owner: string, ticketNumber: string): Promise<TicketView["ticket"]> =>
  ((await operator("GET", `/tickets/${owner}/${ticketNumber}`)) as TicketView).ticket;

/** The view, once `condition` holds of it. */
export const untilView = (
  owner: string,
  ticketNumber: string,
  condition: (view: TicketView["ticket"]) => boolean,
): Promise<TicketView["ticket"]> =>
  vi.waitFor(async () => {
    const view = await viewOf(owner, ticketNumber);
    expect(condition(view), JSON.stringify(view.lanes)).toBe(true);
    return view;
  }, WAIT);

export const states = (messages: TimelineMessage[]): string[] => messages.map((message) => message.state);

export const alarmOf = (stub: DurableObjectStub<Ticket>): Promise<number | null> =>
  runInDurableObject(stub, (_ticket, state) => state.storage.getAlarm());

export const loseAlarm = (stub: DurableObjectStub<Ticket>): Promise<void> =>
  runInDurableObject(stub, (_ticket, state) => state.storage.deleteAlarm());

/** Until the index has acknowledged the report of the ticket's opening, which goes out when its first alarm fires. */
const untilReported = (stub: DurableObjectStub<Ticket>): Promise<void> =>
  vi.waitFor(async () => {
    const last = await runInDurableObject(stub, (_ticket, { storage }) =>
      storage.sql.exec<{ told: string | null }>("SELECT told FROM ticket").one(),
    );
    expect(last.told).not.toBeNull();
  }, WAIT);

/** The ticket "t" of a new tenant, at rest: its first message is delivered, its alarm has rung, and its index knows of it. */
export async function ticketAtRest(
  record: Record<string, unknown> = {},
): Promise<{ owner: string; stub: DurableObjectStub<Ticket> }> {
  const owner = await registerTenant(record);
  const stub = ticketOf(owner, "t");
  await accepted(incoming(owner, "t", "the first"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
  await runDurableObjectAlarm(stub);
  await untilReported(stub);
  return { owner, stub };
}
