import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** An agent's "New conversation" with a ticket's customer: Chatwoot gives it the name of their last one. */

let world: World;
const desks: FakeChatwoot[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.stop();
  await Promise.all(desks.map((each) => each.close()));
});

async function twoConversations() {
  const chatwoot = await startFakeChatwoot();
  desks.push(chatwoot);
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  const number = newTicketNumber();
  const writes = async (message: string, count: number) => {
    accepted(await tenant.incoming(number, { message }));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === count, message);
    return chatwoot.messages.findLast(({ messageType }) => messageType === "incoming")?.conversationId;
  };
  await writes("Halo", 1);
  const [first] = chatwoot.conversations;
  const [contact] = chatwoot.contacts;
  if (!first || !contact) throw new Error("there is no conversation");
  const second = chatwoot.agentOpens(contact);
  expect(second.sourceId).toBe(first.sourceId);
  return { chatwoot, tenant, number, first, second, writes };
}

test("a ticket goes on in the newest conversation from which a reply came, and an older one's reply does not move it back", async () => {
  const { chatwoot, tenant, first, second, writes } = await twoConversations();
  expect(await writes("Belum ada jawaban", 2)).toBe(first.id);
  expect(await chatwoot.agentSays(second, "Dari yang baru")).toBe(200);
  expect(await writes("Terima kasih", 3)).toBe(second.id);
  expect(await chatwoot.agentSays(first, "Dari yang lama")).toBe(200);
  expect(await writes("Sama-sama", 4)).toBe(second.id);
  await tenant.engine.until((received) => received.length === 2, "both replies");
  expect(chatwoot.misfits).toEqual([]);
});

test("only the end of the conversation in which the ticket goes on closes it", async () => {
  const { chatwoot, tenant, number, first, second } = await twoConversations();
  // Nobody has answered from it yet.
  expect(await chatwoot.agentResolves(second)).toBe(200);
  expect(await chatwoot.agentSays(second, "Dari yang baru")).toBe(200);
  expect(await chatwoot.agentResolves(first)).toBe(200);
  await tenant.engine.until((received) => received.length === 1, "the reply");
  expect((await tenant.ticket(number)).state).toBe("open");
  second.status = "open";
  expect(await chatwoot.agentResolves(second)).toBe(200);
  const ticket = await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  expect(ticket.lanes.toDolphins.accepted).toBe(2);
});

test("a Close by 3Dolphins ends the conversation in which the ticket goes on", async () => {
  const { chatwoot, tenant, number, first, second } = await twoConversations();
  expect(await chatwoot.agentSays(second, "Dari yang baru")).toBe(200);
  accepted(await tenant.engineClose(number));
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  expect([first.status, second.status]).toEqual(["open", "resolved"]);
});
