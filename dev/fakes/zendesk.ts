import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { startFarEnd, type Answer, type FarEnd, type Received } from "./far-end.ts";

/**
 * A fake Sunshine Conversations app. It holds every request against the published schema and refuses what does not fit,
 * keeps what was made, and sends webhooks with the retries of the real one.
 *
 * Written from the official specification of API v2, 17.12, and Zendesk's pages on webhooks, and not from a running account.
 * It does not do: accounts without multi-conversations, users apart by brand, users that are merged, rate limits, a
 * switchboard of its own (a test sends its events), files behind a credential. It tries a webhook again within a second,
 * where the real one takes up to 15 minutes.
 */

const MAX_BODY_BYTES = 100_000;
const MAX_METADATA_BYTES = 4096;
const PAGE_SIZE = 25;
const WEBHOOK_TRIES = 5;
const WEBHOOK_PAUSE_MS = 200;
const WEBHOOK_PATIENCE_MS = 20_000;
const WEBHOOK_ENDS = new Set([400, 401, 403, 404, 406]);

const metadata = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .refine((flat) => Buffer.byteLength(JSON.stringify(flat)) <= MAX_METADATA_BYTES, "is over 4 KB");
const name = z.string().min(1).max(128);
const userBody = z.strictObject({
  externalId: z.string().min(1).max(1024),
  profile: z.strictObject({ givenName: name.optional(), surname: name.optional() }).optional(),
  metadata: metadata.optional(),
});
const conversationBody = z.strictObject({
  type: z.literal("personal"),
  participants: z.array(z.strictObject({ userExternalId: z.string() })).length(1),
  displayName: z.string().min(1).max(100).optional(),
  metadata: metadata.optional(),
});
const media = {
  mediaUrl: z.url({ protocol: /^https?$/ }).max(2048),
  altText: z.string().min(1).max(128).optional(),
  text: z.string().min(1).max(4096).optional(),
};
const content = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string().min(1).max(4096) }),
  z.strictObject({ type: z.literal("image"), ...media }),
  z.strictObject({ type: z.literal("file"), ...media }),
  z.strictObject({
    type: z.literal("location"),
    coordinates: z.strictObject({ lat: z.number().min(-90).max(90), long: z.number().min(-180).max(180) }),
  }),
]);
const messageBody = z.strictObject({
  author: z.strictObject({
    type: z.literal("user"),
    userExternalId: z.string(),
    displayName: z.string().min(1).optional(),
  }),
  content,
  metadata: metadata.optional(),
});

type Message = z.infer<typeof messageBody> & { id: string; received: string };
type Conversation = {
  id: string;
  userExternalId: string;
  metadata: Record<string, unknown>;
  messages: Message[];
  isFull: boolean;
};
type WebhookEvent = { id: string; createdAt: string; type: string; payload: Record<string, unknown> };

/** The requests that there are, by what they are for. */
type Step = "createUser" | "listConversations" | "createConversation" | "postMessage" | "listMessages";
/** `done`: it does what it was asked to, and only its answer is lost. */
export type Fault = { status: number; headers?: Record<string, string> } | { silent: true; done: boolean };
/** `count` is from 1: how often this user's requests have come to this step. */
export type Call = { step: Step; userExternalId: string; count: number };

export type FakeZendesk = FarEnd & {
  /** The desk of a tenant record. */
  record: Record<string, unknown>;
  users: Map<string, z.infer<typeof userBody>>;
  conversations: Conversation[];
  /** What did not fit the API, in words. */
  refused: string[];
  faultWith: (fault: (call: Call) => Fault | undefined) => void;
  delete: (conversation: Conversation, options?: { user: boolean }) => void;
  /** Where webhooks go from now on; the messages that are posted come by on their own. */
  subscribe: (url: string) => void;
  /** An event of the conversation, to be sent. */
  event: (conversation: Conversation, type: string, payload?: Record<string, unknown>) => WebhookEvent;
  agentMessage: (conversation: Conversation, message: Record<string, unknown>) => WebhookEvent;
  /** Sends one batch, again and again as the real one does; the statuses of its tries. */
  send: (events: WebhookEvent[], secret?: string) => Promise<number[]>;
  /** The statuses of the webhooks about what was posted, when all of them have been sent. */
  ownWebhooks: () => Promise<number[]>;
};

const refuse = (status: number, title: string): Answer => ({
  status,
  body: JSON.stringify({ errors: [{ code: `fake_${status}`, title }] }),
});
const answer = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });

export async function startFakeZendesk(): Promise<FakeZendesk> {
  const farEnd = await startFarEnd();
  const [appId, keyId, keySecret, webhookSecret] = ["app-1", "app_key", randomUUID(), randomUUID()];
  const users: FakeZendesk["users"] = new Map();
  const conversations: Conversation[] = [];
  const refused: string[] = [];
  const counts = new Map<string, number>();
  let fault: (call: Call) => Fault | undefined = () => undefined;
  let target: string | undefined;
  let own: Promise<number[]> = Promise.resolve([]);

  const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`;
  const newId = (): string => randomUUID().replaceAll("-", "").slice(0, 24);
  const shown = ({ id, metadata: flat }: Conversation) => ({ id, type: "personal", metadata: flat });

  const zendesk: FakeZendesk = {
    ...farEnd,
    record: { type: "zendesk", baseUrl: `${farEnd.url}/sc/`, appId, keyId, keySecret, webhookSecret },
    users,
    conversations,
    refused,
    faultWith: (next) => {
      fault = next;
    },
    delete: (conversation, { user } = { user: false }) => {
      conversations.splice(conversations.indexOf(conversation), 1);
      if (user) users.delete(conversation.userExternalId);
    },
    subscribe: (url) => {
      target = url;
    },
    event: (conversation, type, payload = {}) => ({
      id: newId(),
      createdAt: new Date().toISOString(),
      type,
      payload: { conversation: shown(conversation), ...payload },
    }),
    agentMessage: (conversation, message) =>
      zendesk.event(conversation, "conversation:message", {
        message: {
          id: newId(),
          received: new Date().toISOString(),
          author: { type: "business", displayName: "Sinta" },
          source: { type: "zd:agentWorkspace" },
          ...message,
        },
      }),
    send: async (events, secret = webhookSecret) => {
      if (target === undefined) return [];
      const body = JSON.stringify({ app: { id: appId }, webhook: { id: "w-1", version: "v2" }, events });
      const statuses: number[] = [];
      while (statuses.length < WEBHOOK_TRIES) {
        const status = await postWebhook(target, secret, body);
        statuses.push(status);
        if ((status >= 200 && status < 300) || WEBHOOK_ENDS.has(status)) break;
        await pause(WEBHOOK_PAUSE_MS);
      }
      return statuses;
    },
    ownWebhooks: () => own,
  };

  type Body = { step: Step; userExternalId: string; make: () => Answer };

  /** What a request asks for, or why it is none of the API's. */
  function read({ method, path, headers, body }: Received): Body | Answer {
    const url = new URL(path, farEnd.url);
    if (headers["authorization"] !== authorization) return refuse(401, "Invalid or missing auth credentials");
    const root = `/sc/v2/apps/${appId}`;
    if (!url.pathname.startsWith(`${root}/`)) return refuse(404, "App not found");
    const route = `${method} ${url.pathname.slice(root.length)}`;
    if (method === "GET" && body !== "") return refuse(400, "GET takes no body");
    if (method === "POST" && headers["content-type"] !== "application/json") return refuse(415, "JSON is required");
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) return refuse(413, "over 100 kB");
    const json: unknown = method === "POST" ? JSON.parse(body) : undefined;
    if (route === "POST /users") return createUser(userBody.parse(json));
    if (route === "GET /conversations") return listConversations(url.searchParams);
    if (route === "POST /conversations") return createConversation(conversationBody.parse(json));
    const id = /^(?:GET|POST) \/conversations\/(\w+)\/messages$/.exec(route)?.[1];
    if (id === undefined) return refuse(404, "Not found");
    const conversation = conversations.find((one) => one.id === id);
    if (!conversation) return refuse(404, "Conversation not found");
    return method === "GET" ? listMessages(conversation) : postMessage(conversation, messageBody.parse(json));
  }

  const createUser = (user: z.infer<typeof userBody>): Body => ({
    step: "createUser",
    userExternalId: user.externalId,
    make: () => {
      if (users.has(user.externalId)) return refuse(409, "User already exists");
      users.set(user.externalId, user);
      return answer(201, { user: { id: newId(), externalId: user.externalId } });
    },
  });

  const listConversations = (search: URLSearchParams): Body => {
    const userExternalId = search.get("filter[userExternalId]") ?? "";
    return {
      step: "listConversations",
      userExternalId,
      make: () => {
        if (!users.has(userExternalId)) return refuse(404, "User not found");
        const all = conversations.filter((one) => one.userExternalId === userExternalId);
        const start = all.findIndex((one) => one.id === search.get("page[after]")) + 1;
        const page = all.slice(start, start + PAGE_SIZE);
        const hasMore = all.length > start + PAGE_SIZE;
        const meta = { hasMore, ...(hasMore ? { afterCursor: page.at(-1)?.id } : {}) };
        return answer(200, { conversations: page.map(shown), meta, links: {} });
      },
    };
  };

  const createConversation = (wanted: z.infer<typeof conversationBody>): Body => {
    const userExternalId = wanted.participants[0]?.userExternalId ?? "";
    return {
      step: "createConversation",
      userExternalId,
      make: () => {
        if (!users.has(userExternalId)) return refuse(404, "User not found");
        const made = { id: newId(), userExternalId, metadata: wanted.metadata ?? {}, messages: [], isFull: false };
        conversations.push(made);
        return answer(201, { conversation: shown(made) });
      },
    };
  };

  const postMessage = (conversation: Conversation, wanted: z.infer<typeof messageBody>): Body => ({
    step: "postMessage",
    userExternalId: conversation.userExternalId,
    make: () => {
      if (wanted.author.userExternalId !== conversation.userExternalId) return refuse(403, "Not a participant");
      if (conversation.isFull) return refuse(423, "Message limit of 30000 per conversation reached.");
      const message = { ...wanted, id: newId(), received: new Date().toISOString() };
      conversation.messages.push(message);
      const echo = { ...message, author: { type: "user", userId: newId() }, source: { type: "api:conversations" } };
      own = Promise.all([own, zendesk.send([zendesk.agentMessage(conversation, echo)])]).then((all) => all.flat());
      return answer(201, { messages: [message] });
    },
  });

  const listMessages = (conversation: Conversation): Body => ({
    step: "listMessages",
    userExternalId: conversation.userExternalId,
    make: () => answer(200, { messages: conversation.messages.slice(-100), meta: { hasMore: false }, links: {} }),
  });

  const never = new Promise<never>(() => undefined);
  farEnd.answerWith((request) => {
    try {
      const asked = read(request);
      if ("status" in asked) return asked;
      const key = `${asked.step} ${asked.userExternalId}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      const fails = fault({ step: asked.step, userExternalId: asked.userExternalId, count });
      if (!fails) return asked.make();
      if ("status" in fails) return { ...refuse(fails.status, "a fault was asked for"), ...fails };
      if (fails.done) asked.make();
      return never;
    } catch (error) {
      refused.push(`${request.method} ${request.path}: ${String(error)}`);
      return refuse(400, String(error));
    }
  });
  return zendesk;
}

/** One try; 0 when no answer comes. */
async function postWebhook(url: string, secret: string, body: string): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": secret },
      body,
      signal: AbortSignal.timeout(WEBHOOK_PATIENCE_MS),
    });
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}
