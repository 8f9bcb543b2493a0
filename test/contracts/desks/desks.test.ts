import { afterEach, describe, expect, test, vi } from "vitest";
import { utf8 } from "../../../src/crypto/bytes";
import type { DeskContext, DeskDelivery, Webhook } from "../../../src/desks/desk";
import { desks } from "./toy/all";
import {
  deliverToDesk,
  deskRecord,
  farEndOf,
  wantsFailures,
  webhookOf,
  type DeskRecord,
} from "../../../src/desks/registry";
import type { Outcome } from "../../../src/egress/outcome";
import { deliveryOf } from "../../../src/model/delivery";

/**
 * The contract that every desk keeps. It finds the desks in the registry and their fixtures in the folder of that name: a
 * new desk is tested by being there, and fails here as long as something is missing.
 */

type Exchange = {
  request: {
    method: string;
    url: string;
    headers?: Record<string, string>;
    json?: unknown;
    form?: Record<string, string>;
  };
  answer: Answer;
  /** What the same request is answered once it was made, at a desk that tells repeats by what is in them. */
  repeat?: Answer;
};
/** `base64` for what is no text. */
type Answer = { status: number; headers?: Record<string, string>; json?: unknown; text?: string; base64?: string };
type DeliverFixture = {
  name: string;
  language?: "id" | "en";
  record: unknown;
  /** The desk conversation that is remembered before the attempt, and the one after it. */
  conversation: unknown;
  conversationAfter: unknown;
  /** What the ticket has its conversation called, so that webhooks lead to it. */
  names?: string[];
  kind: DeskDelivery["kind"];
  event: Record<string, unknown>;
  exchanges: Exchange[];
  outcome: Record<string, unknown>;
};
type WebhookFixture = {
  name: string;
  record: unknown;
  query?: Record<string, string>;
  json: unknown;
  events: Record<string, unknown>[] | null;
};
type Signing = {
  sign: (
    body: string,
    record: DeskRecord,
    nowMs: number,
  ) => Promise<{ headers: Record<string, string>; query?: Record<string, string> }>;
  /** Of a desk with no webhook for the end of a conversation. */
  tellsNoClose?: true;
  /** What a record has that another desk's webhooks are signed for; without it, another `webhookSecret`. */
  other?: object;
};

const deliverFixtures = import.meta.glob<DeliverFixture>("./*/deliver/*.json", {
  eager: true,
  import: "default",
});
const webhookFixtures = import.meta.glob<WebhookFixture>("./*/webhook/*.json", {
  eager: true,
  import: "default",
});
const signings = import.meta.glob<Signing>("./*/sign.ts", { eager: true });

const of = <T>(files: Record<string, T>, type: string): T[] =>
  Object.entries(files)
    .filter(([path]) => path.startsWith(`./${type}/`))
    .map(([, file]) => file);

type Request_ = { method: string; url: string; headers: Headers; json?: unknown; form?: Record<string, string> };

/** A request as a fixture writes it down. */
async function noteOf(request: Request): Promise<Request_> {
  const { method, url, headers } = request;
  if (request.headers.get("content-type")?.startsWith("multipart/form-data")) {
    const form: Record<string, string> = {};
    for (const [name, value] of await request.formData()) {
      form[name] = typeof value === "string" ? value : `@${value.name}:${value.type}:${value.size}`;
    }
    return { method, url, headers, form };
  }
  const text = await request.text();
  return text === "" ? { method, url, headers } : { method, url, headers, json: JSON.parse(text) as unknown };
}

const isAsked = (note: Request_, { request }: Exchange): boolean => {
  const { headers: _headers, ...asked } = note;
  const { headers: _wanted, ...wanted } = request;
  return JSON.stringify(canonical(asked)) === JSON.stringify(canonical(wanted));
};

/** Fields in one order, so that two objects can be compared as text. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, inner]) => [key, canonical(inner)]));
};

type Played = { outcome: Outcome; notes: Request_[]; answered: Exchange[]; conversation: unknown; names: string[] };

/** Plays an attempt of a fixture against what it says the desk answers; `fault` may answer in its stead. */
async function play(
  fixture: DeliverFixture,
  conversation: unknown,
  fault?: (exchange: Exchange) => Response | Error | undefined,
  before: Exchange[] = [],
): Promise<Played> {
  const notes: Request_[] = [];
  const names: string[] = [];
  const answered: Exchange[] = [];
  let kept = conversation;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const note = await noteOf(new Request(input, init));
    notes.push(note);
    const exchange =
      fixture.exchanges.find((one) => !answered.includes(one) && isAsked(note, one)) ??
      fixture.exchanges.find((one) => isAsked(note, one));
    if (!exchange) throw new Error(`no fixture expects ${JSON.stringify(note)}`);
    const failure = fault?.(exchange);
    if (failure instanceof Error) throw failure;
    if (failure) return failure;
    const repeat = before.includes(exchange) ? exchange.repeat : undefined;
    if (!repeat) answered.push(exchange);
    const { status, headers = {}, json, text = "", base64 } = repeat ?? exchange.answer;
    if (json !== undefined) return Response.json(json, { status, headers });
    const body = base64 === undefined ? text : Uint8Array.fromBase64(base64);
    return new Response(status === 204 ? null : body, { status, headers });
  });
  const context: DeskContext = {
    owner: "owner-1",
    ticketNumber: "t-1",
    signingSecrets: ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
    ticketReference: () => Promise.resolve("IDENTITY"),
    nameConversation: async (name) => void names.push(name),
    login: (stale) => Promise.resolve({ token: stale === undefined ? "TOKEN" : "FRESH", expiresAtMs: 0 }),
    language: fixture.language ?? "id",
    timeoutMs: 5000,
    allowInsecureTargets: false,
    reaches: [],
    secrets: [],
    conversation: conversation ?? undefined,
    keep: (next) => {
      kept = next;
    },
  };
  const message = { id: "msg_1", sequence: 1, attempt: 1, acceptedAtMs: ACCEPTED_AT_MS, kind: fixture.kind };
  const delivery = deliveryOf(message, JSON.stringify(fixture.event)) as DeskDelivery;
  const outcome = await deliverToDesk(delivery, deskRecord.parse(fixture.record), context);
  vi.restoreAllMocks();
  return { outcome, notes, answered, conversation: kept, names };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const ACCEPTED_AT_MS = Date.UTC(2026, 10, 23, 2, 0, 0, 123);
/** Some fixtures say how old a message is when its webhook is sent. */
const READ_AT_MS = Date.UTC(2026, 10, 23, 2, 0, 5);

const TYPES = ["text", "image", "video", "audio", "file", "Location"];

describe.each(desks.map((desk) => desk.type))("a desk of type %s", (type) => {
  const deliveries = of(deliverFixtures, type);
  const webhooks = of(webhookFixtures, type);

  test("has a fixture for each kind of message and each message type", () => {
    const incoming = deliveries.filter((fixture) => fixture.kind === "incoming");
    expect(new Set(incoming.map((fixture) => fixture.event["messageType"]))).toEqual(new Set(TYPES));
    const kinds = new Set(deliveries.map((fixture) => fixture.kind));
    expect(kinds).toContain("command");
    const tellsFailures = deliveries.some((fixture) => wantsFailures(deskRecord.parse(fixture.record)));
    expect(kinds.has("failure")).toBe(tellsFailures);
  });

  test.each(deliveries.map((fixture) => [fixture.name, fixture] as const))("delivers %s", async (_name, fixture) => {
    const { outcome, notes, conversation, names } = await play(fixture, fixture.conversation);
    const plain = notes.map(({ headers: _headers, ...note }) => note);
    expect(plain).toEqual(fixture.exchanges.map(({ request: { headers: _wanted, ...request } }) => request));
    const headers = fixture.exchanges.map(({ request }) => request.headers ?? {});
    const sent = notes.map((note, at) =>
      Object.fromEntries(Object.keys(headers[at] ?? {}).map((name) => [name, note.headers.get(name)])),
    );
    expect(sent).toEqual(headers);
    expect(outcome).toMatchObject(fixture.outcome);
    expect(conversation ?? null).toEqual(fixture.conversationAfter);
    expect(names).toEqual(fixture.names ?? []);
  });

  const faults = {
    "401": { make: () => new Response("", { status: 401 }), outcome: { kind: "rejected", status: 401 } },
    "429": {
      make: () => new Response("", { status: 429, headers: { "retry-after": "30" } }),
      outcome: { kind: "retry", status: 429, retryAfterMs: 30_000 },
    },
    "500": { make: () => new Response("", { status: 500 }), outcome: { kind: "retry", status: 500 } },
    "a broken connection": { make: () => new Error("Network connection lost."), outcome: { kind: "retry" } },
  };

  test.each(deliveries.map((fixture) => [fixture.name, fixture] as const))(
    "takes up again what a fault in any step of it interrupted: %s",
    async (_name, fixture) => {
      // Media is somebody else's: a far end is named by its URL first.
      const [, target = ""] = farEndOf(deskRecord.parse(fixture.record)).split(" ");
      const steps = fixture.exchanges.filter(({ request }) => request.url.startsWith(target));
      expect(steps.length).toBe(fixture.kind === "incoming" ? Math.max(1, steps.length) : steps.length);
      for (const step of steps) {
        for (const { make, outcome } of Object.values(faults)) {
          const first = await play(fixture, fixture.conversation, (exchange) =>
            exchange === step ? make() : undefined,
          );
          expect(first.outcome).toMatchObject(outcome);
          const second = await play(fixture, first.conversation, undefined, first.answered);
          expect(second.outcome).toMatchObject(fixture.outcome);
          expect(second.conversation ?? null).toEqual(fixture.conversationAfter);
          // Nothing that was made in the first attempt is made again in the second.
          const isMaking = ({ request, answer }: Exchange) =>
            request.method === "POST" && !request.url.endsWith("/filter") && answer.status < 300;
          const twice = first.answered.filter((one) => isMaking(one) && second.answered.includes(one));
          expect(twice.map((one) => one.request.url)).toEqual([]);
        }
      }
    },
  );

  const reads = webhookOf(deskRecord.parse(deliveries[0]?.record ?? { type }));
  test("has webhook fixtures and a signature if, and only if, it reads webhooks", () => {
    expect(webhooks.length > 0).toBe(reads !== undefined);
    expect(of(signings, type).length).toBe(reads === undefined ? 0 : 1);
    const kinds = new Set(webhooks.flatMap((fixture) => (fixture.events ?? []).map((event) => event["kind"])));
    const [signing] = of(signings, type);
    const told = signing?.tellsNoClose ? ["outgoing"] : ["command", "outgoing"];
    expect(kinds).toEqual(new Set(reads === undefined ? [] : told));
    const left = webhooks.filter((fixture) => fixture.events?.length === 0).length;
    const foreign = webhooks.filter((fixture) => fixture.events === null).length;
    expect(Math.min(left, foreign) > 0).toBe(reads !== undefined);
  });

  if (webhooks.length === 0) return;
  const webhookFrom = (body: string, { headers, query = {} }: Awaited<ReturnType<Signing["sign"]>>): Webhook => ({
    headers: new Headers(headers),
    body: utf8(body),
    url: new URL(`https://relay.example/v1/desks/${type}/owner-1?${new URLSearchParams(query).toString()}`),
  });

  test.each(webhooks.map((fixture) => [fixture.name, fixture] as const))("reads %s", async (_name, fixture) => {
    const record = deskRecord.parse(fixture.record);
    const body = JSON.stringify(fixture.json);
    const signed = await of(signings, type)[0]?.sign(body, record, READ_AT_MS);
    const webhook = webhookFrom(body, {
      headers: signed?.headers ?? {},
      query: { ...signed?.query, ...fixture.query },
    });
    const events = await webhookOf(record)?.parse(fixture.json, webhook);
    expect(events ?? null).toEqual(fixture.events);
  });

  test("believes what its own secret signs, and nothing else", async () => {
    const record = deskRecord.parse(webhooks[0]?.record);
    const body = JSON.stringify(webhooks[0]?.json);
    const nowMs = Date.now();
    const [signing] = of(signings, type);
    const its = signing?.other ?? { webhookSecret: "another secret altogether" };
    const other = deskRecord.parse({ ...(webhooks[0]?.record as object), ...its });
    const signed = (await signing?.sign(body, record, nowMs)) ?? { headers: {} };
    const verify = (webhook: Webhook) => webhookOf(record)?.verify(webhook, nowMs);
    expect(await verify(webhookFrom(body, signed))).toBe(true);
    expect(await verify(webhookFrom(body, (await signing?.sign(body, other, nowMs)) ?? signed))).toBe(false);
    expect(await verify(webhookFrom(body, { headers: {} }))).toBe(false);
    // A desk that sends its bare secret signs neither the body nor the time, and some sign the body alone.
    const elsewhere = await signing?.sign(`${body} `, record, nowMs);
    const stale = await signing?.sign(body, record, nowMs - 600_000);
    const isSame = (signature: typeof stale) => JSON.stringify(signature) === JSON.stringify(signed);
    expect(await verify(webhookFrom(`${body} `, signed))).toBe(isSame(elsewhere));
    expect(await verify(webhookFrom(body, stale ?? signed))).toBe(isSame(stale));
  });
});
