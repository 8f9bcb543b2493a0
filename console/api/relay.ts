import { ApiError, call } from "./call";
import type {
  AuditAnswer,
  AuditCheckAnswer,
  ConnectedAnswer,
  CredentialsAnswer,
  DeadLettersAnswer,
  MeAnswer,
  OverviewAnswer,
  TenantAnswer,
  TenantsAnswer,
  TicketsAnswer,
} from "../../src/model/answers";
import type {
  AuditCheck,
  AuditEntry,
  ConnectionTest,
  DeadLetter,
  Issue,
  LaneName,
  Operator,
  Page,
  Replay,
  Session,
  Tenant,
  TicketSummary,
  TicketView,
} from "./types";

/** The requests of the console, by what they are for. */

const tenantPath = (owner: string, rest = "") => `/admin/tenants/${encodeURIComponent(owner)}${rest}`;
const ticketPath = (owner: string, ticketNumber: string, rest = "") =>
  `/admin/tickets/${encodeURIComponent(owner)}/${encodeURIComponent(ticketNumber)}${rest}`;

function query(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

const page = <T>(items: T[], next: string | undefined): Page<T> => (next === undefined ? { items } : { items, next });

/** Who is signed in, by a session or by what stands before the relay; undefined when nobody is. */
export async function readMe(): Promise<Operator | undefined> {
  try {
    return (await call<MeAnswer>("GET", "/admin/me")).operator;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  }
}

/** The session that `readMe` has found. */
export const readSession = () => call<Session>("GET", "/console/session");

export const signIn = (token: string) => call<Session>("POST", "/console/session", { token });
export const signOut = () => call("DELETE", "/console/session");

/** What the relay finds wrong with itself; none when all is well. */
export async function readHealth(signal: AbortSignal): Promise<Issue[]> {
  try {
    await call("GET", "/admin/health", undefined, signal);
    return [];
  } catch (error) {
    if (error instanceof ApiError && error.status === 503 && error.issues.length > 0) return error.issues;
    throw error;
  }
}

export async function listTenants(next: string | undefined, signal: AbortSignal): Promise<Page<Tenant>> {
  const path = `/admin/tenants${query({ next })}`;
  const answer = await call<TenantsAnswer>("GET", path, undefined, signal);
  return page(answer.tenants, answer.next);
}

export const readTenant = async (owner: string, signal?: AbortSignal) =>
  (await call<TenantAnswer>("GET", tenantPath(owner), undefined, signal)).tenant;

export const putTenant = async (owner: string, record: unknown) =>
  (await call<TenantAnswer>("PUT", tenantPath(owner), record)).tenant;

export const deleteTenant = (owner: string) => call("DELETE", tenantPath(owner));

export const readCredentials = async (owner: string) =>
  (await call<CredentialsAnswer>("GET", tenantPath(owner, "/credentials"))).credentials;

export const rotateCredentials = async (owner: string) =>
  (await call<CredentialsAnswer>("POST", tenantPath(owner, "/credentials/rotate"))).credentials;

export const testConnection = (owner: string, end: "desk" | "engine") =>
  call<ConnectionTest>("POST", tenantPath(owner, `/test/${end}`));

/** As an administrator of that Chatwoot, whose token is not kept where there is an agent's. */
export const connectChatwoot = (owner: string, given: Record<string, unknown>) =>
  call<ConnectedAnswer>("POST", tenantPath(owner, "/connect/chatwoot"), given);

export const readOverview = async (owner: string, minutes: number, signal: AbortSignal) =>
  (await call<OverviewAnswer>("GET", tenantPath(owner, `/overview${query({ minutes })}`), undefined, signal)).overview;

export async function listTickets(
  owner: string,
  filter: { state: string; q: string; before?: string | undefined; limit?: number },
  signal: AbortSignal,
): Promise<Page<TicketSummary>> {
  const path = tenantPath(owner, `/tickets${query(filter)}`);
  const answer = await call<TicketsAnswer>("GET", path, undefined, signal);
  return page(answer.tickets, answer.next);
}

export async function readTicket(
  owner: string,
  ticketNumber: string,
  which: { lane?: LaneName; before?: string | number } = {},
  signal?: AbortSignal,
): Promise<TicketView["ticket"]> {
  const path = ticketPath(owner, ticketNumber, query(which));
  return (await call<TicketView>("GET", path, undefined, signal)).ticket;
}

export async function listDeadLetters(
  owner: string,
  filter: { before?: string | undefined; limit?: number },
  signal: AbortSignal,
): Promise<Page<DeadLetter>> {
  const path = tenantPath(owner, `/dead-letters${query(filter)}`);
  const answer = await call<DeadLettersAnswer>("GET", path, undefined, signal);
  return page(answer.deadLetters, answer.next);
}

export type Which = { ids: string[] } | { all: true };

export const replayDeadLetters = (owner: string, which: Which, dryRun: boolean) =>
  call<Replay>("POST", tenantPath(owner, "/dead-letters/replay"), { ...which, dryRun });

export const replayTicket = (owner: string, ticketNumber: string, which: Which, dryRun: boolean) =>
  call<Replay>("POST", ticketPath(owner, ticketNumber, "/replay"), { ...which, dryRun });

type AuditFilter = { owner: string; actor: string; before?: string | undefined };

export async function listAudit(filter: AuditFilter, signal: AbortSignal): Promise<Page<AuditEntry>> {
  const answer = await call<AuditAnswer>("GET", `/admin/audit${query(filter)}`, undefined, signal);
  return page(answer.entries, answer.next);
}

export const verifyAudit = async (signal: AbortSignal): Promise<AuditCheck> =>
  (await call<AuditCheckAnswer>("GET", "/admin/audit/verify", undefined, signal)).check;

/** Where a browser gets all of it as a file. */
export const auditExportUrl = (filter: AuditFilter): string => `/admin/audit${query({ ...filter, format: "ndjson" })}`;

/** Where the socket of a tenant's events is. */
export function eventsUrl(owner: string): string {
  const url = new URL(tenantPath(owner, "/events"), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
