import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { filesWith } from "../support/state.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** The relay's state as it lies on disk: KV, all objects, and what SQLite leaves behind. */

let state: string;
let world: World;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "dolphin-relay-sealed-"));
  world = await startWorld({ persist: state });
});
afterAll(async () => {
  await world.stop();
  await rm(state, { recursive: true, force: true });
});

test("of a conversation with a native desk and one with Chatwoot no word is on disk, and the customer's name is", async () => {
  const word = (what: string) => `kata-${what}-${newTicketNumber()}`;
  const words = { native: word("native"), chatwoot: word("chatwoot"), reply: word("reply"), answer: word("answer") };
  const customerName = word("name");
  const native = await world.tenant();
  native.engine.answerWith(() => ({ status: 422, body: words.answer }));
  const number = newTicketNumber();
  accepted(await native.incoming(number, { message: words.native, customerName }));
  accepted(await native.reply(number, { message: words.reply }));
  const chatwoot = await startFakeChatwoot();
  const other = await world.tenant({ record: { desk: chatwoot.record } });
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${other.owner}`);
  accepted(await other.incoming(number, { message: words.chatwoot }));
  await other.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message to be at Chatwoot");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  await chatwoot.agentSays(conversation, words.reply);
  await other.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "the reply to be at the engine");
  const { messages } = await native.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === 1, "the refusal");
  expect(JSON.stringify(messages)).toContain(words.answer);
  await chatwoot.close();
  await world.killAndRestart();

  expect(await filesWith(state, customerName)).not.toEqual([]);
  for (const said of Object.values(words)) {
    for (const form of [said, Buffer.from(said).toString("hex")]) expect(await filesWith(state, form)).toEqual([]);
  }
});
