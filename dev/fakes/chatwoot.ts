import { createHmac, randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import {
  accountId,
  contactRequest,
  conversationRequest,
  filterRequest,
  formRequest,
  inboxId,
  messageRequest,
  Misfit,
  read,
  statusRequest,
  routeOf,
  type Step,
  toggleRequest,
} from "./chatwoot-api.ts";
import { type Answer, type FarEnd, type Received, startFarEnd } from "./far-end.ts";

/**
 * A fake Chatwoot: its Application API with one inbox of type API, and its signed webhooks.
 *
 * Written from Chatwoot's swagger files and source, v4.13.0 to v4.15.1, and not from a running one. It does not do: roles
 * (its one token may do everything), rate limits, contacts that are merged, deletion by a job, the delivery status of an
 * agent's message, custom attribute definitions, files behind a redirect. A webhook is sent once, as the real one does, but
 * it waits for the answer without a limit.
 */
export type FakeChatwoot = FarEnd & {
  /** The desk of a tenant record. */
  record: Record<string, unknown>;
  contacts: Contact[];
  conversations: Conversation[];
  messages: Message[];
  /** What did not fit Chatwoot's schema; each was answered 4xx. */
  misfits: string[];
  /** Every webhook sent, and what the relay answered. */
  webhooks: { event: string; body: string; status: number; answer: string; ms: number }[];
  /** The next request of that step fares so. With `stored` it is done all the same, and only the answer is another. */
  failNext: (step: Step, fault: Fault) => void;
  sendWebhooksTo: (url: string) => void;
  /** Each resolves when the relay has answered the webhook of it, with its status. */
  agentSays: (conversation: Conversation, content: string, more?: Record<string, unknown>) => Promise<number>;
  agentResolves: (conversation: Conversation) => Promise<number>;
  delete: (conversation: Conversation) => void;
  /** From now on it is of a version that has no such route. */
  lacks: (step: Step) => void;
  /** Somebody merges the one contact into the other, which keeps its own fields, and gets the conversations. */
  merge: (contact: Contact, into: Contact) => void;
};

export type Fault = { stored?: boolean } & ({ status: number; headers?: Record<string, string> } | { silent: true });

type Contact = { id: number; identifier?: string | undefined; name: string; phone_number?: string | undefined };
export type Conversation = {
  id: number;
  contactId: number;
  sourceId: string;
  status: string;
  customAttributes: Record<string, unknown>;
};
type Message = {
  id: number;
  conversationId: number;
  content: string;
  messageType: string;
  isPrivate: boolean;
  sourceId?: string | undefined;
  /** What an agent sees at it. */
  status?: string;
  externalError?: string | undefined;
  attachments: { name: string; type: string; size: number; text: string }[];
};

const apiAccessToken = "token-of-an-administrator";
const webhookSecret = "secret-of-the-inbox-0123456789";

const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });
const notFound = (): Answer => json(404, { error: "Resource could not be found" });
const taken = (what: string): Answer =>
  json(422, { message: `${what} has already been taken`, attributes: [what.toLowerCase().replaceAll(" ", "_")] });

export async function startFakeChatwoot(): Promise<FakeChatwoot> {
  const farEnd = await startFarEnd();
  const contacts: Contact[] = [];
  const conversations: Conversation[] = [];
  const messages: Message[] = [];
  const misfits: string[] = [];
  const webhooks: FakeChatwoot["webhooks"] = [];
  const lacking = new Set<Step>();
  const faults: { step: Step; fault: Fault }[] = [];
  let webhookUrl: string | undefined;
  let lastId = 100;
  const nextId = () => ++lastId;

  const conversationData = ({ id, contactId, sourceId, status, customAttributes }: Conversation) => ({
    id,
    inbox_id: inboxId,
    status,
    channel: "Channel::Api",
    custom_attributes: customAttributes,
    contact_inbox: { id: id + 1000, contact_id: contactId, inbox_id: inboxId, source_id: sourceId },
    meta: { sender: { id: contactId, type: "contact" }, assignee: null },
    timestamp: Math.floor(Date.now() / 1000),
    updated_at: Date.now() / 1000 + 0.000_001,
  });

  const sendWebhook = async (payload: { event: string }): Promise<number> => {
    if (webhookUrl === undefined) return 0;
    // Rails writes these so, and the signature is over what is written.
    const body = JSON.stringify(payload).replaceAll(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
    const timestamp = Math.floor(Date.now() / 1000);
    const mac = createHmac("sha256", webhookSecret).update(`${timestamp}.${body}`).digest("hex");
    const sentMs = Date.now();
    const headers = {
      "content-type": "application/json",
      "x-chatwoot-timestamp": String(timestamp),
      "x-chatwoot-signature": `sha256=${mac}`,
      "x-chatwoot-delivery": randomUUID(),
    };
    const sent = fetch(webhookUrl, { method: "POST", headers, body });
    const { status, answer } = await sent.then(
      async (response) => ({ status: response.status, answer: await response.text() }),
      (error: unknown) => ({ status: 0, answer: String(error) }),
    );
    webhooks.push({ event: payload.event, body, status, answer, ms: Date.now() - sentMs });
    return status;
  };

  const conversationOf = (id: number) => conversations.find((one) => one.id === id);

  const created = (message: Message, more: Record<string, unknown> = {}): Promise<number> => {
    messages.push(message);
    return tell("message_created", message, more).then((status) => {
      if (message.messageType !== "outgoing" || webhookUrl === undefined || (status >= 200 && status < 300))
        return status;
      message.status = "failed";
      message.externalError = `${status} ${STATUS_CODES[status] ?? "Timed out"}`;
      return status;
    });
  };

  const tell = (event: string, message: Message, more: Record<string, unknown> = {}): Promise<number> => {
    const conversation = conversationOf(message.conversationId);
    return sendWebhook({
      event,
      id: message.id,
      content: message.content,
      content_type: "text",
      content_attributes: message.externalError === undefined ? {} : { external_error: message.externalError },
      message_type: message.messageType,
      private: message.isPrivate,
      source_id: message.sourceId ?? null,
      account: { id: accountId },
      inbox: { id: inboxId },
      conversation: conversation && conversationData(conversation),
      ...more,
    } as { event: string });
  };

  const changeStatus = (conversation: Conversation, status: string): Promise<number> => {
    const before = conversation.status;
    conversation.status = status;
    if (before === status) return Promise.resolve(0);
    const event = "conversation_status_changed";
    return sendWebhook({ ...conversationData(conversation), event, changed_attributes: null } as { event: string });
  };

  const say = (conversation: Conversation, said: Omit<Message, "id" | "conversationId">): Answer => {
    const message = { id: nextId(), conversationId: conversation.id, ...said };
    void created(message);
    if (said.messageType === "incoming" && conversation.status === "resolved") void changeStatus(conversation, "open");
    return json(200, { id: message.id, content: said.content, private: said.isPrivate });
  };

  const steps: Record<Step, (request: Received, id: number) => Answer | Promise<Answer>> = {
    filter: ({ body }) => {
      const [{ attribute_key: key, values }] = read(filterRequest, JSON.parse(body)).payload;
      // Without regard to case, and a number with or without its plus.
      const bare = (text = "") => text.toLowerCase().replace(/^\+/, "");
      const payload = contacts.filter((one) => bare(one[key]) === bare(values[0]));
      return json(200, { meta: { count: payload.length, current_page: 1 }, payload });
    },
    contact: ({ body }) => {
      const { identifier, name, phone_number } = read(contactRequest, JSON.parse(body));
      if (contacts.some((one) => one.identifier === identifier)) return taken("Identifier");
      if (phone_number !== undefined && contacts.some((one) => one.phone_number === phone_number))
        return taken("Phone number");
      const contact: Contact = { id: nextId(), identifier, name, phone_number };
      contacts.push(contact);
      return json(200, { payload: { contact, contact_inbox: { source_id: randomUUID() } } });
    },
    list: (_request, contactId) => {
      if (!contacts.some(({ id }) => id === contactId)) return notFound();
      const theirs = conversations.filter((one) => one.contactId === contactId).toReversed();
      // A conversation of this list does not say its source_id.
      const payload = theirs.slice(0, 20).map(({ id, status, customAttributes }) => {
        return { id, inbox_id: inboxId, status, custom_attributes: customAttributes };
      });
      return json(200, { payload });
    },
    conversation: ({ body }) => {
      const asked = read(conversationRequest, JSON.parse(body));
      const holder = conversations.find((one) => one.sourceId === asked.source_id)?.contactId;
      const contactId = asked.contact_id ?? holder;
      if (contactId === undefined || !contacts.some(({ id }) => id === contactId)) return notFound();
      if (holder !== undefined && holder !== contactId) return json(422, { error: "source_id should be unique" });
      const conversation: Conversation = {
        id: nextId(),
        contactId,
        sourceId: asked.source_id,
        status: asked.status,
        customAttributes: asked.custom_attributes,
      };
      conversations.push(conversation);
      void sendWebhook({ event: "conversation_created", ...conversationData(conversation) });
      return json(200, conversationData(conversation));
    },
    message: async ({ body, headers }, conversationId) => {
      const conversation = conversationOf(conversationId);
      if (!conversation) return notFound();
      const type = headers["content-type"] ?? "";
      if (!type.startsWith("multipart/form-data")) {
        const asked = read(messageRequest, JSON.parse(body));
        const { content, message_type, private: isPrivate, source_id } = asked;
        return say(conversation, {
          content,
          messageType: message_type,
          isPrivate,
          sourceId: source_id,
          attachments: [],
        });
      }
      if (headers["content-length"] === undefined) throw new Misfit("an upload has to say its length");
      const form = await new Response(body, { headers: { "content-type": type } }).formData();
      const files = form.getAll("attachments[]");
      const asked = read(formRequest, { ...Object.fromEntries(form), "attachments[]": files });
      const uploaded = asked["attachments[]"].map(async (file) => {
        return { name: file.name, type: file.type, size: file.size, text: await file.text() };
      });
      const { content = "", message_type, private: isPrivate, source_id } = asked;
      const said = { content, messageType: message_type, isPrivate: isPrivate === "true", sourceId: source_id };
      return say(conversation, { ...said, attachments: await Promise.all(uploaded) });
    },
    messages: (_request, conversationId) => {
      if (!conversationOf(conversationId)) return notFound();
      const theirs = messages.filter((one) => one.conversationId === conversationId).slice(-20);
      const payload = theirs.map(({ id, content, sourceId }) => ({ id, content, source_id: sourceId ?? null }));
      return json(200, { meta: {}, payload });
    },
    status: ({ body }, id) => {
      const { status, external_error } = read(statusRequest, JSON.parse(body));
      const message = messages.find((one) => one.id === id);
      if (!message) return notFound();
      // StatusUpdateService: what was read is not delivered again.
      if (message.status !== "read" || status !== "delivered") message.status = status;
      message.externalError = status === "failed" ? external_error : undefined;
      void tell("message_updated", message);
      return json(200, { id, status: message.status });
    },
    toggle: ({ body }, conversationId) => {
      const conversation = conversationOf(conversationId);
      if (!conversation) return notFound();
      void changeStatus(conversation, read(toggleRequest, JSON.parse(body)).status);
      const payload = { success: true, current_status: conversation.status, conversation_id: conversation.id };
      return json(200, { meta: {}, payload });
    },
  };

  farEnd.answerWith(async (request) => {
    const found = routeOf(request);
    if (found && lacking.has(found.step)) {
      return { status: 404, body: "<h1>Not found</h1>", headers: { "content-type": "text/html" } };
    }
    if (!found) {
      misfits.push(`${request.method} ${request.path}`);
      return notFound();
    }
    // nginx stands in front, and drops a name with underscores.
    if (request.headers["api-access-token"] !== apiAccessToken) return json(401, { error: "Invalid Access Token" });
    const index = faults.findIndex(({ step }) => step === found.step);
    const fault = index === -1 ? undefined : faults.splice(index, 1)[0]?.fault;
    try {
      const answer = fault && !fault.stored ? undefined : await steps[found.step](request, found.id);
      if (fault && "silent" in fault) return await new Promise<never>(() => undefined);
      if (fault) return { ...json(fault.status, { error: "a fault" }), headers: fault.headers ?? {} };
      return answer ?? notFound();
    } catch (error) {
      if (!(error instanceof Misfit || error instanceof SyntaxError)) throw error;
      misfits.push(`${request.method} ${request.path}: ${error.message}`);
      return json(422, { error: error.message });
    }
  });

  return {
    ...farEnd,
    record: { type: "chatwoot", baseUrl: farEnd.url, accountId, inboxId, apiAccessToken, webhookSecret },
    contacts,
    conversations,
    messages,
    misfits,
    webhooks,
    failNext: (step, fault) => void faults.push({ step, fault }),
    sendWebhooksTo: (url) => {
      webhookUrl = url;
    },
    agentSays: ({ id: conversationId }, content, more = {}) => {
      const isPrivate = more["private"] === true;
      return created(
        { id: nextId(), conversationId, content, messageType: "outgoing", isPrivate, attachments: [] },
        { sender: { id: 1, name: "Dewi", type: "user" }, ...more },
      );
    },
    agentResolves: (conversation) => changeStatus(conversation, "resolved"),
    delete: ({ id }) => {
      const index = conversations.findIndex((one) => one.id === id);
      conversations.splice(index, 1);
    },
    lacks: (step) => void lacking.add(step),
    merge: (contact, into) => {
      contacts.splice(contacts.indexOf(contact), 1);
      for (const one of conversations) if (one.contactId === contact.id) one.contactId = into.id;
    },
  };
}
