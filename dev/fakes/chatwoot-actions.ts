import { randomUUID } from "node:crypto";
import {
  inboxIdOf,
  type Contact,
  type Conversation,
  type Inbox,
  type Message,
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
  setStatus: (conversation: Conversation, status: string) => Promise<number>;
  open: (contact: Contact, inbox: Inbox, sourceId: string, more?: Partial<Conversation>) => Conversation;
  /** ContactMergeAction: the one that stays has its own fields, and the other's where it has none. */
  merge: (contact: Contact, into: Contact) => Promise<number>[];
  /** A job of the worker's: until it has run, the conversation takes messages as if nothing were. */
  deleteConversation: (conversation: Conversation) => void;
  /** The contact goes at once, and its conversations as above. */
  deleteContact: (contact: Contact) => void;
};

export type Said = Omit<Message, "id" | "conversationId" | "attachments">;
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

  /** What else about a conversation changes is told of in a webhook that nobody has to read. */
  const change = (conversation: Conversation, fields: Partial<Conversation>) => {
    const shown = (value: unknown) => (typeof value === "number" ? new Date(value).toISOString() : (value ?? null));
    const before = { ...conversation };
    Object.assign(conversation, fields, { updatedMs: Date.now() });
    const keys = { status: "status", waitingSinceMs: "waiting_since", firstReplyMs: "first_reply_created_at" } as const;
    const changed = Object.entries({ ...keys, updatedMs: "updated_at" }).flatMap(([key, name]) => {
      const [previous, current] = [before, conversation].map((one) => shown(one[key as keyof Conversation]));
      return previous === current ? [] : [{ [name]: { previous_value: previous, current_value: current } }];
    });
    return () => void tellOfConversation("conversation_updated", conversation, changed);
  };

  const setStatus = async (conversation: Conversation, status: string): Promise<number> => {
    if (conversation.status === status) return 0;
    const tellOfChange = change(conversation, { status });
    const told = tellOfConversation("conversation_status_changed", conversation, null);
    tellOfChange();
    const content = `Conversation was marked as ${status}`;
    const [id, createdMs] = [store.next("message"), Date.now()];
    const activity = { content, messageType: "activity", isPrivate: false, attachments: [], createdMs };
    activities.push({ id, conversationId: conversation.id, ...activity });
    const inbox = store.inboxes.find(({ id: one }) => one === inboxIdOf(conversation));
    // The survey is behind the webhook that says resolved.
    if (status === "resolved" && inbox?.hasSurvey) {
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
    const inbox = store.inboxes.find(({ id: one }) => one === inboxIdOf(conversation));
    const contact = contacts.find((one) => one.id === conversation.contactId);
    if (said.messageType === "incoming" && conversation.status === "resolved" && contact?.blocked !== true) {
      void setStatus(conversation, inbox?.hasBot ? "pending" : "open");
    }
    const told = tellOfMessage("message_created", message);
    // What a voice says is written beside it later.
    if (uploads.some(({ type }) => type.startsWith("audio/"))) void tellOfMessage("message_updated", message);
    if (said.messageType === "incoming") conversation.waitingSinceMs ??= createdMs;
    if (said.messageType === "outgoing" && !said.isPrivate) {
      const isFirstReply = said.sender?.isBot !== true && conversation.firstReplyMs === undefined;
      const first = isFirstReply ? { firstReplyMs: createdMs } : {};
      if (isFirstReply || conversation.waitingSinceMs !== undefined) {
        change(conversation, { waitingSinceMs: undefined, ...first })();
      }
    }
    if (isFirst && said.messageType === "incoming" && inbox?.greeting !== undefined) {
      say(conversation, { content: inbox.greeting, messageType: "template", isPrivate: false });
    }
    return { message, told };
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
      const theirs = conversations.filter(({ contactId }) => contactId === into.id).map(({ id }) => id);
      return messages
        .filter(({ conversationId, messageType }) => messageType === "incoming" && theirs.includes(conversationId))
        .map((message) => update(message, {}));
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

/** The name that a contact gets at an inbox where nobody chose one. */
export const newSourceId = (): string => randomUUID();
