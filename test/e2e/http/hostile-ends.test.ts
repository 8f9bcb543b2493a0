import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExportLine } from "../../../src/model/answers.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";
import { ATTEMPTS, ticketOfContact, WILDCARDS } from "./hostile/ends.ts";

/** What ends has ended: for credentials, tenants and customers, tried over HTTP by those who would like it otherwise. */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

test.each(ATTEMPTS)("%s is answered as what has ended", async (_, attempt, status, code) => {
  const reply = await attempt(world);
  const { error } = reply.body as { error?: { code: string } };
  expect({ status: reply.status, code: error?.code }, reply.text).toEqual({ status, code });
});

const SECRET = "the-engine-password-of-this-tenant";

test("an erasure takes a contact for itself alone, an export shows it and no secret, and both leave other tenants be", async () => {
  const dolphins = { auth: { type: "bearer", token: SECRET } };
  const [tenant, stranger] = [await world.tenant({ dolphins }), await world.tenant()];
  const CONTACT = "d61d77735f3fe08bcf6d6b96fa06ba9d";
  const [mine, other] = [await ticketOfContact(tenant, CONTACT), await ticketOfContact(tenant, "another")];
  const theirs = await ticketOfContact(stranger, CONTACT);
  for (const { owner } of [tenant, stranger]) {
    await poll(
      () => world.admin("GET", `/admin/tenants/${owner}/tickets`),
      ({ text }) => (owner === tenant.owner ? [mine, other] : [theirs]).every((number) => text.includes(number)),
      "the index to know the tickets",
    );
  }
  await tenant.reply(mine, { message: "a reply", mediaLink: "https://files.example/a.png", messageType: "image" });
  await tenant.untilTicket(mine, ({ lanes }) => lanes.toDolphins.delivered === 1, "the reply to be delivered");

  const path = `/admin/tenants/${tenant.owner}`;
  for (const contactId of WILDCARDS) {
    expect((await world.admin("POST", `${path}/erase`, { contactId })).body).toEqual({
      status: "success",
      erased: [],
      left: 0,
    });
  }
  expect((await world.admin("POST", `${path}/erase`, { ticketNumber: theirs })).body).toMatchObject({ erased: [] });

  const exported = await world.admin("GET", `${path}/export?contactId=${CONTACT}`);
  expect(exported.headers.get("content-type")).toContain("application/x-ndjson");
  const lines = exported.text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ExportLine);
  expect(lines.map(({ type }) => type)).toEqual(["ticket", "message", "message", "end"]);
  expect(lines[0]).toMatchObject({ ticketNumber: mine, contactId: CONTACT });
  expect(exported.text).toContain("https://files.example/a.png");
  expect(exported.text).toContain('"attempts":[{');
  expect(lines.at(-1)).toEqual({ type: "end", tickets: 1, messages: 2 });
  for (const secret of [SECRET, tenant.token, tenant.signingSecret, world.settings.MASTER_KEY]) {
    expect(exported.text).not.toContain(secret);
  }

  const erased = await world.admin("POST", `${path}/erase`, { contactId: CONTACT });
  expect(erased.body).toEqual({ status: "success", erased: [{ ticketNumber: mine, messages: 2 }], left: 0 });
  expect((await world.admin("GET", `${path}/export?contactId=${CONTACT}`)).text).toBe(
    '{"type":"end","tickets":0,"messages":0}\n',
  );
  expect((await tenant.ticket(other)).lanes.toDesk.accepted).toBe(1);
  expect((await stranger.ticket(theirs)).lanes.toDesk.accepted).toBe(1);
});
