import { randomUUID } from "node:crypto";
import { closeEvent, incomingEvent, outgoingEvent } from "../../support/events.ts";
import { accepted, issuePaths, refusal } from "../../support/http.ts";
import { type Raw, sendRaw } from "../../support/raw.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../../support/tenant.ts";
import { poll } from "../../support/timeline.ts";
import { type World, startWorld } from "../../support/world.ts";

/** A relay with two tenants of different desks, one open ticket each, and a ledger of what was stored in it. */
export type Scenario = {
  world: World;
  tenant: Tenant;
  stranger: Tenant;
  /** An open ticket of the tenant. */
  number: string;
  /** An open ticket of the stranger. */
  strangersNumber: string;
  /** The engine's path for Incoming Events, with a good key. */
  incoming: string;
  command: string;
};

export type Refused = { status: number; code: string; paths?: string[] };
/** A hostile request and the one answer it gets. */
export type Hostile = [name: string, request: (scenario: Scenario) => Raw, expected: Refused];

export async function startScenario(options: Parameters<typeof startWorld>[0] = {}): Promise<Scenario> {
  const world = await startWorld(options);
  const [tenant, stranger] = await Promise.all([world.tenant(), world.tenant()]);
  const [number, strangersNumber] = await Promise.all([openTicket(tenant), openTicket(stranger)]);
  const engine = `/v1/dolphins/${world.ingressKey}`;
  return {
    world,
    tenant,
    stranger,
    number,
    strangersNumber,
    incoming: `${engine}/incoming`,
    command: `${engine}/command`,
  };
}

/** What the relay tells of a hostile request: as much as is expected of it, the documented shape of a refusal included. */
export async function answerTo(scenario: Scenario, raw: Raw, expected: Refused): Promise<Refused> {
  const reply = await sendRaw(scenario.world.relay().url, raw);
  const error = refusal(reply, expected.status, expected.code);
  const answered = { status: reply.status, code: error.code };
  return expected.paths === undefined ? answered : { ...answered, paths: issuePaths(error) };
}

/**
 * How much the relay has taken in by its own log: each message that a line names, and each act. What is in flight has been
 * written before `marker` was.
 */
async function countStored(scenario: Scenario, marker: string): Promise<number> {
  const { logs } = scenario.world.relay();
  await poll(
    () => Promise.resolve(logs),
    (lines) => lines.some((line) => line.includes(marker)),
    "the marker in the log",
  );
  const acts = logs.filter((line) => /"event":"(repeated|replayed|tenant_\w+|credentials_rotated)"/.test(line));
  const messages = new Set(logs.flatMap((line) => /"messageId":"([^"]+)"/.exec(line)?.[1] ?? []));
  return acts.length + messages.size;
}

/** What has come of all that was sent since `startScenario`, beside `takenOnPurpose`: in the log, in the lanes, at the far ends. */
export async function whatWasStored(scenario: Scenario, takenOnPurpose = 0): Promise<Record<string, number>> {
  const { tenant, stranger, world } = scenario;
  const marker = newTicketNumber();
  accepted(await tenant.incoming(marker));
  // Two records, one message in each open ticket, and the marker.
  const lines = (await countStored(scenario, marker)) - 5 - takenOnPurpose;
  await tenant.desk.until((all) => all.some(({ body }) => body.includes(marker)), "the marker at the desk");
  const [mine, theirs] = await Promise.all([tenant.ticket(scenario.number), stranger.ticket(scenario.strangersNumber)]);
  const listed = (await world.admin("GET", "/admin/tenants")).body as { tenants: unknown[] };
  return {
    lines,
    closed: [mine, theirs].filter(({ state }) => state !== "open").length,
    messages: mine.lanes.toDesk.accepted + theirs.lanes.toDesk.accepted - 2,
    replies: mine.lanes.toDolphins.accepted + theirs.lanes.toDolphins.accepted,
    atTheDesks: tenant.desk.received.length + stranger.desk.received.length - 3 - takenOnPurpose,
    atTheEngines: tenant.engine.received.length + stranger.engine.received.length,
    tenants: listed.tenants.length - 2,
  };
}
export const NOTHING = { lines: 0, closed: 0, messages: 0, replies: 0, atTheDesks: 0, atTheEngines: 0, tenants: 0 };

/** The requests that take a body, each with a good credential. */
export const TAKERS = {
  "an Incoming Event": (scenario: Scenario, body: string | Uint8Array): Raw => ({ path: scenario.incoming, body }),
  "the engine's Command": (scenario: Scenario, body: string | Uint8Array): Raw => ({ path: scenario.command, body }),
  "an Outgoing Event": (scenario: Scenario, body: string | Uint8Array): Raw => ({
    path: "/v1/outgoing",
    headers: bearer(scenario.tenant.token),
    body,
  }),
  "a desk's Command": (scenario: Scenario, body: string | Uint8Array): Raw => ({
    path: "/v1/command",
    headers: bearer(scenario.tenant.token),
    body,
  }),
  "a tenant record": (scenario: Scenario, body: string | Uint8Array): Raw => ({
    method: "PUT",
    path: `/admin/tenants/${randomUUID()}`,
    headers: bearer(scenario.world.settings.ADMIN_TOKEN),
    body,
  }),
  "a replay": (scenario: Scenario, body: string | Uint8Array): Raw => ({
    path: `/admin/tickets/${scenario.tenant.owner}/${scenario.number}/replay`,
    headers: bearer(scenario.world.settings.ADMIN_TOKEN),
    body,
  }),
};

export type Fields = Record<string, unknown>;

/** A good event for a new ticket of the tenant, or for its open one, with fields changed. */
export const incomingOf = ({ tenant }: Scenario, fields: Fields = {}): Fields =>
  incomingEvent(tenant.owner, newTicketNumber(), fields);
export const outgoingOf = ({ tenant, number }: Scenario, fields: Fields = {}): Fields =>
  outgoingEvent(tenant.owner, number, fields);
export const closeOf = ({ tenant, number }: Scenario, fields: Fields = {}): Fields =>
  closeEvent(tenant.owner, number, fields);

/** JSON text of an event with one field written as `json` has it, which need not be anything JSON.stringify would write. */
export const written = (event: Fields, json: string): string => JSON.stringify(event).replace(/}$/, `,${json}}`);
