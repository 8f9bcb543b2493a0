/** What a fake Chatwoot holds. A test may put rows there of its own, and say only what matters to it. */

export const accountId = 3;
export const inboxId = 7;

export type Contact = {
  id: number;
  identifier?: string | undefined;
  name: string;
  phone_number?: string | undefined;
  blocked?: boolean;
  createdMs?: number;
  /** When they last wrote. */
  activeMs?: number;
};

export type Conversation = {
  id: number;
  contactId: number;
  sourceId: string;
  status: string;
  customAttributes: Record<string, unknown>;
  inboxId?: number;
  /** Who opened it last, if an agent did. */
  assignee?: Sender;
  createdMs?: number;
  updatedMs?: number;
  firstReplyMs?: number;
  /** Since when the customer waits for an answer. */
  waitingSinceMs?: number | undefined;
};

/** A test's own row is in the record's inbox unless it says otherwise. */
export const inboxIdOf = (conversation: Conversation | undefined): number => conversation?.inboxId ?? inboxId;

/** Which contact is known by which name at which inbox. The name is unique there. */
export type ContactInbox = { id: number; contactId: number; inboxId: number; sourceId: string; createdMs: number };

export type Message = {
  id: number;
  conversationId: number;
  content: string;
  messageType: string;
  isPrivate: boolean;
  sourceId?: string | undefined;
  contentType?: string;
  contentAttributes?: Record<string, unknown>;
  sender?: Sender | undefined;
  createdMs?: number;
  updatedMs?: number;
  /** What an agent sees at it; nothing is "sent". */
  status?: string;
  externalError?: string | undefined;
  attachments: Upload[];
};

export type Upload = { name: string; type: string; size: number; text: string };
/** A file of a message, as it is shown. */
export type Attachment = { id: number; messageId: number; upload?: Upload; shown: Record<string, unknown> };

export type Role = "administrator" | "agent" | "outsider" | "bot";
export type Sender = { id: number; name: string; email?: string; isBot?: boolean };

export type Inbox = {
  id: number;
  name: string;
  webhookUrl: string | undefined;
  secret: string;
  members: number[];
  /** A text to whoever opens a conversation. */
  greeting?: string;
  /** The survey goes to the customer when a conversation is resolved. */
  hasSurvey?: boolean;
  /** Conversations begin pending: an agent bot has them first. */
  hasBot?: boolean;
};

export const SENDERS: Record<Role, Sender> = {
  administrator: { id: 1, name: "Pengelola Toko", email: "pengelola@toko.example" },
  agent: { id: 4, name: "Agen Toko", email: "agen@toko.example" },
  outsider: { id: 5, name: "Agen Lain", email: "lain@toko.example" },
  bot: { id: 1, name: "Robot", isBot: true },
};

export const TOKENS: Record<Role, string> = {
  administrator: "token-of-an-administrator",
  agent: "token-of-an-agent-in-the-inbox",
  outsider: "token-of-an-agent-not-in-the-inbox",
  bot: "token-of-an-agent-bot",
};

export type Store = {
  /** The fake's own address, which agents' files are at. */
  url: string;
  contacts: Contact[];
  contactInboxes: ContactInbox[];
  conversations: Conversation[];
  messages: Message[];
  /** "Conversation was resolved by Agen Toko": among the messages of the list, and in no webhook. */
  activities: Message[];
  attachments: Attachment[];
  inboxes: Inbox[];
  definitions: { id: number; key: string }[];
  /** The next id of its kind. */
  next: (
    kind: "contact" | "contactInbox" | "conversation" | "message" | "attachment" | "inbox" | "definition",
  ) => number;
};

export function newStore(url: string): Store {
  // As an account that is in use: no two kinds have the same numbers.
  const last = {
    contact: 127,
    contactInbox: 255,
    conversation: 0,
    message: 759,
    attachment: 7,
    inbox: 7,
    definition: 33,
  };
  return {
    url,
    contacts: [],
    contactInboxes: [],
    conversations: [],
    messages: [],
    activities: [],
    attachments: [],
    inboxes: [
      {
        id: inboxId,
        name: "3Dolphins",
        webhookUrl: undefined,
        secret: "secret-of-the-inbox-0123456789",
        members: [SENDERS.agent.id],
      },
    ],
    definitions: [],
    next: (kind) => ++last[kind],
  };
}
