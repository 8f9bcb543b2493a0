import { required } from "../config";
import type { Check } from "../desks/desk";
import { checkDesk } from "../desks/registry";
import type { Outcome } from "../egress/outcome";
import { testLogin } from "../engine/login";
import { elapsedMs } from "../lib/clock";
import { newMessageId } from "../lib/message-id";
import type { Attempt } from "../model/answers";
import { isoTime } from "../model/timeline";
import { boundsOf } from "../tenants/far-ends";
import { openSecrets } from "../tenants/secrets";
import type { Tenant } from "../tenants/tenant-record";
import { deskContext } from "../engine-session/token";
import { deliver, type DeliverDeps } from "./deliver";

/** What an operator tries before anything depends on it. No ticket is opened, and nothing is stored or tried again. */

/** `answer` is the beginning of the far end's, empty where there is none to show. */
export type ConnectionTest = { attempt: Attempt; outcome: Outcome["kind"]; answer: string; checks?: Check[] };

const TEXTS = {
  id: "Ini pesan uji dari dolphin-relay. Tidak perlu dibalas.",
  en: "This is a test message from dolphin-relay. There is no need to answer it.",
};

/** Always the same, so that a desk with conversations of its own shows all tests in one. */
const TEST_TICKET = { ticketNumber: "relay-test", channel: "webchat", customerName: "dolphin-relay" };

/** Delivers an Incoming Event to the tenant's desk as if a customer had written it. The tenant's secrets are sealed. */
export async function testDesk(deps: DeliverDeps, { owner, language }: Tenant): Promise<ConnectionTest> {
  const startedAtMs = Date.now();
  const event = {
    ...TEST_TICKET,
    accountId: "relay-test",
    contactId: "relay-test",
    messageType: "text",
    message: TEXTS[language],
    mediaLink: "",
    createdDate: isoTime(startedAtMs).replace("Z", ""),
    owner,
    groupId: "",
    language: "",
  };
  const { outcome } = await deliver(
    deps,
    { owner, ...TEST_TICKET },
    "toDesk",
    { id: newMessageId(), sequence: 1, attempt: 1, acceptedAtMs: startedAtMs, kind: "incoming" },
    async () => ({ ok: true, value: JSON.stringify(event) }),
    { of: () => undefined, keep: () => undefined, isNamed: () => true, keepNamed: () => undefined },
  );
  return resultOf(outcome, startedAtMs);
}

/**
 * Asks the tenant's desk what is set up there, and writes nothing. Undefined for a desk where only a message tells. The
 * tenant's secrets are sealed.
 */
export async function inspectDesk(
  { config, engineSessions }: Pick<DeliverDeps, "config" | "engineSessions">,
  sealed: Tenant,
  webhookUrl: string,
): Promise<ConnectionTest | undefined> {
  const tenant = await openSecrets(required(config.masterKeys), sealed);
  const startedAtMs = Date.now();
  const checked = await checkDesk(tenant.desk, { ...deskContext(tenant, config, engineSessions), webhookUrl });
  return checked && { ...resultOf(checked.outcome, startedAtMs), checks: checked.checks };
}

/**
 * Logs in to the tenant's engine, whatever token is at hand and however the last login went. Undefined for a tenant whose
 * engine takes no login. The tenant's secrets are sealed.
 */
export async function testEngine(
  { config }: Pick<DeliverDeps, "config">,
  sealed: Tenant,
): Promise<ConnectionTest | undefined> {
  const tenant = await openSecrets(required(config.masterKeys), sealed);
  const { baseUrl, apiPath, auth } = tenant.dolphins;
  if (auth.type !== "login") return undefined;
  const startedAtMs = Date.now();
  const { username, password } = auth;
  const target = { baseUrl, apiPath, username, password, timeZone: tenant.timeZone };
  return resultOf(await testLogin(target, boundsOf(tenant, config)), startedAtMs);
}

function resultOf(outcome: Outcome, startedAtMs: number): ConnectionTest {
  const attempt: Attempt = { at: isoTime(startedAtMs), ms: elapsedMs(startedAtMs, Date.now()) };
  if ("status" in outcome && outcome.status !== undefined) attempt.status = outcome.status;
  if (outcome.kind !== "delivered") attempt.error = outcome.error;
  return { attempt, outcome: outcome.kind, answer: ("answer" in outcome ? outcome.answer : undefined) ?? "" };
}
