import { randomUUID } from "node:crypto";
import {
  inboxIdOf,
  SENDERS,
  type Contact,
  type Conversation,
  type Inbox,
  type Message,
  type Sender,
  type Store,
  type Upload,
} from "./chatwoot-store.ts";
import { attachmentOf, conversationWebhook, messageWebhook } from "./chatwoot-views.ts";

/** What can be done in a Chatwoot, whoever does it, and the webhooks that tell of it. */
export type Actions = {
  /** A text of somebody, with files. `told` resolves with what the webhook of it was answered. */
  say: (conversation: Conversation, said: Said, files?: Files) => { message: Message; told: Promise<number> };
  /** Messages::StatusUpdateService. */
  setMessageStatus: (message: Message, status: string, externalError?: string) => Promise<number>;
  /** An agent's Retry of a failed message, which tells of it twice. Resolves with both answers. */
  retry: (message: Message) => Promise<number[]>;
  deleteMessage: (message: Message) => Promise<number>;
  setStatus: (conversation: Conversation, status: string, by?: Sender) => Promise<number>;
  open: (contact: Contact, inbox: Inbox, sourceId: string, more?: Partial<Conversation>) => Conversation;
  /** ContactMergeAction: the one that stays has its own fields, and the other's where it has none. */
  merge: (contact: Contact, into: Contact) => void;
  /** A job of the worker's: until it has run, the conversation takes messages as if nothing were. */
  deleteConversation: (conversation: Conversation) => void;
  /** The contact goes at once, and its conversations as above. */
  deleteContact: (contact: Contact) => void;
};

type Said = Omit<Message, "id" | "conversationId" | "attachments">;
/** What was uploaded, or what is shown as if it had been. */
type Files = { uploads?: Upload[]; shown?: Record<string, unknown>[] };

/** Makes the body when the worker comes to it; undefined when there is none any more. */
export type Tell = (
  event: string,
  inboxId: number,
  body: () => Record<string, unknown> | undefined,
  messageId?: number,
) => Promise<number>;

export function actionsOf(store: Store, tell: Tell, later: (job: () => void) => void): Actions {
  const { conversations, contactInboxes, contacts, messages, activities } = store;

  const inboxOf = (conversation: Conversation) => store.inboxes.find(({ id }) => id === inboxIdOf(conversation));

  const tellOfMessage = (event: string, message: Message) => {
    const of = conversations.find(({ id }) => id === message.conversationId);
    return tell(event, inboxIdOf(of), () => messageWebhook(message, store), message.id);
  };

  const tellOfConversation = (event: string, conversation: Conversation, changed?: unknown) =>
    tell(event, inboxIdOf(conversation), () =>
      conversations.includes(conversation)
        ? {
            ...conversationWebhook(conversation, store),
            ...(changed === undefined ? {} : { changed_attributes: changed }),
          }
        : undefined,
    );

  /** What changes about a conversation is told of in the order of the table's columns. */
  const change = (conversation: Conversation, fields: Partial<Conversation>) => {
    const before = { ...conversation };
    Object.assign(conversation, fields, { updatedMs: Date.now() });
    const columns: [name: string, read: (one: Conversation) => unknown][] = [
      ["assignee_id", ({ assignee }) => assignee?.id],
      ["status", ({ status }) => status],
      ["updated_at", ({ updatedMs }) => dateOf(updatedMs)],
      ["first_reply_created_at", ({ firstReplyMs }) => dateOf(firstReplyMs)],
      ["waiting_since", ({ waitingSinceMs }) => dateOf(waitingSinceMs)],
    ];
    const changed = columns.flatMap(([name, read]) => {
      const [previous_value = null, current_value = null] = [read(before), read(conversation)];
      return previous_value === current_value && name !== "updated_at"
        ? []
        : [{ [name]: { previous_value, current_value } }];
    });
    return () => void tellOfConversation("conversation_updated", conversation, changed);
  };

  /** "Conversation was resolved": among the messages, and in no webhook. */
  const note = ({ id: conversationId }: Conversation, content: string) => {
    const activity = { content, messageType: "activity", isPrivate: false, attachments: [], createdMs: Date.now() };
    activities.push({ id: store.next("message"), conversationId, ...activity });
  };

  const setStatus = async (conversation: Conversation, status: string, by?: Sender): Promise<number> => {
    if (conversation.status === status) return 0;
    const changes = [change(conversation, { status })];
    const told = tellOfConversation("conversation_status_changed", conversation, null);
    note(conversation, `Conversation was marked as ${status}`);
    // An agent who opens it takes it (ConversationsController#handle_human_open).
    if (status === "open" && by?.id === SENDERS.agent.id && conversation.assignee?.id !== by.id) {
      changes.push(change(conversation, { assignee: by }));
      note(conversation, `${by.name} self-assigned this conversation`);
    }
    for (const tellOfChange of changes) tellOfChange();
    // The survey is behind the webhook that says resolved.
    if (status === "resolved" && inboxOf(conversation)?.hasSurvey) {
      const survey = { content: "Please rate the conversation", contentType: "input_csat", messageType: "template" };
      say(conversation, { ...survey, isPrivate: false, contentAttributes: { display_type: "emoji" } });
    }
    return told;
  };

  const say: Actions["say"] = (conversation, said, { uploads = [], shown = [] } = {}) => {
    const [id, createdMs] = [store.next("message"), Date.now()];
    const message: Message = { id, conversationId: conversation.id, attachments: uploads, createdMs, ...said };
    const isFirst = !messages.some(({ conversationId }) => conversationId === conversation.id);
    messages.push(message);
    for (const upload of uploads) {
      store.attachments.push(attachmentOf(store.next("attachment"), id, upload, store.url));
    }
    for (const one of shown) store.attachments.push({ id: store.next("attachment"), messageId: id, shown: one });
    if (said.messageType === "incoming") listenTo(conversation, createdMs);
    const told = tellOfMessage("message_created", message);
    // What a voice says is written beside it later.
    if (uploads.some(({ type }) => type.startsWith("audio/"))) void tellOfMessage("message_updated", message);
    if (said.messageType === "outgoing" && !said.isPrivate) {
      const isFirstReply = said.sender?.isBot !== true && conversation.firstReplyMs === undefined;
      const first = isFirstReply ? { firstReplyMs: createdMs } : {};
      if (isFirstReply || conversation.waitingSinceMs !== undefined) {
        change(conversation, { waitingSinceMs: undefined, ...first })();
      }
    }
    const greeting = inboxOf(conversation)?.greeting;
    if (isFirst && said.messageType === "incoming" && greeting !== undefined) {
      say(conversation, { content: greeting, messageType: "template", isPrivate: false });
    }
    return { message, told };
  };

  /** A customer who writes waits for an answer from then on, and opens what was resolved. */
  const listenTo = (conversation: Conversation, nowMs: number) => {
    const contact = contacts.find(({ id }) => id === conversation.contactId);
    if (contact) contact.activeMs = nowMs;
    if (conversation.status === "resolved" && contact?.blocked !== true) {
      void setStatus(conversation, inboxOf(conversation)?.hasBot ? "pending" : "open");
    }
    if (conversation.waitingSinceMs === undefined) change(conversation, { waitingSinceMs: nowMs })();
  };

  const update = (message: Message, fields: Partial<Message>): Promise<number> => {
    Object.assign(message, fields, { updatedMs: Date.now() });
    return tellOfMessage("message_updated", message);
  };

  const setMessageStatus = async (message: Message, status: string, externalError?: string): Promise<number> => {
    const now = message.status ?? "sent";
    const error = status === "failed" ? externalError : undefined;
    // What was read is not delivered again, and what changes nothing is told to nobody.
    if ((now === "read" && status === "delivered") || (now === status && message.externalError === error)) return 0;
    return update(message, { status, externalError: error });
  };

  const deleteConversation = (conversation: Conversation) =>
    later(() => {
      const index = conversations.indexOf(conversation);
      if (index !== -1) conversations.splice(index, 1);
    });

  return {
    say,
    setStatus,
    setMessageStatus,
    retry: (message) => {
      if (message.status !== "failed") return Promise.resolve([]);
      return Promise.all([setMessageStatus(message, "sent"), update(message, {})]);
    },
    deleteMessage: (message) => {
      store.attachments = store.attachments.filter(({ messageId }) => messageId !== message.id);
      const content = "This message was deleted";
      const gone = { content, contentType: "text", contentAttributes: { deleted: true }, externalError: undefined };
      return update(message, gone);
    },
    open: (contact, inbox, sourceId, more = {}) => {
      const createdMs = Date.now();
      if (!contactInboxes.some((one) => one.sourceId === sourceId && one.inboxId === inbox.id)) {
        const names = { contactId: contact.id, inboxId: inbox.id, sourceId };
        contactInboxes.push({ id: store.next("contactInbox"), ...names, createdMs });
      }
      const conversation: Conversation = {
        id: store.next("conversation"),
        contactId: contact.id,
        inboxId: inbox.id,
        sourceId,
        customAttributes: {},
        createdMs,
        updatedMs: createdMs,
        waitingSinceMs: createdMs,
        ...more,
        // Whatever was asked for (Conversation#determine_conversation_status).
        status: contact.blocked === true ? "resolved" : inbox.hasBot ? "pending" : (more.status ?? "open"),
      };
      conversations.push(conversation);
      void tellOfConversation("conversation_created", conversation);
      return conversation;
    },
    merge: (contact, into) => {
      contacts.splice(contacts.indexOf(contact), 1);
      into.identifier ??= contact.identifier;
      into.phone_number ??= contact.phone_number;
      for (const one of [...contactInboxes, ...conversations])
        if (one.contactId === contact.id) one.contactId = into.id;
      const theirs = new Set(conversations.filter((one) => one.contactId === into.id).map(({ id }) => id));
      for (const message of messages) {
        const isOfThem = message.messageType === "incoming" && theirs.has(message.conversationId);
        if (isOfThem) void update(message, {});
      }
    },
    deleteConversation,
    deleteContact: (contact) => {
      contacts.splice(contacts.indexOf(contact), 1);
      const left = contactInboxes.filter(({ contactId }) => contactId !== contact.id);
      contactInboxes.splice(0, contactInboxes.length, ...left);
      for (const one of conversations.filter(({ contactId }) => contactId === contact.id)) deleteConversation(one);
    },
  };
}

const dateOf = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

/** The name that a contact gets at an inbox where nobody chose one. */
export const newSourceId = (): string => randomUUID();
