import * as z from "zod/mini";
import { equalSecrets } from "../../crypto/bytes";
import { statusOf, type Failure } from "../../egress/outcome";
import { clip } from "../../lib/text";
import { withFallback } from "../../lib/zod";
import { isFailureCause } from "../agent-notes";
import { failed, passed, type Check, type CheckContext, type Checked } from "../desk";
import {
  ATTRIBUTES,
  isApiInbox,
  readAttributeKeys,
  readInbox,
  readProfile,
  roleIn,
  webhookOf,
  type Inbox,
} from "./account";
import { chatwootApi, type Api } from "./api";
import type { ChatwootRecord } from "./record";
import { NEW_SECRET } from "./webhook";

/** Whether everything is set up at Chatwoot, as far as this token can see. Nothing is written there. */

const UNAUTHORIZED = 401;
const NOT_FOUND = 404;

export async function checkChatwoot(record: ChatwootRecord, context: CheckContext): Promise<Checked> {
  const api = chatwootApi(record, context);
  const [site, user, reply] = await Promise.all([
    api.getSite("/api"),
    api.getSite("/api/v1/profile"),
    api.get(`/inboxes/${record.inboxId}`),
  ]);
  const version = versionIn(site.json);
  const checks = version === undefined ? [] : [passed("version", `Chatwoot ${version}.`)];
  if (statusOf(user.outcome) === UNAUTHORIZED) {
    const token = failed("token", "It is no user's: check apiAccessToken. The token of an agent bot does not do.");
    return { outcome: user.outcome, checks: [...checks, token] };
  }
  const profile = readProfile(user.json);
  const role = profile && roleIn(profile, record.accountId);
  if (profile) {
    checks.push(
      role === undefined
        ? failed("token", `It is ${profile.name}'s, who is not in account ${record.accountId}.`)
        : passed("token", `It is ${profile.name}'s, ${role} of account ${record.accountId}.`),
    );
  }
  if (reply.outcome.kind !== "delivered") {
    return { outcome: reply.outcome, checks: [...checks, noInbox(reply.outcome)] };
  }
  const inbox = readInbox(reply.json);
  if (!inbox) return { outcome: reply.outcome, checks: [...checks, failed("inbox", "The answer is not Chatwoot's.")] };
  checks.push(
    isApiInbox(inbox)
      ? passed("inbox", `It is "${inbox.name}", and the token sees it.`)
      : failed("inbox", `"${inbox.name}" is not of type API: make one that is.`),
    webhookCheck(inbox, context.webhookUrl),
    secretCheck(inbox, record, role === "administrator", version),
    ...(await Promise.all([attributesCheck(api), reachedCheck(api, record)])),
  );
  return { outcome: { kind: "delivered", status: reply.outcome.status }, checks };
}

function noInbox(failure: Failure): Check {
  switch (statusOf(failure)) {
    case UNAUTHORIZED:
      return failed("inbox", "The token does not see it: add its user to the inbox.");
    case NOT_FOUND:
      return failed("inbox", "There is no such inbox: check baseUrl, accountId and inboxId.");
    default:
      return failed("inbox", `Chatwoot could not be asked: ${failure.error}.`);
  }
}

function webhookCheck(inbox: Inbox, webhookUrl: string): Check {
  const { url } = webhookOf(inbox);
  if (url === webhookUrl) return passed("webhook", `It goes to ${url}.`);
  return failed("webhook", `It goes to ${url || "nowhere"}, and not to ${webhookUrl}.`);
}

/** An administrator sees the inbox's secret. What stands in the webhook's URL everybody sees who sees the inbox. */
function secretCheck(
  inbox: Inbox,
  { webhookSecret }: ChatwootRecord,
  isAdministrator: boolean,
  version: string | undefined,
): Check {
  const name = "webhookSecret";
  const { secret } = inbox;
  if (secret && equalSecrets(secret, webhookSecret)) return passed(name, "The inbox signs with the record's.");
  const isToken = equalSecrets(webhookOf(inbox).token, webhookSecret);
  if (isToken && (secret || signs(version))) return failed(name, NEW_SECRET);
  if (isToken) return passed(name, "It is in the webhook's URL: this version signs nothing.");
  if (secret) return failed(name, "The inbox signs with another: connect Chatwoot again, or copy it from the inbox.");
  if (isAdministrator)
    return failed(name, "This version signs nothing: put ?token= and the secret behind the webhook's URL.");
  return passed(name, "Not known: only the token of an administrator sees the inbox's secret.");
}

/** From 4.13 on. */
function signs(version = ""): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 4 || (major === 4 && minor >= 13);
}

async function attributesCheck(api: Api): Promise<Check> {
  const reply = await api.get("/custom_attribute_definitions?attribute_model=0");
  const keys = readAttributeKeys(reply.json);
  if (!keys) return passed("attributes", "Not known: Chatwoot does not list them.");
  const missing = Object.keys(ATTRIBUTES).filter((key) => !keys.includes(key));
  return missing.length === 0
    ? passed("attributes", "Agents see channel, ticket and phone.")
    : failed("attributes", `Agents do not see ${missing.join(", ")}: connect Chatwoot again, or define them.`);
}

const message = z.object({
  message_type: z.int(),
  status: z.nullish(z.string()),
  created_at: z.number(),
  content_attributes: withFallback(z.object({ external_error: z.optional(z.string()) }), {}),
});
const conversations = z.object({
  data: z.object({ payload: z.array(z.object({ messages: z.array(withFallback(z.nullable(message), null)) })) }),
});
const OUTGOING = 1;
const MOST_WORDS = 200;

/** What became of the newest reply says whether webhooks come through: the relay has shown it there, or Chatwoot its failure. */
async function reachedCheck(api: Api, { inboxId }: ChatwootRecord): Promise<Check> {
  const reply = await api.get(`/conversations?inbox_id=${inboxId}&status=all&assignee_type=all`);
  const newest = (conversations.safeParse(reply.json).data?.data.payload ?? [])
    .flatMap(({ messages }) => messages.filter((one) => one !== null))
    .filter(({ message_type, status }) => message_type === OUTGOING && /^(?:delivered|read|failed)$/.test(status ?? ""))
    .toSorted((a, b) => b.created_at - a.created_at)[0];
  if (!newest) return passed("reached", "Not known yet: no reply has gone out. Answer a conversation, and ask again.");
  const error = newest.content_attributes.external_error ?? "";
  if (newest.status !== "failed" || isFailureCause(error)) return passed("reached", "The newest reply came through.");
  return failed("reached", `The newest reply did not come through. Chatwoot says: "${clip(error, MOST_WORDS)}".`);
}

const site = z.object({ version: z.string() });
const versionIn = (json: unknown): string | undefined => site.safeParse(json).data?.version;
