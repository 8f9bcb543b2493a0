import * as z from "zod";
import { type FakeEngine, fakeEngine } from "../../../dev/fakes/engine.ts";
import type { Reply } from "./http.ts";
import { type Tenant, bearer } from "./tenant.ts";
import type { World } from "./world.ts";

const LOGIN = { type: "login", username: "bank", password: "rahasia" };

export type LookupTenant = Tenant & {
  fake: FakeEngine;
  /** As the desk, with its token and the owner given. */
  contact: (contactId: string, query: Record<string, string>, headers?: Record<string, string>) => Promise<Reply>;
  history: (ticketNumber: string, query?: Record<string, string>) => Promise<Reply>;
};

/** A tenant whose engine has the service APIs. */
export async function lookupTenant(
  world: World,
  options: {
    auth?: Record<string, unknown>;
    engine?: Parameters<typeof fakeEngine>[1];
    deskId?: string;
    record?: Record<string, unknown>;
  } = {},
): Promise<LookupTenant> {
  const { auth = LOGIN, deskId, record = {} } = options;
  const tenant = await world.tenant({ dolphins: { auth }, record, ...(deskId === undefined ? {} : { deskId }) });
  const fake = fakeEngine(tenant.engine, options.engine);
  const get = (path: string, query: Record<string, string>, headers: Record<string, string> = {}) =>
    world.call(`${path}?${new URLSearchParams({ owner: tenant.owner, ...query }).toString()}`, {
      headers: { ...bearer(tenant.token), ...headers },
    });
  return {
    ...tenant,
    fake,
    contact: (contactId, query, headers) => get(`/v1/contacts/${encodeURIComponent(contactId)}`, query, headers),
    history: (ticketNumber, query = {}) => get(`/v1/tickets/${ticketNumber}/history`, query),
  };
}

const HistoryAnswer = z.strictObject({
  status: z.literal("success"),
  messages: z.array(
    z.strictObject({
      from: z.enum(["customer", "agent"]),
      by: z.string(),
      text: z.string(),
      at: z.iso.datetime().optional(),
      raw: z.unknown(),
    }),
  ),
  next: z.string().optional(),
});

export function historyIn(reply: Reply): z.infer<typeof HistoryAnswer> {
  if (reply.status !== 200) throw new Error(`history answered ${reply.status} ${reply.text}`);
  return HistoryAnswer.parse(reply.body);
}

/** Every way in which the engine can fail one question, and what the desk is told. */
export const FAULTS: [string, Parameters<FakeEngine["failNext"]>[1], number, string, RegExp][] = [
  ["500", { status: 500, body: "salah" }, 502, "engine_failed", /HTTP 500/],
  ["404", { status: 404, body: "" }, 502, "engine_failed", /HTTP 404/],
  ["a redirect", { status: 302, headers: { location: "/" } }, 502, "engine_failed", /HTTP 302/],
  ["a failure under 200", { status: 200, body: '{"status":"failed"}' }, 502, "engine_failed", /HTTP 200/],
  ["half a JSON", { status: 200, body: '{"data":[{"id":' }, 502, "engine_failed", /not JSON/],
  ["a page of HTML", { status: 200, body: "<html>" }, 502, "engine_failed", /not JSON/],
  ["no answer", "hang", 504, "engine_timeout", /within 500 ms/],
];

/** A redirect may lead to a page to log in: with a fresh token the question is asked once more. */
export const times = (fault: Parameters<FakeEngine["failNext"]>[1]): number =>
  typeof fault === "object" && fault.status === 302 ? 2 : 1;

export const FAULTY: { record: Record<string, unknown> } = { record: { delivery: { timeoutMs: 500 } } };
