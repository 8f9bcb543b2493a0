import type { Audit } from "../audit/audit";
import { objectOf } from "../config";
import { errorText, log } from "../lib/log";
import { OncePerWindow } from "../lib/once";
import type { Actor } from "../model/answers";
import { LOOK_MS, lookOf, MOST_FAILURES, type Change, type NewEntry, type Told } from "../model/audit";
import { AppError } from "../model/errors";
import { ask, configOf, type AppContext } from "./context";
import { networkOf } from "./guesses";

/** What is written of a request into the audit log, and into the Worker's own log beside it. */

/** What this isolate has written already: the log need not be asked again whether it has it. */
const looks = new OncePerWindow(LOOK_MS, 5_000, "pass");
const failures = new OncePerWindow(LOOK_MS, MOST_FAILURES, "drop");

/** The one object of the log. */
export const auditOf = (c: AppContext): DurableObjectStub<Audit> => objectOf(c.env.AUDIT, "audit", configOf(c));

/** Adds to the entry of this request what more there is to say of it. */
export const audit = (c: AppContext, details: Told["details"], changes: Change[] = []): void =>
  c.set("told", {
    details: { ...c.var.told?.details, ...details },
    changes: [...(c.var.told?.changes ?? []), ...changes],
  });

/** A request that turned out to be a preview has no entry. */
export const nothingDone = (c: AppContext): void => c.set("told", undefined);

/** Throws `unavailable` when the log could not take an entry now: then what would be one is not begun. */
export async function requireAudit(c: AppContext): Promise<void> {
  await ask(() => auditOf(c).isReady());
}

/** What was done is done, whether or not the log has it. */
export async function recordAct(c: AppContext, entry: NewEntry): Promise<void> {
  logEntry(c, entry);
  await orLog(c, entry, () => auditOf(c).append(entry));
}

/** Throws `unavailable` when the log does not take it: then nothing is shown. */
export async function recordLook(c: AppContext, entry: NewEntry): Promise<void> {
  const look = lookOf(entry);
  if (!looks.isDue(look, Date.now())) return;
  await ask(() => auditOf(c).appendLook(entry));
  looks.add(look);
  logEntry(c, entry);
}

/** Of a desk, whose agents wait: the answer goes out meanwhile. */
export function recordDeskLook(c: AppContext, deskId: string, action: string, owner: string, ticketNumber: string) {
  const actor = { name: `desk ${deskId}`, by: "desk" as const };
  const entry: NewEntry = { ...originOf(c), actor, action, owner, ticketNumber, outcome: "ok" };
  const look = lookOf(entry);
  if (!looks.isDue(look, Date.now())) return;
  looks.add(look);
  c.executionCtx.waitUntil(orLog(c, entry, () => auditOf(c).appendLook(entry)));
}

/** A credential that opened nothing. Guesses are many, so this waits for nothing and writes little. */
export function recordFailure(c: AppContext, outcome: string, name = "unknown"): void {
  const { address = "", ...origin } = originOf(c);
  const network = networkOf(address);
  if (!failures.isDue(network, Date.now())) return;
  failures.add(network);
  const actor = { name, by: "nothing" as const };
  const entry: NewEntry = { ...origin, address, actor, action: "sign_in_failed", outcome };
  c.executionCtx.waitUntil(orLog(c, entry, () => auditOf(c).appendFailure(entry)));
}

/** Who, from where and in which request. */
export function entryOf(
  c: AppContext,
  actor: Actor,
  action: string,
  outcome: string,
  { details = {}, changes = [] }: Told = {},
): NewEntry {
  const { owner, ticketNumber } = c.req.param() as { owner?: string; ticketNumber?: string };
  return {
    ...originOf(c),
    actor,
    action,
    ...(owner === undefined ? {} : { owner }),
    ...(ticketNumber === undefined ? {} : { ticketNumber }),
    outcome,
    ...(changes.length > 0 ? { changes } : {}),
    ...(Object.keys(details).length > 0 ? { details } : {}),
  };
}

export function outcomeOf(error: unknown): string {
  if (error === undefined) return "ok";
  return error instanceof AppError ? error.code : "internal";
}

function originOf(c: AppContext): Pick<NewEntry, "requestId" | "address"> {
  const address = c.req.header("cf-connecting-ip");
  return { requestId: c.var.requestId, ...(address === undefined ? {} : { address }) };
}

/** A refused request has its line already. */
function logEntry(c: AppContext, { action, actor, owner, ticketNumber, outcome, details }: NewEntry): void {
  if (outcome !== "ok") return;
  log(action, { requestId: c.var.requestId, actor: actor.name, owner, ticketNumber, ...details });
}

/** What the log could not take stands whole in a line of the Worker's own. */
async function orLog(c: AppContext, entry: NewEntry, write: () => Promise<void>): Promise<void> {
  try {
    await ask(write);
  } catch (error) {
    log("audit_failed", { requestId: c.var.requestId, error: errorText(error), entry: JSON.stringify(entry) });
  }
}
