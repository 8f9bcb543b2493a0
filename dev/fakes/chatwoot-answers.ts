import type { Actions } from "./chatwoot-actions.ts";
import { newSourceId } from "./chatwoot-actions.ts";
import {
  contactChange,
  contactRequest,
  conversationRequest,
  definitionRequest,
  filterRequest,
  formRequest,
  inboxChange,
  inboxRequest,
  membersRequest,
  mergeRequest,
  messageRequest,
  Misfit,
  read,
  statusRequest,
  toggleRequest,
  type Asked,
  type Step,
} from "./chatwoot-api.ts";
import { accountId, inboxIdOf, SENDERS, TOKENS, type Conversation, type Role, type Store } from "./chatwoot-store.ts";
import {
  contactAndInboxes,
  contactAnswer,
  conversationAnswer,
  inboxAnswer,
  inboxOfNewContact,
  messageAnswer,
} from "./chatwoot-views.ts";
import type { Answer, Received } from "./far-end.ts";

/** What a Chatwoot answers to each request of its Application API. */

export const json = (status: number, body: unknown): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/json; charset=utf-8" },
});
/** `head :ok`. */
const done = (): Answer => ({ status: 200 });
export const notFound = (): Answer => json(404, { error: "Resource could not be found" });
export const unauthorized = (error = "You are not authorized to do this action"): Answer => json(401, { error });
const unprocessable = (error: string): Answer => json(422, { error });
const invalid = (problems: [attribute: string, text: string][]): Answer =>
  json(422, { message: problems.map(([, text]) => text).join(", "), attributes: problems.map(([name]) => name) });

const LONGEST_CONTENT = 150_000;
const FIRST_ATTRIBUTE_MODEL = "conversation_attribute";

type Answers = Record<Step, (asked: Asked & { request: Received; role: Role }) => Answer | Promise<Answer>>;

export function answersOf(store: Store, actions: Actions, version: string): Answers {
  const { contacts, contactInboxes, conversations, messages, inboxes, definitions } = store;

  /** Everything of a conversation needs a seat in its inbox; an agent bot of the account has one everywhere. */
  const mayEnter = (role: Role, inboxId: number) => {
    const inbox = inboxes.find(({ id }) => id === inboxId);
    return role === "administrator" || role === "bot" || inbox?.members.includes(SENDERS[role].id) === true;
  };
  const within = (
    { id, role }: { id: number; role: Role },
    answer: (conversation: Conversation) => Answer | Promise<Answer>,
  ) => {
    const conversation = conversations.find((one) => one.id === id);
    if (!conversation) return notFound();
    return mayEnter(role, inboxIdOf(conversation)) ? answer(conversation) : unauthorized();
  };
  const messageIn = (conversation: Conversation, messageId: number) =>
    messages.find((one) => one.id === messageId && one.conversationId === conversation.id);

  return {
    version: () => json(200, { version, timestamp: "2026-11-27 12:31:17", queue_services: "ok", data_services: "ok" }),
    profile: ({ role }) => {
      const { id, name, email } = SENDERS[role];
      const isOf = role === "administrator" ? "administrator" : "agent";
      const seat = { id: accountId, name: "Toko Contoh", status: "active", onboarding_step: null, active_at: null };
      const there = { availability: "online", availability_status: "offline", auto_offline: true };
      const custom = { custom_role_id: null, custom_role: null };
      return json(200, {
        access_token: TOKENS[role],
        account_id: accountId,
        available_name: name,
        avatar_url: "",
        confirmed: true,
        display_name: null,
        message_signature: null,
        email,
        id,
        inviter_id: null,
        name,
        provider: "email",
        pubsub_token: "…",
        role: isOf,
        ui_settings: {},
        uid: email,
        type: null,
        accounts: [{ ...seat, role: isOf, permissions: [isOf], ...there, ...custom }],
      });
    },

    inboxes: ({ role }) => {
      const theirs = inboxes.filter(({ id }) => mayEnter(role, id));
      return json(200, { payload: theirs.map((one) => inboxAnswer(one, role === "administrator")) });
    },
    inbox: ({ id, role }) => {
      const inbox = inboxes.find((one) => one.id === id);
      if (!inbox) return notFound();
      return mayEnter(role, id) ? json(200, inboxAnswer(inbox, role === "administrator")) : unauthorized();
    },
    makeInbox: ({ request }) => {
      const { name, channel } = read(inboxRequest, JSON.parse(request.body));
      const id = store.next("inbox");
      const inbox = { id, name, webhookUrl: channel.webhook_url, secret: `secret-of-inbox-${id}`, members: [] };
      inboxes.push(inbox);
      return json(200, inboxAnswer(inbox, true));
    },
    changeInbox: ({ id, request }) => {
      const inbox = inboxes.find((one) => one.id === id);
      if (!inbox) return notFound();
      const { name, channel } = read(inboxChange, JSON.parse(request.body));
      if (name !== undefined) inbox.name = name;
      if (channel) inbox.webhookUrl = channel.webhook_url;
      return json(200, inboxAnswer(inbox, true));
    },
    members: ({ request }) => {
      const { inbox_id, user_ids } = read(membersRequest, JSON.parse(request.body));
      const inbox = inboxes.find(({ id }) => id === inbox_id);
      if (!inbox) return notFound();
      inbox.members = [...new Set([...inbox.members, ...user_ids])];
      const members = Object.values(SENDERS).filter(({ id, isBot }) => isBot !== true && inbox.members.includes(id));
      return json(200, { payload: members.map(({ id, name, email }) => ({ id, account_id: accountId, email, name })) });
    },
    define: ({ request }) => {
      const asked = read(definitionRequest, JSON.parse(request.body)).custom_attribute_definition;
      if (definitions.some(({ key }) => key === asked.attribute_key)) {
        return invalid([["attribute_key", "Attribute key has already been taken"]]);
      }
      const made = { id: store.next("definition"), key: asked.attribute_key };
      definitions.push(made);
      return json(200, {
        ...asked,
        id: made.id,
        attribute_display_type: "text",
        attribute_model: FIRST_ATTRIBUTE_MODEL,
        regex_pattern: null,
        regex_cue: null,
        attribute_values: [],
        default_value: null,
        created_at: new Date().toISOString(),
        updated_at: new Date().toISOString(),
      });
    },

    definitions: () =>
      json(
        200,
        definitions.map(({ id, key }) => ({ id, attribute_key: key })),
      ),

    filter: ({ request }) => {
      const [{ attribute_key: key, values }] = read(filterRequest, JSON.parse(request.body)).payload;
      // Without regard to case, and a number with or without its plus.
      const bare = (text = "") => text.toLowerCase().replace(/^\+/, "");
      const found = contacts.filter((one) => bare(one[key]) === bare(values[0]));
      const payload = found.map((one) => contactAndInboxes(store, one));
      return json(200, { meta: { count: found.length, current_page: 1 }, payload });
    },
    contact: ({ request }) => {
      const { inbox_id, identifier, name, phone_number } = read(contactRequest, JSON.parse(request.body));
      const isTaken = (key: "identifier" | "phone_number", value: string | undefined) =>
        value !== undefined && contacts.some((one) => one[key] === value);
      const problems: [string, string][] = [];
      if (isTaken("identifier", identifier)) problems.push(["identifier", "Identifier has already been taken"]);
      if (isTaken("phone_number", phone_number)) problems.push(["phone_number", "Phone number has already been taken"]);
      if (phone_number !== undefined && !/^\+[1-9]\d{1,14}$/.test(phone_number)) {
        problems.push(["phone_number", "Phone number should be in e164 format"]);
      }
      if (problems.length > 0) return invalid(problems);
      // The contact is made before its inbox is looked for, and in one transaction with that: without it there is none.
      const inbox = inboxes.find(({ id }) => id === inbox_id);
      if (!inbox) return notFound();
      const createdMs = Date.now();
      const contact = { id: store.next("contact"), identifier, name, phone_number, createdMs };
      contacts.push(contact);
      const names = { contactId: contact.id, inboxId: inbox.id, sourceId: newSourceId() };
      contactInboxes.push({ id: store.next("contactInbox"), ...names, createdMs });
      const contact_inbox = { inbox: inboxOfNewContact(inbox), source_id: names.sourceId };
      return json(200, { payload: { contact: contactAndInboxes(store, contact), contact_inbox } });
    },
    changeContact: ({ id, request }) => {
      const contact = contacts.find((one) => one.id === id);
      if (!contact) return notFound();
      contact.blocked = read(contactChange, JSON.parse(request.body)).blocked;
      return json(200, { payload: contactAndInboxes(store, contact) });
    },
    deleteContact: ({ id }) => {
      const contact = contacts.find((one) => one.id === id);
      if (!contact) return notFound();
      actions.deleteContact(contact);
      return done();
    },
    mergeContacts: ({ request }) => {
      const asked = read(mergeRequest, JSON.parse(request.body));
      const [into, contact] = [asked.base_contact_id, asked.mergee_contact_id].map((id) =>
        contacts.find((one) => one.id === id),
      );
      if (!into || !contact) return notFound();
      actions.merge(contact, into);
      return json(200, contactAnswer(into));
    },
    list: ({ id, role }) => {
      if (!contacts.some((one) => one.id === id)) return notFound();
      // Of somebody who is not in the inbox the list is empty. A conversation of it does not say its source_id.
      const theirs = conversations.filter((one) => one.contactId === id && mayEnter(role, inboxIdOf(one)));
      const payload = theirs.toReversed().slice(0, 20);
      return json(200, { payload: payload.map((one) => conversationAnswer(one, store)) });
    },

    conversation: ({ request, role }) => {
      const asked = read(conversationRequest, JSON.parse(request.body));
      const holder = contactInboxes.find((one) => one.sourceId === asked.source_id);
      const inbox = inboxes.find(({ id }) => id === (asked.inbox_id ?? holder?.inboxId));
      const contact = contacts.find(({ id }) => id === (asked.contact_id ?? holder?.contactId));
      if (!inbox) return notFound();
      if (!mayEnter(role, inbox.id)) return unauthorized();
      if (!contact) return notFound();
      if (holder && (holder.contactId !== contact.id || holder.inboxId !== inbox.id)) {
        return unprocessable("source_id should be unique");
      }
      const { status = "open", custom_attributes: customAttributes = {} } = asked;
      const conversation = actions.open(contact, inbox, asked.source_id, { status, customAttributes });
      return json(200, conversationAnswer(conversation, store));
    },
    conversations: ({ query, role }) => {
      const of = Number(query.get("inbox_id"));
      const theirs = conversations.filter((one) => inboxIdOf(one) === of && mayEnter(role, of)).slice(0, 25);
      return json(200, { data: { meta: {}, payload: theirs.map((one) => conversationAnswer(one, store)) } });
    },
    deleteConversation: (asked) =>
      within(asked, (conversation) => {
        actions.deleteConversation(conversation);
        return done();
      }),
    message: (asked) =>
      within(asked, async (conversation) => {
        const { uploads, said } = await saidIn(asked.request);
        const sender = said.messageType === "outgoing" ? SENDERS[asked.role] : undefined;
        // Whatever goes wrong in here is a 422 (MessagesController#create).
        if (said.content.length > LONGEST_CONTENT) {
          return unprocessable(`Validation failed: Content is too long (maximum is ${LONGEST_CONTENT} characters)`);
        }
        if (said.content.includes("\0")) return unprocessable("string contains null byte");
        const hasContact = contacts.some(({ id }) => id === conversation.contactId);
        if (!hasContact && said.messageType === "incoming" && conversation.status === "resolved") {
          return unprocessable("Validation failed: Contact must exist");
        }
        const replyTo = messages.find(({ id }) => id === said.contentAttributes?.["in_reply_to"]);
        if (replyTo) said.contentAttributes = { ...said.contentAttributes, in_reply_to_external_id: replyTo.sourceId };
        const { message } = actions.say(conversation, { ...said, sender }, { uploads });
        return json(200, messageAnswer(message, store));
      }),
    messages: (asked) =>
      within(asked, (conversation) => {
        const [after, before] = [asked.query.get("after"), asked.query.get("before")];
        // With both of them, the one that `after` names is among them (MessageFinder).
        const isWanted = (id: number) =>
          before === null ? id > Number(after ?? 0) : id < Number(before) && id >= Number(after ?? 0);
        const wanted = [...messages, ...store.activities]
          .filter(({ id, conversationId }) => conversationId === conversation.id && isWanted(id))
          .toSorted((a, b) => a.id - b.id);
        const page = after === null ? wanted.slice(-20) : wanted.slice(0, before === null ? 100 : 1000);
        const contact = contacts.find(({ id }) => id === conversation.contactId);
        const meta = {
          labels: [],
          additional_attributes: {},
          contact: contact && messageAnswer({ ...SAMPLE, conversationId: conversation.id }, store)["sender"],
          agent_last_seen_at: null,
          assignee_last_seen_at: null,
        };
        return json(200, { meta, payload: page.map((one) => messageAnswer(one, store)) });
      }),
    status: (asked) =>
      within(asked, (conversation) => {
        const { status, external_error } = read(statusRequest, JSON.parse(asked.request.body));
        const message = messageIn(conversation, asked.messageId);
        if (!message) return notFound();
        void actions.setMessageStatus(message, status, external_error);
        return json(200, messageAnswer(message, store));
      }),
    retry: (asked) =>
      within(asked, (conversation) => {
        const message = messageIn(conversation, asked.messageId);
        if (!message) return notFound();
        void actions.retry(message);
        return json(200, messageAnswer(message, store));
      }),
    deleteMessage: (asked) =>
      within(asked, (conversation) => {
        const message = messageIn(conversation, asked.messageId);
        if (!message) return notFound();
        void actions.deleteMessage(message);
        return json(200, messageAnswer(message, store));
      }),
    toggle: (asked) =>
      within(asked, (conversation) => {
        const { status } = read(toggleRequest, JSON.parse(asked.request.body));
        void actions.setStatus(conversation, status, SENDERS[asked.role]);
        const payload = { success: true, conversation_id: conversation.id, current_status: status };
        return json(200, { payload: { ...payload, snoozed_until: null } });
      }),

    file: ({ id, request }) =>
      store.attachments.some((one) => one.id === id)
        ? { status: 302, headers: { location: store.url + request.path.replace("/blobs/redirect/", "/disk/") } }
        : notFound(),
    storedFile: ({ id }) => {
      const upload = store.attachments.find((one) => one.id === id)?.upload;
      return upload ? { status: 200, body: upload.text, headers: { "content-type": upload.type } } : notFound();
    },
  };
}

/** Whose sender is the customer. */
const SAMPLE = { id: 0, content: "", messageType: "incoming", isPrivate: false, attachments: [] };

async function saidIn({ body, headers }: Received) {
  const type = headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) {
    const asked = read(messageRequest, JSON.parse(body));
    const said = {
      content: asked.content,
      messageType: asked.message_type ?? "outgoing",
      isPrivate: asked.private ?? false,
      sourceId: asked.source_id,
      contentType: asked.content_type ?? "text",
      contentAttributes: asked.content_attributes ?? {},
    };
    return { said, uploads: [] };
  }
  if (headers["content-length"] === undefined) throw new Misfit("an upload has to say its length");
  const form = await new Response(body, { headers: { "content-type": type } }).formData();
  const asked = read(formRequest, { ...Object.fromEntries(form), "attachments[]": form.getAll("attachments[]") });
  const said = {
    content: asked.content ?? "",
    messageType: asked.message_type ?? "outgoing",
    isPrivate: asked.private === "true",
    sourceId: asked.source_id,
    contentType: "text",
    contentAttributes: {} as Record<string, unknown>,
  };
  const uploads = asked["attachments[]"].map(async (file) => {
    return { name: file.name, type: file.type, size: file.size, text: await file.text() };
  });
  return { said, uploads: await Promise.all(uploads) };
}
