import { required, type Config } from "../config";
import { CONTACT_OPTIONS, fetchContact, type ContactOptions } from "../engine/contacts";
import { dayIn } from "../engine/dates";
import { fetchHistory, type History } from "../engine/history";
import type { Served } from "../engine/service-call";
import { BoundedMap } from "../lib/bounded-map";
import { isRecent } from "../lib/clock";
import { openSecrets } from "../tenants/secrets";
import type { Tenant } from "../tenants/tenant-record";
import type { EngineSession } from "./engine-session";
import { engineContext } from "./token";

/** What the relay asks of a tenant's engine on behalf of its desk. The tenant's secrets are sealed. */

export type LookupDeps = { config: Config; sessions: DurableObjectNamespace<EngineSession> };

/** Contacts change seldom, and a desk asks for one with every message. */
export const CONTACT_FRESH_MS = 60_000;
const CACHE_ENTRIES = 200;
const LONGEST_CACHED = 64 * 1024;
const DAY_MS = 24 * 3600_000;

const contacts = new BoundedMap<string, { contact: string; readAtMs: number }>(CACHE_ENTRIES);

/** The contact as JSON text, and how old that is; undefined when the engine has none. */
export async function readContact(
  deps: LookupDeps,
  tenant: Tenant,
  contactId: string,
  how: { options: ContactOptions; fresh: boolean },
): Promise<Served<{ contact: string; ageMs: number } | undefined>> {
  const { baseUrl, apiPath, reach = null } = tenant.dolphins;
  const options = CONTACT_OPTIONS.map((name) => how.options[name] ?? null);
  const key = JSON.stringify([tenant.owner, contactId, baseUrl, apiPath, reach, ...options]);
  const known = contacts.get(key);
  const nowMs = Date.now();
  if (known && !how.fresh && isRecent(known.readAtMs, nowMs, CONTACT_FRESH_MS)) {
    return { ok: true, value: { contact: known.contact, ageMs: Math.max(0, nowMs - known.readAtMs) } };
  }
  const { record, context } = await engineOf(deps, tenant);
  const served = await fetchContact(record, context, contactId, how.options);
  contacts.delete(key);
  if (!served.ok) return served;
  const { value: contact } = served;
  if (contact === undefined) return { ok: true, value: undefined };
  if (contact.length <= LONGEST_CACHED) contacts.set(key, { contact, readAtMs: Date.now() });
  return { ok: true, value: { contact, ageMs: 0 } };
}

type Period = { from: string | undefined; to: string | undefined };

/**
 * One page of a ticket's conversation. Days are the tenant's: without `from` since the one on which the ticket was opened,
 * as far as the relay remembers; without `to` until today. Empty where `from` is after `to`: no day lies between them.
 */
export async function readHistory(
  deps: LookupDeps,
  tenant: Tenant,
  ticket: { ticketNumber: string; openedAtMs: number | undefined },
  { from, to, startIndex }: Period & { startIndex: number },
): Promise<Served<History>> {
  const { timeZone, retentionDays } = tenant;
  const nowMs = Date.now();
  const last = to ?? dayIn(timeZone, nowMs);
  const opened = dayIn(timeZone, ticket.openedAtMs ?? nowMs - retentionDays * DAY_MS);
  const first = from ?? (opened < last ? opened : last);
  if (first > last) return { ok: true, value: { messages: [], next: undefined } };
  const { record, context } = await engineOf(deps, tenant);
  const query = { ticketNumber: ticket.ticketNumber, from: first, to: last, startIndex };
  return fetchHistory(record, context, query, timeZone);
}

async function engineOf({ config, sessions }: LookupDeps, sealed: Tenant) {
  const tenant = await openSecrets(required(config.masterKeys), sealed);
  return { record: tenant.dolphins, context: engineContext(tenant, config, sessions) };
}
