import { env } from "cloudflare:workers";
import worker from "../../../src/index";
import type { Report } from "../../../src/model/ticket-report";
import type { TicketSummary } from "../../../src/model/answers";
import { operator } from "../world";

/** A tenant's index, and tickets that have reported to it though there are none. */

export const indexOf = (owner: string) => env.TENANT_INDEX.getByName(owner);

export const sweep = async () => {
  await worker.scheduled({ cron: "*/5 * * * *", scheduledTime: Date.now(), noRetry: () => undefined }, env);
};

export const NONE = { accepted: 0, delivered: 0, waiting: 0, dead: 0 };
export const reportOf = (n: number, more: Partial<Report> = {}): Report => ({
  ticketNumber: `ticket-${n}`,
  atMs: 1_000_000 + n,
  openedAtMs: 1_000_000 + n,
  channel: "whatsapp",
  contactId: `contact-${n}`,
  customerName: `Customer ${n}`,
  state: "open",
  lanes: { toDesk: { ...NONE, accepted: 1, delivered: 1 }, toDolphins: NONE },
  minutes: [],
  ...more,
});

export type Listed = { tickets: TicketSummary[]; next?: string };
export const list = (owner: string, query: string) =>
  operator("GET", `/tenants/${owner}/tickets${query}`) as Promise<Listed>;

export const WAITING = { toDesk: { ...NONE, accepted: 3, waiting: 3 }, toDolphins: NONE };
