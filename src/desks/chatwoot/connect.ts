import * as z from "zod/mini";
import type { Bounds } from "../../egress/http";
import { statusOf } from "../../egress/outcome";
import { headerSecret, SHORTEST_WEBHOOK_SECRET, text } from "../../lib/record-fields";
import { clip } from "../../lib/text";
import { missingObject, withFallback } from "../../lib/zod";
import { AppError } from "../../model/errors";
import { passed, type Check, type Language } from "../desk";
import { ATTRIBUTES, isApiInbox, readInbox, readInboxes, readProfile, roleIn, webhookOf, type Inbox } from "./account";
import { chatwootApi, stepOf, type Api, type Reply } from "./api";
import { account, type ChatwootRecord } from "./record";

/**
 * Sets up an account for a tenant, with an administrator's token. Everything is looked for before it is made, or may be made
 * twice: what one run has left undone, the next one does.
 */

/** What an operator gives. */
export const chatwootConnection = z.strictObject(
  {
    ...account,
    /** Of an administrator. It is not kept where there is an `agentToken`. */
    accessToken: headerSecret("the access token of an administrator"),
    /** Of an inbox that has to be made. */
    inboxName: z.optional(text()),
    agentToken: z.optional(headerSecret()),
  },
  { error: missingObject },
);
type Given = z.infer<typeof chatwootConnection>;

type ConnectContext = Bounds & {
  webhookUrl: string;
  tenantName: string;
  language: Language;
  /** For a Chatwoot that has none. */
  newSecret: string;
};

type Connecting = { api: Api; given: Given; context: ConnectContext };

/** Throws `invalid_request` for what has to be given differently, and `delivery_failed` for what Chatwoot failed at. */
export async function connectChatwoot(
  given: Given,
  context: ConnectContext,
): Promise<{ desk: ChatwootRecord; checks: Check[]; isNew: boolean }> {
  const { baseUrl, accountId, accessToken, agentToken } = given;
  const as = (apiAccessToken: string): Connecting => ({
    api: chatwootApi({ baseUrl, accountId, apiAccessToken }, context),
    given,
    context,
  });
  const connecting = as(accessToken);
  const administrator = await userOf(connecting, "accessToken");
  if (administrator.role !== "administrator") {
    throw wrong("accessToken", `belongs to no administrator of account ${accountId}; it takes one to make the inbox`);
  }
  const kept = agentToken === undefined ? administrator : await userOf(as(agentToken), "agentToken");

  const { id, isNew } = await inboxFor(connecting);
  const inbox = valueOf(await connecting.api.get(`/inboxes/${id}`), readInbox, "show the inbox");
  const webhookSecret = await secretOf(connecting, inbox);
  await Promise.all(Object.entries(ATTRIBUTES).map(([key, names]) => define(connecting, key, names[context.language])));
  // Beside those who are in it.
  const members = await connecting.api.post("/inbox_members", { inbox_id: id, user_ids: [kept.id] });
  valueOf(members, () => true, "put the user into the inbox");

  return {
    desk: {
      type: "chatwoot",
      baseUrl,
      accountId,
      inboxId: id,
      apiAccessToken: agentToken ?? accessToken,
      webhookSecret,
    },
    checks: [
      passed("inbox", `${isNew ? "Made" : "Found"} "${inbox.name}", number ${id}.`),
      passed("webhookSecret", inbox.secret ? "Read." : "It is in the webhook's URL: this version signs nothing."),
      passed("attributes", `Agents see ${Object.keys(ATTRIBUTES).join(", ")} at a conversation.`),
      passed("member", `${kept.name} is in the inbox. Add the agents who are to answer.`),
    ],
    isNew,
  };
}

/** Whose the token is, and the role in this account. */
async function userOf(connecting: Connecting, which: "accessToken" | "agentToken") {
  const { api, given } = connecting;
  const reply = await api.getSite("/api/v1/profile");
  const status = statusOf(reply.outcome);
  // An agent bot has no profile.
  if (status === 401) throw wrong(which, "is no user's of this Chatwoot");
  if (status === 404 || (reply.outcome.kind === "delivered" && !readProfile(reply.json))) {
    throw wrong("baseUrl", "answers, but not as Chatwoot does");
  }
  const user = valueOf(reply, readProfile, "say whose the token is");
  const role = roleIn(user, given.accountId);
  if (role === undefined) throw wrong(which, `belongs to a user who is not in account ${given.accountId}`);
  return { ...user, role };
}

/** The inbox whose webhook is this tenant's, or a new one. Of several it is the one that was made first. */
async function inboxFor(connecting: Connecting): Promise<{ id: number; isNew: boolean }> {
  const { api, given, context } = connecting;
  const inboxes = valueOf(await api.get("/inboxes"), readInboxes, "list its inboxes");
  const ours = inboxes.filter((one) => isApiInbox(one) && webhookOf(one).url === context.webhookUrl);
  const [first] = ours.toSorted((a, b) => a.id - b.id);
  if (first) return { id: first.id, isNew: false };
  const name = given.inboxName ?? inboxNameOf(context.tenantName);
  const reply = await api.post("/inboxes", { name, channel: { type: "api", webhook_url: context.webhookUrl } });
  if (statusOf(reply.outcome) === 422) throw wrong("inboxName", `is refused by Chatwoot: ${wordsIn(reply)}`);
  return { id: valueOf(reply, readInbox, "make the inbox").id, isNew: true };
}

const LONGEST_NAME = 100;

/** Inbox#name has no signs of an address in it, and begins and ends with a letter or a digit. */
const inboxNameOf = (name: string): string =>
  clip(name.replaceAll(/[/\\<>@\s]+/g, " "), LONGEST_NAME).replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "") ||
  "3Dolphins";

/** The inbox's own; before version 4.13 the one in its webhook's URL, which is put there if there is none, or one too short. */
async function secretOf(connecting: Connecting, inbox: Inbox): Promise<string> {
  const known = inbox.secret || webhookOf(inbox).token;
  if (known.length >= SHORTEST_WEBHOOK_SECRET) return known;
  const { api, context } = connecting;
  const secret = context.newSecret;
  const channel = { webhook_url: `${context.webhookUrl}?token=${secret}` };
  valueOf(await api.patch(`/inboxes/${inbox.id}`, { channel }), () => true, "change the inbox's webhook");
  return secret;
}

async function define(connecting: Connecting, key: string, name: string): Promise<void> {
  const reply = await connecting.api.post("/custom_attribute_definitions", {
    custom_attribute_definition: {
      attribute_display_name: name,
      attribute_display_type: 0,
      attribute_description: "dolphin-relay",
      attribute_key: key,
      attribute_model: 0,
    },
  });
  // 422: it is there.
  if (statusOf(reply.outcome) !== 422) valueOf(reply, () => true, "define an attribute");
}

/** What an answer was asked for. */
function valueOf<T>(reply: Reply, read: (json: unknown) => T | undefined, what: string): T {
  const step = stepOf(reply, read);
  if (step.ok) return step.value;
  const words = wordsIn(reply);
  throw new AppError(
    "delivery_failed",
    `Chatwoot did not ${what}: ${step.outcome.error}${words === "" ? "" : `, "${words}"`}. Connect again: what was made is found.`,
  );
}

const wrong = (path: keyof Given, message: string) =>
  new AppError("invalid_request", `${path} ${message}.`, { issues: [{ path, message }] });

const refusal = withFallback(z.object({ error: z.optional(z.string()), message: z.optional(z.string()) }), {});
const MOST_WORDS = 200;

/** What Chatwoot says. */
function wordsIn({ json }: Reply): string {
  const { error, message = "" } = refusal.parse(json);
  return clip(error ?? message, MOST_WORDS);
}
