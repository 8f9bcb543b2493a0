import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { throwawaySettings } from "../../../dev/harness/relay.ts";
import { outgoingEvent } from "../support/events.ts";
import { type Tenant, bearer, isSignedBy, openTicket } from "../support/tenant.ts";
import { type World, credentialsOf, startWorld } from "../support/world.ts";

/** MASTER_KEY is rotated in three starts on the same state: the old key, the new one with the old behind it, the new one alone. */

const SECRET = `hush-${randomBytes(8).toString("hex")}`;
const auth = { type: "bearer", token: SECRET };
const settings = throwawaySettings();
const newKey = randomBytes(32).toString("base64");

let persist: string;
let world: World;
let tenant: Tenant;
let forgotten: Tenant;
let number: string;
let forgottensNumber: string;

/** The tenants' far ends stay up through all starts, in the world that made them. */
let first: World;

beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-key-"));
  first = await startWorld({ settings, persist });
  [tenant, forgotten] = await Promise.all([first.tenant({ dolphins: { auth } }), first.tenant({ dolphins: { auth } })]);
  [number, forgottensNumber] = await Promise.all([openTicket(tenant), openTicket(forgotten)]);
  // Recorded, and not only received: what a stop interrupts is sent once more.
  await tenant.untilTicket(number, (ticket) => ticket.lanes.toDesk.delivered === 1, "the opening");
  await forgotten.untilTicket(forgottensNumber, (ticket) => ticket.lanes.toDesk.delivered === 1, "the opening");
  await first.relay().stop();
});
afterAll(async () => {
  await world.stop();
  await first.stop();
  await rm(persist, { recursive: true, force: true });
});

async function restart(keys: Record<string, string>): Promise<void> {
  world = await startWorld({ settings: { ...settings, ...keys }, persist });
}
const reply = (token: string): ReturnType<World["call"]> =>
  world.call("/v1/outgoing", { method: "POST", body: outgoingEvent(tenant.owner, number), headers: bearer(token) });

test("with the old key behind the new one, what was given out and sealed before is good", async () => {
  await restart({ MASTER_KEY: newKey, MASTER_KEY_PREVIOUS: settings.MASTER_KEY });
  const fresh = credentialsOf(await world.admin("GET", `/admin/tenants/${tenant.owner}/credentials`));
  expect(fresh.token).not.toBe(tenant.token);
  for (const token of [tenant.token, fresh.token]) expect(await reply(token)).toBeAccepted();
  await tenant.engine.until((all) => all.length === 2, "both replies");
  expect(tenant.engine.received.map(({ headers }) => headers["authorization"])).toEqual(
    Array(2).fill(`Bearer ${SECRET}`),
  );

  const incoming = await world.call(`/v1/dolphins/${world.ingressKey}/incoming`, {
    method: "POST",
    body: { ...outgoingEvent(tenant.owner, number), accountId: "1", contactId: "1", createdDate: "" },
  });
  expect(incoming).toBeAccepted();
  await tenant.desk.until((all) => all.length === 2, "the message signed by both");
  for (const secret of [tenant.signingSecret, fresh.signingSecret]) {
    expect(tenant.desk.received.slice(1).map((each) => isSignedBy(each, secret))).toEqual([true]);
  }
});

test("a record put as GET shows it is sealed under the new key, and then the old one can go", async () => {
  const shown = (await world.admin("GET", `/admin/tenants/${tenant.owner}`)).body as { tenant: unknown };
  expect((await world.admin("PUT", `/admin/tenants/${tenant.owner}`, shown.tenant)).status).toBe(200);
  await world.relay().stop();
  await restart({ MASTER_KEY: newKey });

  expect(await reply(tenant.token)).toBeRefused(401, "unauthorized");
  const { token } = credentialsOf(await world.admin("GET", `/admin/tenants/${tenant.owner}/credentials`));
  expect(await reply(token)).toBeAccepted();
  await tenant.engine.until((all) => all.length === 3, "the reply under the new key");
  expect(tenant.engine.received[2]?.headers["authorization"]).toBe(`Bearer ${SECRET}`);
});

test("a record that was forgotten says so in the message that waits, and a PUT of the secret lets it go", async () => {
  const { token } = credentialsOf(await world.admin("GET", `/admin/tenants/${forgotten.owner}/credentials`));
  const body = outgoingEvent(forgotten.owner, forgottensNumber);
  const waited = await world.call("/v1/outgoing", {
    method: "POST",
    body,
    headers: { ...bearer(token), prefer: "wait=1" },
  });
  expect(waited.headers.get("relay-delivery")).toBe("pending");
  const view = await world.admin("GET", `/admin/tickets/${forgotten.owner}/${forgottensNumber}`);
  expect(view.text).toContain(`the sealed dolphins.auth.token of tenant ${forgotten.owner} does not open`);
  expect(forgotten.engine.received).toEqual([]);

  expect((await world.putTenant(forgotten, { dolphins: { auth } })).status).toBe(200);
  await forgotten.engine.until((all) => all.length === 1, "the reply that waited", 30_000);
  expect(forgotten.engine.received[0]?.headers["authorization"]).toBe(`Bearer ${SECRET}`);
});
