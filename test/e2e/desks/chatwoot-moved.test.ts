import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
const chatwoots: FakeChatwoot[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.stop();
  await Promise.all(chatwoots.map((each) => each.close()));
});

/** A tenant whose customer has written at one Chatwoot, beside a stranger's conversation of the same number at the other. */
async function scene() {
  const [before, after] = [await startFakeChatwoot(), await startFakeChatwoot()];
  chatwoots.push(before, after);
  const open = async (chatwoot: FakeChatwoot) => {
    const tenant = await world.tenant({ record: { desk: chatwoot.record } });
    chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
    const number = newTicketNumber();
    accepted(await tenant.incoming(number));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
    const conversation = chatwoot.conversations.at(-1);
    if (!conversation) throw new Error("there is no conversation");
    return { tenant, number, conversation };
  };
  const [mine, stranger] = [await open(before), await open(after)];
  expect(mine.conversation.id).toBe(stranger.conversation.id);
  const move = (desk: Record<string, unknown>) =>
    world.admin("PUT", `/admin/tenants/${mine.tenant.owner}`, { dolphins: { baseUrl: mine.tenant.engine.url }, desk });
  return { before, after, mine, stranger, move };
}

const textsIn = ({ messages }: FakeChatwoot, { id }: { id: number }) =>
  messages.filter(({ conversationId }) => conversationId === id).map(({ content }) => content);

const untilIdle = (tenant: Tenant, number: string, delivered: number) =>
  tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === delivered, `${delivered} delivered`);

test("a ticket whose tenant moves to another Chatwoot goes on in a conversation of its own there", async () => {
  const { before, after, mine, stranger, move } = await scene();
  const { tenant, number } = mine;
  expect(await move(after.record)).toMatchObject({ status: 200 });
  accepted(await tenant.incoming(number, { message: "Saldo saya berapa?" }));
  await untilIdle(tenant, number, 2);
  const [, moved] = after.conversations.filter(({ id }) => id >= stranger.conversation.id);
  if (!moved) throw new Error("there is no new conversation");
  expect(textsIn(after, moved)).toEqual(["Saldo saya berapa?"]);
  expect(textsIn(after, stranger.conversation)).toHaveLength(1);

  after.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  expect(await after.agentSays(moved, "Saldo Anda Rp5.000")).toBe(200);
  await tenant.engine.until((received) => received.length === 1, "the reply");
  expect(tenant.engine.received.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { ticketNumber: number, message: "Saldo Anda Rp5.000" },
  ]);
  expect(stranger.tenant.engine.received).toEqual([]);

  accepted(await tenant.engineClose(number));
  await untilIdle(tenant, number, 3);
  expect(moved.status).toBe("resolved");
  expect(stranger.conversation.status).toBe("open");

  // Back again, the ticket finds the conversation that it has there.
  expect(await move(before.record)).toMatchObject({ status: 200 });
  accepted(await tenant.incoming(number, { message: "Saya kembali" }));
  await untilIdle(tenant, number, 4);
  expect(textsIn(before, mine.conversation)).toContain("Saya kembali");
});

test("a Close right after its tenant moved closes nobody else's conversation", async () => {
  const { after, mine, stranger, move } = await scene();
  expect(await move(after.record)).toMatchObject({ status: 200 });
  accepted(await mine.tenant.engineClose(mine.number));
  await mine.tenant.untilTicket(mine.number, ({ state }) => state === "closed", "the ticket closed");
  expect(stranger.conversation.status).toBe("open");
});
