import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { problemsOfAnswer, problemsOfRequest, problemsOfWebhook } from "../../test/contracts/genesys/schemas.ts";
import { startFarEnd, type Answer, type FarEnd, type Received } from "./far-end.ts";
import {
  answer,
  limitsOf,
  refuse,
  stepOf,
  type Call,
  type Conversation,
  type Fault,
  type Fields,
} from "./genesys-api.ts";

/**
 * A fake organization of Genesys Cloud with one Open Messaging integration. It holds every request, and its own answers and
 * webhooks, against the typings of the published client, refuses what does not fit, keeps what was said, and sends signed
 * webhooks with the retries of the real one.
 *
 * Written from those typings (purecloud-platform-client-v2 262.0.0), the Developer Center's pages on Open Messaging and its
 * forum, and not from a running organization. Guesses: that a repeated message is 409, or 400 with such words, as the test
 * asks; the limits of a text and of an id. It tries a webhook again within a second, where the real one takes 5 between two.
 */

const WEBHOOK_TRIES = 5;
const WEBHOOK_PAUSE_MS = 200;
const WEBHOOK_PATIENCE_MS = 10_000;
const TOKEN_SECONDS = 86_400;

export type FakeGenesys = FarEnd & {
  /** The desk of a tenant record. */
  record: Record<string, unknown>;
  conversations: Conversation[];
  receipts: { id: string; status: string; customerId: string; code?: string | undefined }[];
  /** What did not fit the API, in words. */
  refused: string[];
  integration: Fields;
  /** How many tokens were given. */
  logins: () => number;
  /** No token that was given so far is good any more. */
  revokeTokens: () => void;
  /** How a message is refused that is there already. */
  repeatsAre: (status: 400 | 409) => void;
  faultWith: (fault: (call: Call) => Fault | undefined) => void;
  /** Where webhooks go from now on. */
  subscribe: (url: string) => void;
  /** A webhook about the conversation, to be sent. */
  outbound: (conversation: Pick<Conversation, "id" | "customerId">, fields: Fields) => Fields & { id: string };
  /** Sends one webhook, again and again as the real one does; the statuses of its tries. */
  send: (webhook: Fields, secret?: string) => Promise<number[]>;
  files: Map<string, Answer>;
  /** An agent's file: the link to it, which opens with the token and leads to a store that takes none. */
  file: (body: string, type: string) => string;
};

export async function startFakeGenesys(): Promise<FakeGenesys> {
  const farEnd = await startFarEnd();
  const [integrationId, clientId, clientSecret] = [randomUUID(), randomUUID(), randomUUID()];
  const webhookSecret = randomUUID();
  const conversations: Conversation[] = [];
  const receipts: FakeGenesys["receipts"] = [];
  const refused: string[] = [];
  const sent = new Set<string>();
  const outboundIds = new Set<string>();
  const tokens = new Set<string>();
  const files = new Map<string, Answer>();
  const counts = new Map<string, number>();
  let logins = 0;
  let repeatStatus: 400 | 409 = 409;
  let fault: (call: Call) => Fault | undefined = () => undefined;
  let target: string | undefined;

  const genesys: FakeGenesys = {
    ...farEnd,
    record: {
      type: "genesys",
      region: "apse1.pure.cloud",
      integrationId,
      clientId,
      clientSecret,
      webhookSecret,
      loginUrl: farEnd.url,
      apiUrl: farEnd.url,
    },
    conversations,
    receipts,
    refused,
    files,
    integration: {
      id: integrationId,
      name: "Bank ABC",
      status: "Active",
      createStatus: "Completed",
      outboundNotificationWebhookUrl: "https://elsewhere.example/hook",
      outboundNotificationWebhookSignatureSecretToken: webhookSecret,
    },
    logins: () => logins,
    revokeTokens: () => tokens.clear(),
    repeatsAre: (status) => {
      repeatStatus = status;
    },
    faultWith: (next) => {
      fault = next;
    },
    subscribe: (url) => {
      target = url;
    },
    outbound: ({ id: conversationId, customerId }, fields) => {
      const id = randomUUID();
      outboundIds.add(id);
      return {
        id,
        conversationId,
        channel: {
          id: integrationId,
          platform: "Open",
          type: "Private",
          messageId: id,
          to: { id: customerId, idType: "Opaque" },
          from: { id: integrationId, idType: "Opaque", nickname: "Bank ABC" },
          time: new Date().toISOString(),
        },
        type: "Text",
        direction: "Outbound",
        originatingEntity: "Human",
        ...fields,
      };
    },
    send: async (webhook, secret = webhookSecret) => {
      if (target === undefined) return [];
      refused.push(...problemsOfWebhook(webhook).map((problem) => `the fake's own webhook: ${problem}`));
      const body = JSON.stringify(webhook);
      const mac = createHmac("sha256", secret).update(body).digest("base64");
      const statuses: number[] = [];
      while (statuses.length < WEBHOOK_TRIES) {
        const status = await postWebhook(target, { "x-hub-signature-256": `sha256=${mac}` }, body);
        statuses.push(status);
        if (status !== 429 && status !== 0 && status < 500) break;
        await pause(WEBHOOK_PAUSE_MS);
      }
      return statuses;
    },
    file: (body, type) => {
      const id = randomUUID();
      files.set(`/store/${id}`, { status: 200, body, headers: { "content-type": type } });
      // By another name, it is another origin.
      const location = `${farEnd.url.replace("127.0.0.1", "localhost")}/store/${id}`;
      files.set(`/api/v2/downloads/${id}`, { status: 302, headers: { location } });
      return `${farEnd.url}/api/v2/downloads/${id}`;
    },
  };

  function logIn({ headers, body }: Received): Answer {
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
    if (headers["content-type"] !== "application/x-www-form-urlencoded") throw new Error("a form is required");
    if (new URLSearchParams(body).get("grant_type") !== "client_credentials") throw new Error("no such grant");
    if (headers["authorization"] !== basic) return answer(400, { error: "invalid_client" });
    logins += 1;
    const token = randomUUID();
    tokens.add(token);
    return answer(200, { access_token: token, token_type: "bearer", expires_in: TOKEN_SECONDS });
  }

  /** The conversation that this customer's message goes on in: a new one, once the last has ended. */
  function conversationOf(customerId: string): Conversation {
    const open = conversations.find((one) => one.customerId === customerId && one.state === "connected");
    if (open) return open;
    const next: Conversation = { id: randomUUID(), customerId, state: "connected", messages: [] };
    conversations.push(next);
    return next;
  }

  function takeMessage(json: Fields): Answer {
    const { channel, text, content } = json as Conversation["messages"][number];
    const key = `${channel.messageId} ${channel.time}`;
    if (sent.has(key)) return refuse(repeatStatus, "The combination of messageId and time must be unique.");
    sent.add(key);
    const conversation = conversationOf(channel.from.id);
    conversation.messages.push({ channel, ...(text === undefined ? {} : { text }), ...(content ? { content } : {}) });
    return answer(200, {
      id: randomUUID(),
      channel: { ...channel, metadata: undefined, id: integrationId, platform: "Open", to: { id: integrationId } },
      type: "Text",
      conversationId: conversation.id,
    });
  }

  function takeReceipt(json: Fields): Answer {
    const { id, status, channel, reasons } = json as {
      id: string;
      status: string;
      channel: { to: { id: string }; time: string };
      reasons?: { code?: string }[];
    };
    if (!outboundIds.has(id)) return refuse(404, "There is no message with this id.");
    receipts.push({ id, status, customerId: channel.to.id, code: reasons?.[0]?.code });
    const from = { id: integrationId, idType: "Opaque" };
    return answer(200, { id, channel: { ...channel, from }, type: "Receipt", status, direction: "Inbound" });
  }

  function disconnect(id: string): Answer {
    const conversation = conversations.find((one) => one.id === id);
    if (!conversation) return refuse(404, "There is no such conversation.");
    if (conversation.state === "disconnected") return refuse(400, "The conversation has ended.");
    conversation.state = "disconnected";
    return answer(200, { id, startTime: new Date().toISOString(), participants: [], state: "disconnected" });
  }

  type Asked = { call: Omit<Call, "count">; make: () => Answer };

  /** What a request asks for, or the answer to one that is none of the API's. */
  function read(request: Received): Asked | Answer {
    const { method, path, headers, body } = request;
    const { pathname, searchParams } = new URL(path, farEnd.url);
    if (pathname === "/oauth/token") {
      return { call: { step: "login", customerId: "", text: "" }, make: () => logIn(request) };
    }
    const stored = files.get(pathname);
    if (pathname.startsWith("/store/") && stored) {
      if (headers["authorization"] === undefined) return stored;
      throw new Error("the store was sent a token");
    }
    if (!tokens.has(headers["authorization"]?.replace("Bearer ", "") ?? "")) return refuse(401, "Invalid token.");
    if (pathname.startsWith("/api/v2/downloads/")) return stored ?? refuse(404, "There is no such file.");
    const json = body === "" ? undefined : (JSON.parse(body) as Fields);
    if (json && headers["content-type"] !== "application/json") return refuse(415, "JSON is required");
    const problems = [...problemsOfRequest(method, pathname, searchParams, json), ...limitsOf(json ?? {})];
    if (problems.length > 0) throw new Error(problems.join("; "));
    const { step, id } = stepOf(method, pathname);
    const isOther = step !== "disconnect" && id !== integrationId;
    const { channel, text = "" } = (json ?? {}) as { channel?: { from?: { id: string } }; text?: string };
    const customerId = channel?.from?.id ?? conversations.find((one) => one.id === id)?.customerId ?? "";
    const makes: Record<typeof step, () => Answer> = {
      login: () => refuse(404, "Not found"),
      message: () => takeMessage(json ?? {}),
      receipt: () => takeReceipt(json ?? {}),
      disconnect: () => disconnect(id),
      integration: () => answer(200, genesys.integration),
    };
    const call = { step, customerId, text };
    return isOther ? refuse(404, "There is no such integration.") : { call, make: makes[step] };
  }

  /** What was asked for, once it fits the typings as well. */
  function made({ make, call }: Asked, { method, path }: Received): Answer {
    const answered = make();
    if (call.step === "login") return answered;
    const json: unknown = JSON.parse(answered.body ?? "");
    const problems = problemsOfAnswer(method, new URL(path, farEnd.url).pathname, answered.status, json);
    refused.push(...problems.map((problem) => `the fake's own answer: ${problem}`));
    return answered;
  }

  const never = new Promise<never>(() => undefined);
  farEnd.answerWith((request) => {
    try {
      const wanted = read(request);
      if ("status" in wanted) return wanted;
      const key = `${wanted.call.step} ${wanted.call.customerId}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      const fails = fault({ ...wanted.call, count });
      if (!fails) return made(wanted, request);
      if ("status" in fails) return { ...refuse(fails.status, "a fault was asked for"), ...fails };
      if (fails.done) made(wanted, request);
      return never;
    } catch (error) {
      refused.push(`${request.method} ${request.path}: ${String(error)}`);
      return refuse(400, String(error));
    }
  });
  return genesys;
}

/** One try; 0 when no answer comes. */
async function postWebhook(url: string, headers: Record<string, string>, body: string): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
      signal: AbortSignal.timeout(WEBHOOK_PATIENCE_MS),
    });
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}
