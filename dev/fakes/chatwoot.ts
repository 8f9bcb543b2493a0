import { createHmac, randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { actionsOf, newSourceId } from "./chatwoot-actions.ts";
import { answersOf, json, notFound, unauthorized } from "./chatwoot-answers.ts";
import { isOfAccount, Misfit, OPEN_STEPS, refusalOf, routeOf, type Step } from "./chatwoot-api.ts";
import {
  accountId,
  inboxId,
  newStore,
  SENDERS,
  TOKENS,
  type Contact,
  type Conversation,
  type Inbox,
  type Message,
  type Role,
  type Upload,
} from "./chatwoot-store.ts";
import { startWorker, type Post, type Worker } from "./chatwoot-worker.ts";
import { type Answer, type FarEnd, startFarEnd } from "./far-end.ts";

export type { Conversation } from "./chatwoot-store.ts";

/**
 * A fake Chatwoot: its Application API with inboxes of type API, its roles, its worker, and its signed webhooks.
 *
 * Written from Chatwoot's source, v4.13.0 to v4.15.1, and held against what a running 4.15.1 said and was told
 * (test/contracts/chatwoot). What it does otherwise:
 * - It knows one account, and the requests of the relay and of its set-up; what else is asked of it is a misfit. It is strict
 *   where Chatwoot overlooks what it does not know.
 * - It limits no rates, and searches nothing. A conversation has no labels, team, or time when it was read, and is always of the same
 *   uuid. All its dates have milliseconds.
 * - Its worker has no queue but the one of webhooks, and a file is in its store at once. Files are text.
 * - It tells of a first reply and of a changed status by `conversation_updated`, and of nothing else by it. It tells no
 *   account's webhooks and no typing.
 */
export type FakeChatwoot = FarEnd & {
  /** The desk of a tenant record, with the token of an agent who is in the inbox. */
  record: Record<string, unknown>;
  /** An access token of each role. The outsider is an agent who is not in the inbox. */
  tokens: Record<Role, string>;
  contacts: Contact[];
  conversations: Conversation[];
  messages: Message[];
  inboxes: Inbox[];
  /** The record's inbox: what is set at it counts from then on. */
  inbox: Inbox;
  /** The keys of the attributes that are shown. */
  definitions: { key: string }[];
  /** What did not fit Chatwoot's schema; each was answered 4xx. */
  misfits: string[];
  /** Every webhook sent, and what the relay answered. */
  webhooks: SentWebhook[];
  worker: Pick<Worker, "stop" | "start" | "kill" | "idle">;
  /** The next request of that step fares so. With `stored` it is done all the same, and only the answer is another. */
  failNext: (step: Step, fault: Fault) => void;
  sendWebhooksTo: (url: string) => void;
  /** Each resolves when the relay has answered the webhook of it, with its status; with 0 when no webhook comes. */
  agentSays: (conversation: Conversation, content: string, more?: More) => Promise<number>;
  agentSends: (conversation: Conversation, content: string, files: Omit<Upload, "size">[]) => Promise<number>;
  agentResolves: (conversation: Conversation) => Promise<number>;
  /** The button at a failed message, which tells of it twice. */
  agentRetries: (message: Message) => Promise<number[]>;
  agentDeletes: (message: Message) => Promise<number>;
  /** "New conversation", which has the source_id of the contact's last one. */
  agentOpens: (contact: Contact) => Conversation;
  /** Somebody sets what agents see at a message. */
  mark: (message: Message, status: string, externalError?: string) => Promise<number>;
  /** These are jobs of the worker: while it stands, they are still to come. */
  delete: (conversation: Conversation) => void;
  deleteContact: (contact: Contact) => void;
  /** From now on it is of a version that has no such route. */
  lacks: (step: Step) => void;
  /** Somebody merges the one contact into the other, which keeps its own fields, and gets the conversations. */
  merge: (contact: Contact, into: Contact) => void;
};

export type Fault = { stored?: boolean } & (
  | { status: number; headers?: Record<string, string>; error?: string }
  | { silent: true }
);

type SentWebhook = {
  event: string;
  headers: Record<string, string>;
  body: string;
  status: number;
  answer: string;
  ms: number;
};

/** What else an agent's message may be, in the words of its webhook. Files that are given so are shown as they are given. */
type More = {
  message_type?: string;
  private?: boolean;
  sender?: null;
  content_type?: string;
  content_attributes?: Record<string, unknown>;
  attachments?: Record<string, unknown>[];
};

const VERSION = "4.15.1";
/** WEBHOOK_TIMEOUT as it comes. */
const WEBHOOK_TIMEOUT_MS = 5_000;
/** Trigger::SUPPORTED_ERROR_HANDLE_EVENTS: the message of these is marked failed. */
const MARKED_EVENTS = new Set(["message_created", "message_updated"]);

export async function startFakeChatwoot(): Promise<FakeChatwoot> {
  const farEnd = await startFarEnd();
  const store = newStore(farEnd.url);
  const { contacts, conversations, messages, inboxes } = store;
  const [inbox] = inboxes;
  if (!inbox) throw new Error("there is no inbox");
  const misfits: string[] = [];
  const webhooks: SentWebhook[] = [];
  const lacking = new Set<Step>();
  const faults: { step: Step; fault: Fault }[] = [];
  const worker = startWorker();

  const post = async (
    { webhookUrl = "", secret }: Inbox,
    payload: { event: string },
    id: number | undefined,
    signal: AbortSignal,
  ) => {
    const { event } = payload;
    // Rails writes these so, and the signature is over what is written.
    const body = JSON.stringify(payload).replaceAll(
      /[<>&\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    const sentMs = Date.now();
    const timestamp = Math.floor(sentMs / 1000);
    const headers = {
      "accept-encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
      accept: "application/json",
      "user-agent": "Ruby",
      "content-type": "application/json",
      "x-chatwoot-delivery": randomUUID(),
      "x-chatwoot-timestamp": String(timestamp),
      "x-chatwoot-signature": `sha256=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`,
    };
    const until = AbortSignal.any([signal, AbortSignal.timeout(WEBHOOK_TIMEOUT_MS)]);
    const { status, answer } = await fetch(webhookUrl, { method: "POST", headers, body, signal: until })
      .then(async (response) => ({ status: response.status, answer: await response.text() }))
      .catch((error: unknown) => ({ status: 0, answer: String(error) }));
    if (signal.aborted) return 0;
    webhooks.push({ event, headers, body, status, answer, ms: Date.now() - sentMs });
    const message = messages.find((one) => one.id === id);
    if (message && MARKED_EVENTS.has(event) && (status < 200 || status > 299)) {
      const error = status === 0 ? "Timed out connecting to server" : `${status} ${STATUS_CODES[status] ?? ""}`;
      void actions.setMessageStatus(message, "failed", error);
    }
    return status;
  };

  const actions = actionsOf(
    store,
    (event, of, body, messageId) =>
      worker.enqueue((): Post | undefined => {
        const at = inboxes.find(({ id }) => id === of);
        const payload = body();
        if (!payload || at?.webhookUrl === undefined) return undefined;
        return { event, messageId, send: (signal) => post(at, { ...payload, event }, messageId, signal) };
      }),
    (job) =>
      void worker.enqueue(() => {
        job();
        return undefined;
      }),
  );
  const answers = answersOf(store, actions, VERSION);

  farEnd.answerWith(async (request): Promise<Answer> => {
    const asked = routeOf(request);
    if (asked && lacking.has(asked.step)) {
      return { status: 404, body: "<h1>Not found</h1>", headers: { "content-type": "text/html; charset=UTF-8" } };
    }
    // nginx stands in front, and drops a name with underscores.
    const token = request.headers["api-access-token"];
    const role = (Object.keys(TOKENS) as Role[]).find((one) => TOKENS[one] === token);
    const isOpen = asked && OPEN_STEPS.has(asked.step);
    if (!isOpen && role === undefined) return unauthorized("Invalid Access Token");
    if (!isOfAccount(request)) return unauthorized("You are not authorized to access this account");
    if (!asked) {
      misfits.push(`${request.method} ${request.path}`);
      return notFound();
    }
    const { step } = asked;
    const refusal = isOpen || role === undefined ? undefined : refusalOf(step, role);
    if (refusal !== undefined) return unauthorized(refusal);
    const index = faults.findIndex((one) => one.step === step);
    const fault = index === -1 ? undefined : faults.splice(index, 1)[0]?.fault;
    try {
      const isDone = !fault || fault.stored === true;
      const answer = isDone ? await answers[step]({ ...asked, request, role: role ?? "outsider" }) : notFound();
      if (fault && "silent" in fault) return await new Promise<never>(() => undefined);
      if (!fault) return answer;
      const faulty = json(fault.status, { error: fault.error ?? "a fault" });
      return { ...faulty, headers: { ...faulty.headers, ...fault.headers } };
    } catch (error) {
      if (!(error instanceof Misfit || error instanceof SyntaxError)) throw error;
      misfits.push(`${request.method} ${request.path}: ${error.message}`);
      return json(422, { error: error.message });
    }
  });

  const said = (content: string, more: More) => ({
    content,
    messageType: more.message_type ?? "outgoing",
    isPrivate: more.private ?? false,
    contentType: more.content_type ?? "text",
    contentAttributes: more.content_attributes ?? {},
    sender: more.sender === null ? undefined : SENDERS.agent,
  });

  return {
    ...farEnd,
    record: {
      type: "chatwoot",
      baseUrl: farEnd.url,
      accountId,
      inboxId,
      apiAccessToken: TOKENS.agent,
      webhookSecret: inbox.secret,
    },
    tokens: TOKENS,
    contacts,
    conversations,
    messages,
    inboxes,
    inbox,
    definitions: store.definitions,
    misfits,
    webhooks,
    worker,
    failNext: (step, fault) => void faults.push({ step, fault }),
    sendWebhooksTo: (url) => {
      inbox.webhookUrl = url;
    },
    agentSays: (conversation, content, more = {}) =>
      actions.say(conversation, said(content, more), { shown: more.attachments ?? [] }).told,
    agentSends: (conversation, content, files) => {
      const uploads = files.map((file) => ({ ...file, size: Buffer.byteLength(file.text) }));
      return actions.say(conversation, said(content, {}), { uploads }).told;
    },
    agentResolves: (conversation) => actions.setStatus(conversation, "resolved"),
    agentRetries: actions.retry,
    agentDeletes: actions.deleteMessage,
    agentOpens: (contact) => {
      const last = store.contactInboxes.findLast((one) => one.contactId === contact.id && one.inboxId === inbox.id);
      return actions.open(contact, inbox, last?.sourceId ?? newSourceId());
    },
    mark: actions.setMessageStatus,
    delete: actions.deleteConversation,
    deleteContact: actions.deleteContact,
    lacks: (step) => void lacking.add(step),
    merge: actions.merge,
  };
}
