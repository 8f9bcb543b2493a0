import type { RefusedReply } from "../desks/desk";
import type { webhookOf } from "../desks/registry";
import { statusOf, type Outcome } from "../egress/outcome";
import { deskContext } from "../engine-session/token";
import { configOf, type AppContext } from "../http/context";
import { log } from "../lib/log";
import { AppError } from "../model/errors";
import type { Tenant } from "../tenants/tenant-record";

type WebhookReader = NonNullable<ReturnType<typeof webhookOf>>;

/** Desks wait some 5 seconds for the answer. */
const TELLING_MS = 3_500;
/** Waits between the attempts behind an answer. The platform lets an invocation go on for 30 seconds, and no longer. */
const LATER_MS = [2_000, 8_000];

/** Whether the agent was told, or will be. Throws if that cannot be done now: then the webhook is to be sent again. */
export async function tellAgent(
  c: AppContext,
  tenant: Tenant,
  webhook: WebhookReader,
  refused: RefusedReply,
): Promise<boolean> {
  const context = deskContext(tenant, configOf(c), c.env.ENGINE_SESSION, TELLING_MS);
  const tell = () => webhook.tellRefusal(refused, context);
  const { requestId, about } = c.var;
  const { code } = refused;
  const note = (outcome: Outcome): Outcome => {
    const { owner } = tenant;
    log("refusal_told", { requestId, ...about, owner, code, outcome: outcome.kind, status: statusOf(outcome) });
    return outcome;
  };
  if (webhook.tellsLater) {
    c.executionCtx.waitUntil(tellBehind(tell, note));
    return true;
  }
  const told = await tell();
  if (!told) return false;
  const outcome = note(told);
  if (outcome.kind !== "retry") return outcome.kind === "delivered";
  throw new AppError("unavailable", "The agent could not be told just now that a reply was refused. Send it again.", {
    detail: outcome.error,
    headers: { "retry-after": "1" },
  });
}

async function tellBehind(tell: () => Promise<Outcome> | undefined, note: (outcome: Outcome) => Outcome) {
  for (const waitMs of [...LATER_MS, 0]) {
    const told = await tell();
    if (!told || note(told).kind !== "retry") return;
    await scheduler.wait(waitMs);
  }
}
