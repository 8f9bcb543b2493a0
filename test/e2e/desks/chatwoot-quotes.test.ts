import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
let chatwoot: FakeChatwoot;

beforeAll(async () => {
  [world, chatwoot] = await Promise.all([startWorld(), startFakeChatwoot()]);
});
afterAll(() => Promise.all([world.stop(), chatwoot.close()]));

test("a reply that quotes the customer carries the first line of what it quotes, where it has words", async () => {
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  const number = newTicketNumber();
  const long = `Kartu saya ${"tertelan ".repeat(20)}`;
  for (const message of ["\nDi mana ATM?\nYang dekat", long]) accepted(await tenant.incoming(number, { message }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "the conversation");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  const about = (index: number) => {
    const { id, sourceId } = chatwoot.messages[index] ?? {};
    return { content_attributes: { in_reply_to: id, in_reply_to_external_id: sourceId } };
  };
  const place = { id: 1, file_type: "location", coordinates_lat: -6.2, coordinates_long: 106.8 };
  expect(await chatwoot.agentSays(conversation, "Di **lobi**", about(0))).toBe(200);
  expect(await chatwoot.agentSays(conversation, "Kami blokir", about(1))).toBe(200);
  expect(await chatwoot.agentSays(conversation, "", { ...about(0), attachments: [place] })).toBe(200);
  const gone = { content_attributes: { in_reply_to: 1, in_reply_to_external_id: "msg_gone" } };
  expect(await chatwoot.agentSays(conversation, "Baik", gone)).toBe(200);
  const received = await tenant.engine.until((all) => all.length === 4, "the replies");
  expect(received.map(({ body }) => (JSON.parse(body) as { message: string }).message)).toEqual([
    "> Di mana ATM?\nDi *lobi*",
    `> ${long.slice(0, 100)}…\nKami blokir`,
    "-6.2,106.8",
    "Baik",
  ]);
});
