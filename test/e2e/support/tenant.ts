import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import type { FarEnd, Received } from "../../../dev/fakes/far-end.ts";
import { closeEvent, incomingEvent, outgoingEvent } from "./events.ts";
import { type Reply, accepted } from "./http.ts";
import { type Ticket, TicketAnswer, poll } from "./timeline.ts";
import type { World } from "./world.ts";

type Fields = Record<string, unknown>;
type Headers = Record<string, string>;

export type Tenant = {
  owner: string;
  desk: FarEnd;
  engine: FarEnd;
  token: string;
  signingSecret: string;
  /** As the engine, with the key in the path. */
  incoming: (ticketNumber: string, fields?: Fields, headers?: Headers) => Promise<Reply>;
  engineClose: (ticketNumber: string, headers?: Headers) => Promise<Reply>;
  /** As the desk, with its token and the owner given. */
  reply: (ticketNumber: string, fields?: Fields, headers?: Headers) => Promise<Reply>;
  close: (ticketNumber: string, headers?: Headers) => Promise<Reply>;
  /** As the desk, by signature. */
  signed: (
    path: string,
    event: unknown,
    how?: { id?: string; secret?: string; at?: Date; headers?: Headers },
  ) => Promise<Reply>;
  /** As the operator. */
  ticket: (ticketNumber: string, query?: string) => Promise<Ticket>;
  untilTicket: (ticketNumber: string, condition: (ticket: Ticket) => boolean, what: string) => Promise<Ticket>;
  replay: (ticketNumber: string, what: unknown) => Promise<Reply>;
};

export function newTicketNumber(): string {
  return randomUUID().replaceAll("-", "");
}

export function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}

export function makeTenant(
  world: World,
  identity: Pick<Tenant, "owner" | "desk" | "engine" | "token" | "signingSecret">,
): Tenant {
  const { owner, token } = identity;
  const post = (path: string, body: unknown, headers: Headers = {}): Promise<Reply> =>
    world.call(path, { method: "POST", body, headers });
  const fromEngine = `/v1/dolphins/${world.ingressKey}`;
  const ticketPath = (ticketNumber: string): string => `/admin/tickets/${owner}/${ticketNumber}`;
  const tenant: Tenant = {
    ...identity,
    incoming: (number, fields, headers) =>
      post(`${fromEngine}/incoming`, incomingEvent(owner, number, fields), headers),
    engineClose: (number, headers) => post(`${fromEngine}/command`, closeEvent(owner, number), headers),
    reply: (number, fields, headers) =>
      post("/v1/outgoing", outgoingEvent(owner, number, fields), { ...bearer(token), ...headers }),
    close: (number, headers) => post("/v1/command", closeEvent(owner, number), { ...bearer(token), ...headers }),
    signed: (path, event, how = {}) => {
      const { id = `evt_${randomUUID()}`, secret = identity.signingSecret, at = new Date(), headers } = how;
      const body = typeof event === "string" ? event : JSON.stringify(event);
      return post(path, body, {
        ...headers,
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
        "webhook-signature": new Webhook(secret).sign(id, at, body),
      });
    },
    ticket: async (number, query = "") => {
      const reply = await world.admin("GET", ticketPath(number) + query);
      if (reply.status !== 200) throw new Error(`ticket ${number} answered ${reply.status} ${reply.text}`);
      return TicketAnswer.parse(reply.body).ticket;
    },
    untilTicket: (number, condition, what) => poll(() => tenant.ticket(number), condition, what),
    replay: (number, what) => world.admin("POST", `${ticketPath(number)}/replay`, what),
  };
  return tenant;
}

/** The number of a new ticket that the tenant's customer has opened with one message. */
export async function openTicket(tenant: Tenant): Promise<string> {
  const ticketNumber = newTicketNumber();
  accepted(await tenant.incoming(ticketNumber));
  return ticketNumber;
}

/** Whether a signature on what the desk received is right for the secret. */
export function isSignedBy(received: Received, secret: string): boolean {
  try {
    new Webhook(secret).verify(received.body, received.headers);
    return true;
  } catch {
    return false;
  }
}

/** An answer held back until the test lets it go: the far end is slow for exactly as long as the test needs. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}
