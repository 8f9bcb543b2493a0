import {
  accountId,
  inboxIdOf,
  type Attachment,
  type Contact,
  type ContactInbox,
  type Conversation,
  type Inbox,
  type Message,
  type Sender,
  type Store,
  type Upload,
} from "./chatwoot-store.ts";

/**
 * What a Chatwoot says of what it holds. It says the same thing in several ways: in an answer, in a webhook about it, and in a
 * webhook about something else.
 */

type Fields = Record<string, unknown>;

const account = { id: accountId, name: "Toko Contoh" };
const seconds = (ms: number | undefined) => (ms === undefined ? 0 : Math.floor(ms / 1000));
/** With the microseconds that Chatwoot has and JavaScript lacks. */
const exactly = (ms: number) => ms / 1000 + 0.000_351;
const iso = (ms: number) => new Date(ms).toISOString();

const TYPES = ["incoming", "outgoing", "activity", "template"];

// Inboxes

const inboxInBrief = ({ id, name }: Inbox): Fields => ({
  id,
  avatar_url: "",
  channel_id: id,
  name,
  channel_type: "Channel::Api",
  provider: null,
});

/** The secret is shown to administrators alone. */
export function inboxAnswer(inbox: Inbox, isAdministrator: boolean): Fields {
  const secrets = isAdministrator ? { hmac_token: "…", secret: inbox.secret } : {};
  return {
    ...inboxInBrief(inbox),
    greeting_enabled: inbox.greeting !== undefined,
    greeting_message: inbox.greeting ?? null,
    working_hours_enabled: false,
    enable_email_collect: true,
    csat_survey_enabled: inbox.hasSurvey === true,
    csat_config: {},
    enable_auto_assignment: true,
    auto_assignment_config: {},
    out_of_office_message: null,
    working_hours: [],
    timezone: "UTC",
    callback_webhook_url: null,
    allow_messages_after_resolved: true,
    lock_to_single_conversation: false,
    sender_name_type: "friendly",
    business_name: null,
    allowed_domains: null,
    widget_color: null,
    website_url: null,
    hmac_mandatory: false,
    welcome_title: null,
    welcome_tagline: null,
    web_widget_script: null,
    website_token: null,
    selected_feature_flags: null,
    reply_time: null,
    messaging_service_sid: null,
    phone_number: null,
    ...secrets,
    webhook_url: inbox.webhookUrl ?? null,
    inbox_identifier: "…",
    additional_attributes: {},
  };
}

/** As a contact that was just made has it: straight from the table. */
export const inboxOfNewContact = ({ id, name }: Inbox): Fields => ({
  id,
  channel_id: id,
  account_id: accountId,
  name,
  created_at: iso(0),
  updated_at: iso(0),
  channel_type: "Channel::Api",
  enable_auto_assignment: true,
  greeting_enabled: false,
  greeting_message: null,
  email_address: null,
  working_hours_enabled: false,
  out_of_office_message: null,
  timezone: "UTC",
  enable_email_collect: true,
  csat_survey_enabled: false,
  allow_messages_after_resolved: true,
  auto_assignment_config: {},
  lock_to_single_conversation: false,
  portal_id: null,
  sender_name_type: "friendly",
  business_name: null,
  csat_config: {},
});

// People

const contactFields = ({ id, identifier, name, phone_number, blocked = false }: Contact): Fields => ({
  additional_attributes: {},
  custom_attributes: {},
  email: null,
  id,
  identifier: identifier ?? null,
  name,
  phone_number: phone_number ?? null,
  thumbnail: "",
  blocked,
});

const contactPushed = (contact: Contact): Fields => ({ ...contactFields(contact), type: "contact" });

const contactInWebhook = (contact: Contact): Fields => ({ account, ...contactFields(contact), avatar: "" });

export const contactAnswer = (contact: Contact): Fields => ({
  ...contactFields(contact),
  availability_status: "offline",
  ...(contact.activeMs === undefined ? {} : { last_activity_at: seconds(contact.activeMs) }),
  created_at: seconds(contact.createdMs),
});

export const contactAndInboxes = (store: Store, contact: Contact): Fields => ({
  ...contactAnswer(contact),
  contact_inboxes: store.contactInboxes
    .filter(({ contactId }) => contactId === contact.id)
    .map((one) => ({
      source_id: one.sourceId,
      inbox: store.inboxes.filter(({ id }) => id === one.inboxId).map(inboxInBrief)[0],
    })),
});

/** Nobody knows in a worker whether an agent is there. */
const senderPushed = ({ id, name, isBot }: Sender, inWorker: boolean): Fields =>
  isBot === true
    ? { id, name, avatar_url: "", type: "agent_bot" }
    : {
        id,
        name,
        available_name: name,
        avatar_url: "",
        type: "user",
        availability_status: inWorker ? null : "offline",
        thumbnail: "",
      };

const senderInWebhook = ({ id, name, email, isBot }: Sender): Fields =>
  isBot === true ? { id, name, type: "agent_bot" } : { id, name, email, type: "user" };

// Messages

const attributesOf = ({ contentAttributes = {}, externalError }: Message): Fields =>
  externalError === undefined ? contentAttributes : { ...contentAttributes, external_error: externalError };

const linkOf = (message: Message, store: Store) => {
  const of = store.conversations.find(({ id }) => id === message.conversationId);
  return `${store.url}/survey/responses/${of?.sourceId ?? ""}`;
};

/** A survey's link is in no list, and only in the webhook's own content. */
const contentInWebhook = (message: Message, store: Store): string =>
  message.contentType === "input_csat" ? `Please rate this conversation, ${linkOf(message, store)}` : message.content;

const filesOf = (message: Message, store: Store): { attachments?: Fields[] } => {
  const files = store.attachments.filter(({ messageId }) => messageId === message.id).map(({ shown }) => shown);
  return files.length === 0 ? {} : { attachments: files };
};

const contactOf = (message: Message, store: Store): Contact | undefined => {
  const of = store.conversations.find(({ id }) => id === message.conversationId);
  return store.contacts.find(({ id }) => id === of?.contactId);
};

function senderOf(message: Message, store: Store, inWorker: boolean): { sender?: Fields } {
  if (message.messageType === "incoming") {
    const contact = contactOf(message, store);
    return contact ? { sender: contactPushed(contact) } : {};
  }
  return message.sender ? { sender: senderPushed(message.sender, inWorker) } : {};
}

export const messageAnswer = (message: Message, store: Store): Fields => ({
  id: message.id,
  content: message.content,
  inbox_id: inboxIdOf(store.conversations.find(({ id }) => id === message.conversationId)),
  conversation_id: message.conversationId,
  message_type: TYPES.indexOf(message.messageType),
  content_type: message.contentType ?? "text",
  status: message.status ?? "sent",
  content_attributes: attributesOf(message),
  created_at: seconds(message.createdMs),
  private: message.isPrivate,
  source_id: message.sourceId ?? null,
  ...senderOf(message, store, false),
  ...filesOf(message, store),
});

/** The newest message of a conversation, in the webhooks about it and about its messages. */
function messagePushed(message: Message, store: Store): Fields {
  const { createdMs = 0, updatedMs = createdMs } = message;
  const of = store.conversations.find(({ id }) => id === message.conversationId);
  return {
    ...messageAnswer(message, store),
    account_id: accountId,
    updated_at: iso(updatedMs),
    sender_type:
      message.messageType === "incoming"
        ? "Contact"
        : message.sender
          ? message.sender.isBot
            ? "AgentBot"
            : "User"
          : null,
    sender_id: message.messageType === "incoming" ? (of?.contactId ?? null) : (message.sender?.id ?? null),
    external_source_ids: {},
    additional_attributes: {},
    processed_message_content: message.content,
    sentiment: {},
    conversation: {
      assignee_id: of?.assignee?.id ?? null,
      unread_count: unreadOf(message.conversationId, store),
      last_activity_at: seconds(createdMs),
      contact_inbox: { source_id: of?.sourceId },
    },
    ...senderOf(message, store, true),
  };
}

export function messageWebhook(message: Message, store: Store): Fields {
  const { createdMs = 0 } = message;
  const conversation = store.conversations.find(({ id }) => id === message.conversationId);
  const contact = message.messageType === "incoming" ? contactOf(message, store) : undefined;
  return {
    account,
    additional_attributes: {},
    content_attributes: attributesOf(message),
    content_type: message.contentType ?? "text",
    content: contentInWebhook(message, store),
    conversation: conversation && conversationWebhook(conversation, store),
    created_at: iso(createdMs),
    id: message.id,
    inbox: { id: inboxIdOf(conversation), name: store.inboxes.find(({ id }) => id === inboxIdOf(conversation))?.name },
    message_type: message.messageType,
    private: message.isPrivate,
    sender: contact ? contactInWebhook(contact) : message.sender ? senderInWebhook(message.sender) : null,
    source_id: message.sourceId ?? null,
    ...filesOf(message, store),
  };
}

/** An agent's files are behind a redirect; a picture's size is known a moment later. */
export function attachmentOf(id: number, messageId: number, upload: Upload, url: string): Attachment {
  const [kind = ""] = upload.type.split("/");
  const file_type = ["image", "audio", "video"].includes(kind) ? kind : "file";
  const extension = /\.(\w+)$/.exec(upload.name)?.[1] ?? null;
  const link = `${url}/rails/active_storage/blobs/redirect/${id}/${encodeURIComponent(upload.name)}`;
  const shown: Fields = {
    id,
    message_id: messageId,
    file_type,
    account_id: accountId,
    extension,
    content_type: upload.type,
    data_url: file_type === "audio" ? `${link}?disposition=inline` : link,
    thumb_url: file_type === "image" ? link.replace("/blobs/", "/representations/") : "",
    file_size: upload.size,
    width: null,
    height: null,
    ...(file_type === "audio" ? { transcribed_text: "" } : {}),
  };
  return { id, messageId, upload, shown };
}

// Conversations

const messagesOf = (conversationId: number, { messages }: Store) =>
  messages.filter((one) => one.conversationId === conversationId);

const unreadOf = (conversationId: number, store: Store) =>
  messagesOf(conversationId, store).filter(({ messageType }) => messageType === "incoming").length;

const newestOf = (id: number, store: Store): Fields[] => {
  const newest = messagesOf(id, store).findLast(({ isPrivate }) => !isPrivate);
  return newest ? [messagePushed(newest, store)] : [];
};

/** When something was last said in it. */
const activeMs = ({ id, createdMs = 0 }: Conversation, store: Store) =>
  messagesOf(id, store).at(-1)?.createdMs ?? createdMs;

export function conversationAnswer(conversation: Conversation, store: Store): Fields {
  const { createdMs = 0, updatedMs = createdMs } = conversation;
  const contact = store.contacts.find(({ id }) => id === conversation.contactId);
  const newest = newestOf(conversation.id, store);
  return {
    meta: {
      sender: contact && contactAnswer(contact),
      channel: "Channel::Api",
      ...(conversation.assignee ? { assignee: senderPushed(conversation.assignee, false) } : {}),
      hmac_verified: false,
    },
    id: conversation.id,
    messages: newest,
    account_id: accountId,
    uuid: "e1b1ad1c-610e-4f26-8174-5cd5805a8c9f",
    additional_attributes: {},
    agent_last_seen_at: 0,
    assignee_last_seen_at: 0,
    can_reply: true,
    contact_last_seen_at: 0,
    custom_attributes: conversation.customAttributes,
    inbox_id: inboxIdOf(conversation),
    labels: [],
    muted: contact?.blocked === true,
    snoozed_until: null,
    status: conversation.status,
    created_at: seconds(createdMs),
    updated_at: exactly(updatedMs),
    timestamp: seconds(activeMs(conversation, store)),
    first_reply_created_at: seconds(conversation.firstReplyMs),
    unread_count: unreadOf(conversation.id, store),
    last_non_activity_message: newest[0] ?? null,
    last_activity_at: seconds(activeMs(conversation, store)),
    priority: null,
    waiting_since: seconds(conversation.waitingSinceMs),
    sla_policy_id: null,
  };
}

const contactInboxInWebhook = ({ id, contactId, inboxId: of, sourceId, createdMs }: ContactInbox): Fields => ({
  id,
  contact_id: contactId,
  inbox_id: of,
  source_id: sourceId,
  created_at: iso(createdMs),
  updated_at: iso(createdMs),
  hmac_verified: false,
  pubsub_token: "GSwDTyDXsq7UELsfdV4VqjdY",
});

export function conversationWebhook(conversation: Conversation, store: Store): Fields {
  const { id, contactId, sourceId, assignee, createdMs = 0, updatedMs = createdMs } = conversation;
  const contact = store.contacts.find((one) => one.id === contactId);
  const at = inboxIdOf(conversation);
  const held = store.contactInboxes.find((one) => one.sourceId === sourceId);
  return {
    additional_attributes: {},
    can_reply: true,
    channel: "Channel::Api",
    contact_inbox: contactInboxInWebhook(held ?? { id: 0, contactId, inboxId: at, sourceId, createdMs }),
    id,
    inbox_id: at,
    messages: newestOf(id, store),
    labels: [],
    meta: {
      sender: contact && contactPushed(contact),
      assignee: assignee ? senderPushed(assignee, true) : null,
      assignee_type: assignee ? "User" : null,
      team: null,
      hmac_verified: false,
    },
    status: conversation.status,
    custom_attributes: conversation.customAttributes,
    snoozed_until: null,
    unread_count: unreadOf(id, store),
    first_reply_created_at: conversation.firstReplyMs === undefined ? null : iso(conversation.firstReplyMs),
    priority: null,
    waiting_since: seconds(conversation.waitingSinceMs),
    agent_last_seen_at: 0,
    contact_last_seen_at: 0,
    last_activity_at: seconds(activeMs(conversation, store)),
    timestamp: seconds(activeMs(conversation, store)),
    created_at: seconds(createdMs),
    updated_at: exactly(updatedMs),
    account,
  };
}
