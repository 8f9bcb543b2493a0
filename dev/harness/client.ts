import { isDeepStrictEqual } from "node:util";
import * as z from "zod";

export type Reply = { status: number; headers: Headers; body: unknown; ms: number };

/** One request with a JSON body, and an answer whose body must be JSON. */
export async function call(
  method: "GET" | "POST" | "PUT",
  url: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const startedMs = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      "content-type": "application/json",
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const ms = performance.now() - startedMs;
  return {
    status: response.status,
    headers: response.headers,
    body: parseJson(text, `${method} ${url}`, response.status),
    ms,
  };
}

function parseJson(text: string, what: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what} answered ${status} with something that is not JSON: ${text.slice(0, 500)}`);
  }
}

const credentialsAnswer = z.object({
  status: z.literal("success"),
  credentials: z.object({ token: z.string(), signingSecret: z.string().startsWith("whsec_") }),
});

const tenantAnswer = z.object({
  status: z.literal("success"),
  tenant: z.object({ name: z.string(), stickerText: z.string() }),
});

export const refusal = z.object({
  status: z.literal("error"),
  error: z.object({ code: z.string(), message: z.string() }),
});

const lane = z.object({ accepted: z.int(), delivered: z.int(), waiting: z.int(), dead: z.int() });

const message = z.object({
  id: z.string(),
  lane: z.enum(["toDesk", "toDolphins"]),
  sequence: z.int(),
  kind: z.enum(["incoming", "outgoing", "command"]),
  state: z.enum(["waiting", "delivered", "dead"]),
  acceptedAt: z.iso.datetime(),
  attempts: z.array(
    z.object({
      at: z.iso.datetime(),
      ms: z.number(),
      status: z.int().optional(),
      error: z.string().optional(),
    }),
  ),
  event: z.record(z.string(), z.unknown()),
});

export const ticketAnswer = z.object({
  status: z.literal("success"),
  ticket: z.object({
    state: z.enum(["open", "closing", "closed"]),
    lanes: z.object({ toDesk: lane, toDolphins: lane }),
    messages: z.array(message),
  }),
});

export type Ticket = z.infer<typeof ticketAnswer>["ticket"];

/** What the operator of a relay does once for every tenant: puts its record, and fetches what its desk needs. */
export async function registerTenant(relayUrl: string, adminToken: string, owner: string, record: object) {
  const path = `${relayUrl}/admin/tenants/${owner}`;
  const put = await call("PUT", path, { token: adminToken, body: record });
  const { tenant } = read(put, tenantAnswer, "Registering a tenant");
  const answer = await call("GET", `${path}/credentials`, { token: adminToken });
  return { owner, ...tenant, ...read(answer, credentialsAnswer, "Fetching a tenant's credentials").credentials };
}

/** Reads an answer that has to be a 200 of this shape. */
export function read<T>(reply: Reply, schema: z.ZodType<T>, what: string): T {
  same(`${what}: the status of the answer`, reply.status, 200, JSON.stringify(reply.body));
  const result = schema.safeParse(reply.body);
  if (result.success) return result.data;
  throw new Error(`${what}: the answer has another shape.\n${z.prettifyError(result.error)}`);
}

/** Throws unless what happened is what was expected. */
export function same(what: string, actual: unknown, expected: unknown, detail = ""): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const words = `${what} is ${JSON.stringify(actual)} and should be ${JSON.stringify(expected)}.`;
  throw new Error(detail === "" ? words : `${words}\n${detail}`);
}
