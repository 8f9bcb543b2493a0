import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { problemsOfAnswer, problemsOfRequest, problemsOfWebhook } from "../../test/contracts/zendesk/schemas.ts";
import {
  answer,
  limitsOf,
  newId,
  partOf,
  postWebhook,
  refuse,
  shown,
  type Conversation,
  type Fields,
  type Message,
  type Named,
  type User,
  type WebhookEvent,
} from "./zendesk-api.ts";
import { startFarEnd, type Answer, type FarEnd, type Received } from "./far-end.ts";

/**
 * A fake Sunshine Conversations app. It holds every request, and its own answers and webhooks, against the published
 * description, refuses what does not fit, keeps what was made, and sends webhooks with the retries of the real one.
 *
 * Written from the official specification of API v2, 17.12.1, and Zendesk's pages on webhooks, and not from a running
 * account. It does not do: users apart by brand, rate limits, a switchboard of its own (a test sends its events). The status
 * of a second conversation without multi-conversations is a guess. It tries a webhook again within a second, where the real
 * one takes up to 15 minutes.
 */

const MAX_BODY_BYTES = 100_000;
const PAGE_SIZE = 25;
const WEBHOOK_TRIES = 5;
const WEBHOOK_PAUSE_MS = 200;
const WEBHOOK_ENDS = new Set([400, 401, 403, 404, 406]);

/** The requests that there are, by what they are for. */
type Step =
  | "getApp"
  | "listIntegrations"
  | "createUser"
  | "getUser"
  | "listConversations"
  | "createConversation"
  | "postMessage"
  | "listMessages";
/** `done`: it does what it was asked to, and only its answer is lost. */
export type Fault = { status: number; headers?: Record<string, string> } | { silent: true; done: boolean };
/** `count` is from 1: how often this user's requests have come to this step. */
export type Call = { step: Step; userExternalId: string; count: number };

/** As most accounts are: a user has one conversation, and the key is the app's. */
type Account = { multiConversations?: boolean; scope?: "app" | "integration" };

export type FakeZendesk = FarEnd & {
  /** The desk of a tenant record. */
  record: Record<string, unknown>;
  users: Map<string, User>;
  conversations: Conversation[];
  /** What did not fit the API, in words. */
  refused: string[];
  /** What the app's integrations have for webhooks, as the list of them shows it. */
  webhooks: Fields[];
  /** What is at its other paths, for whoever has the credential: agents' files. A part of one may be asked for. */
  files: Map<string, Answer>;
  faultWith: (fault: (call: Call) => Fault | undefined) => void;
  delete: (conversation: Conversation, options?: { user: boolean }) => void;
  /** The user becomes another one: only its external id leads there. */
  merge: (conversation: Conversation) => void;
  /** Where webhooks go from now on; the messages that are posted come by on their own. */
  subscribe: (url: string) => void;
  /** An event of the conversation, to be sent. */
  event: (conversation: Conversation, type: string, payload?: Fields) => WebhookEvent;
  agentMessage: (conversation: Conversation, message: Fields) => WebhookEvent;
  /** Sends one batch, again and again as the real one does; the statuses of its tries. */
  send: (events: WebhookEvent[], secret?: string) => Promise<number[]>;
  /** The statuses of the webhooks about what was posted, when all of them have been sent. */
  ownWebhooks: () => Promise<number[]>;
};

export async function startFakeZendesk({
  multiConversations = false,
  scope = "app",
}: Account = {}): Promise<FakeZendesk> {
  const farEnd = await startFarEnd();
  const [appId, keyId, keySecret, webhookSecret] = ["app-1", `${scope.slice(0, 3)}_key`, randomUUID(), randomUUID()];
  const users: FakeZendesk["users"] = new Map();
  const conversations: Conversation[] = [];
  const refused: string[] = [];
  const webhooks: Fields[] = [];
  const files = new Map<string, Answer>();
  const counts = new Map<string, number>();
  let fault: (call: Call) => Fault | undefined = () => undefined;
  let target: string | undefined;
  let own: Promise<number[]> = Promise.resolve([]);

  const authorization = `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`;
  const userOf = ({ userId, userExternalId = "" }: Named): User | undefined =>
    userId === undefined ? users.get(userExternalId) : [...users.values()].find(({ id }) => id === userId);

  const zendesk: FakeZendesk = {
    ...farEnd,
    record: { type: "zendesk", baseUrl: `${farEnd.url}/sc/`, appId, keyId, keySecret, webhookSecret },
    users,
    conversations,
    refused,
    webhooks,
    files,
    faultWith: (next) => {
      fault = next;
    },
    delete: (conversation, { user } = { user: false }) => {
      conversations.splice(conversations.indexOf(conversation), 1);
      if (user) users.delete(conversation.userExternalId);
    },
    merge: (conversation) => {
      const user = users.get(conversation.userExternalId);
      if (!user) throw new Error("there is no such user");
      user.id = newId();
      conversation.userId = user.id;
      conversation.isMerged = true;
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
      const batch = { app: { id: appId }, webhook: { id: "w-1", version: "v2" }, events };
      refused.push(...problemsOfWebhook(batch));
      const body = JSON.stringify(batch);
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

  type Asked = { step: Step; userExternalId: string; make: () => Answer };

  /** What a request asks for, or why it is none of the API's. */
  function read({ method, path, headers, body }: Received): Asked | Answer {
    const url = new URL(path, farEnd.url);
    if (headers["authorization"] !== authorization) return refuse(401, "Invalid or missing auth credentials");
    const file = files.get(url.pathname);
    if (file) return partOf(file, headers["range"]);
    const root = `/sc/v2/apps/${appId}`;
    if (url.pathname !== root && !url.pathname.startsWith(`${root}/`)) return refuse(404, "App not found");
    if (method === "POST" && headers["content-type"] !== "application/json") return refuse(415, "JSON is required");
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) return refuse(413, "over 100 kB");
    const json = body === "" ? undefined : (JSON.parse(body) as Fields);
    const problems = [
      ...problemsOfRequest(method, url.pathname.slice("/sc".length), url.searchParams, json),
      ...limitsOf(json ?? {}),
    ];
    if (problems.length > 0) throw new Error(problems.join("; "));
    const [, first = "", id = "", second = ""] = url.pathname.slice(root.length).split("/").map(decodeURIComponent);
    return asked(
      `${method} ${first}${id === "" ? "" : "/id"}${second === "" ? "" : `/${second}`}`,
      id,
      url,
      json ?? {},
    );
  }

  function asked(route: string, id: string, { searchParams }: URL, json: Fields): Asked | Answer {
    const anybody = { userExternalId: "" };
    const isForbidden = scope === "integration";
    switch (route) {
      case "GET ":
        return { ...anybody, step: "getApp", make: () => (isForbidden ? refuse(403, "Forbidden") : getApp()) };
      case "GET integrations":
        return { ...anybody, step: "listIntegrations", make: () => (isForbidden ? refuse(403, "Forbidden") : list()) };
      case "POST users":
        return createUser(json as User);
      case "GET users/id":
        return { step: "getUser", userExternalId: id, make: () => getUser(userOf({ userExternalId: id })) };
      case "GET conversations":
        return listConversations(searchParams);
      case "POST conversations":
        return createConversation(json as { participants: Named[]; metadata?: Fields });
      case "GET conversations/id/messages":
      case "POST conversations/id/messages": {
        const conversation = conversations.find((one) => one.id === id);
        if (!conversation) return refuse(404, "Conversation not found");
        return route.startsWith("GET") ? listMessages(conversation) : postMessage(conversation, json as Message);
      }
      default:
        return refuse(404, "Not found");
    }
  }

  const getApp = () =>
    answer(200, { app: { id: appId, displayName: "Acme", settings: { multiConvoEnabled: multiConversations } } });
  const list = () => {
    const custom = { id: newId(), type: "custom", status: "active", webhooks };
    return answer(200, { integrations: webhooks.length === 0 ? [] : [custom], meta: { hasMore: false } });
  };
  const getUser = (user: User | undefined) => (user ? answer(200, { user }) : refuse(404, "User not found"));

  const createUser = ({ externalId, profile = {} }: User): Asked => ({
    step: "createUser",
    userExternalId: externalId,
    make: () => {
      if (users.has(externalId)) return refuse(409, "User already exists");
      const user = { id: newId(), externalId, profile };
      users.set(externalId, user);
      return answer(201, { user });
    },
  });

  const listConversations = (search: URLSearchParams): Asked => {
    const named = {
      ...(search.has("filter[userId]") ? { userId: search.get("filter[userId]") ?? "" } : {}),
      userExternalId: search.get("filter[userExternalId]") ?? "",
    };
    return {
      step: "listConversations",
      userExternalId: named.userExternalId,
      make: () => {
        const user = userOf(named);
        if (!user) return refuse(404, "User not found");
        const all = conversations.filter(({ userId }) => userId === user.id);
        const start = all.findIndex((one) => one.id === search.get("page[after]")) + 1;
        const page = all.slice(start, start + PAGE_SIZE);
        const hasMore = all.length > start + PAGE_SIZE;
        const meta = { hasMore, ...(hasMore ? { afterCursor: page.at(-1)?.id } : {}) };
        return answer(200, { conversations: page.map(shown), meta, links: {} });
      },
    };
  };

  const createConversation = ({
    participants: [named = {}],
    metadata = {},
  }: {
    participants: Named[];
    metadata?: Fields;
  }): Asked => ({
    step: "createConversation",
    userExternalId: named.userExternalId ?? "",
    make: () => {
      const user = userOf(named);
      if (!user) return refuse(404, "User not found");
      const hasOne = conversations.some(({ userId }) => userId === user.id);
      if (hasOne && !multiConversations) return refuse(400, "Multi-conversations are not enabled");
      const { id: userId, externalId: userExternalId } = user;
      const conversation = {
        id: newId(),
        userId,
        userExternalId,
        metadata,
        messages: [],
        isFull: false,
        isMerged: false,
      };
      conversations.push(conversation);
      return answer(201, { conversation: shown(conversation) });
    },
  });

  const postMessage = (conversation: Conversation, { author, content, metadata }: Message): Asked => ({
    step: "postMessage",
    userExternalId: conversation.userExternalId,
    make: () => {
      const { userId, userExternalId, ...rest } = author;
      const isExternal = !conversation.isMerged && userExternalId === conversation.userExternalId;
      const isOwn = userId === undefined ? isExternal : userId === conversation.userId;
      if (author.type === "user" && !isOwn) return refuse(403, "Not a participant");
      if (conversation.isFull) return refuse(423, "Message limit of 30000 per conversation reached.");
      const by = author.type === "user" ? { ...rest, userId: conversation.userId } : rest;
      const message = {
        author: by,
        content,
        ...(metadata ? { metadata } : {}),
        id: newId(),
        received: new Date().toISOString(),
      };
      conversation.messages.push(message);
      const echo = { ...message, source: { type: "api:conversations" } };
      own = Promise.all([own, zendesk.send([zendesk.agentMessage(conversation, echo)])]).then((all) => all.flat());
      return answer(201, { messages: [message] });
    },
  });

  const listMessages = (conversation: Conversation): Asked => ({
    step: "listMessages",
    userExternalId: conversation.userExternalId,
    make: () => answer(200, { messages: conversation.messages.slice(-100), meta: { hasMore: false }, links: {} }),
  });

  /** What was asked for, once it fits the description as well. */
  function made({ make }: Asked, { method, path }: Received): Answer {
    const answered = make();
    const { pathname } = new URL(path, farEnd.url);
    const json: unknown = JSON.parse(answered.body ?? "");
    const problems = problemsOfAnswer(method, pathname.slice("/sc".length), answered.status, json);
    refused.push(...problems.map((problem) => `the fake's own answer: ${problem}`));
    return answered;
  }

  const never = new Promise<never>(() => undefined);
  farEnd.answerWith((request) => {
    try {
      const wanted = read(request);
      if ("status" in wanted) return wanted;
      const { step, userExternalId } = wanted;
      const key = `${step} ${userExternalId}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      const fails = fault({ step, userExternalId, count });
      if (!fails) return made(wanted, request);
      if ("status" in fails) return { ...refuse(fails.status, "a fault was asked for"), ...fails };
      if (fails.done) made(wanted, request);
      return never;
    } catch (error) {
      refused.push(`${request.method} ${request.path}: ${String(error)}`);
      return refuse(400, String(error));
    }
  });
  return zendesk;
}
