import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Conversation, type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** Chatwoot's worker has stood for seconds, and sends what it has to say at once and in any order. */

const CONVERSATIONS = 4;
const REPLIES = Array.from({ length: 12 }, (_, at) => `balasan ${at + 1}`);
/** Above two seconds by a clock of whole seconds. */
const STOOD_MS = 3_100;

let persist: string;
let world: World;
let chatwoot: FakeChatwoot;
let tenant: Tenant;

beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-order-"));
  [world, chatwoot] = await Promise.all([startWorld({ persist }), startFakeChatwoot()]);
  tenant = await world.tenant({ record: { desk: chatwoot.record } });
});
afterAll(async () => {
  await world.stop();
  await chatwoot.close();
  await rm(persist, { recursive: true, force: true });
});

/** A random order that the seed repeats. */
function shuffled<T>(all: readonly T[], seed: number): T[] {
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31);
  return all
    .map((one) => [next(), one] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, one]) => one);
}

/** Tickets with a conversation each, in which an agent has answered twelve times and resolved while the worker stood. */
async function answered(): Promise<{ numbers: string[]; sent: Promise<number>[] }> {
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  const numbers = Array.from({ length: CONVERSATIONS }, newTicketNumber);
  for (const number of numbers) accepted(await tenant.incoming(number));
  const conversations = await poll(
    () => Promise.resolve(numbers.map((number) => conversationOf(number))),
    (found) => found.every((one) => one !== undefined),
    "a conversation for each ticket",
  );
  for (const number of numbers) {
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the first message to be there");
  }
  chatwoot.worker.stop();
  const sent: Promise<number>[] = [];
  for (const conversation of conversations) {
    if (!conversation) continue;
    for (const text of REPLIES) sent.push(chatwoot.agentSays(conversation, text));
    sent.push(chatwoot.agentResolves(conversation));
  }
  await sleep(STOOD_MS);
  return { numbers, sent };
}

const conversationOf = (number: string): Conversation | undefined =>
  chatwoot.conversations.find(({ customAttributes }) => customAttributes["ticketNumber"] === number);

const idsAtEngine = () => tenant.engine.received.map(({ headers }) => headers["relay-message-id"]);

/** What the engine was sent of a ticket, each message once. */
function sentTo(number: string): (string | undefined)[] {
  const ids = idsAtEngine();
  const firsts = tenant.engine.received.filter((_, at) => ids.indexOf(ids[at]) === at);
  const events = firsts.map(({ body }) => JSON.parse(body) as Record<string, string>);
  return events.filter(({ ticketNumber }) => ticketNumber === number).map(({ message, event }) => message ?? event);
}

async function expectInOrder(numbers: string[]): Promise<void> {
  for (const number of numbers) {
    const { lanes, messages } = await tenant.untilTicket(
      number,
      ({ state }) => state === "closed",
      `${number} to be closed`,
    );
    expect(lanes.toDolphins).toMatchObject({ accepted: 13, delivered: 13, waiting: 0, dead: 0 });
    const replies = messages.filter(({ lane }) => lane === "toDolphins");
    expect(replies.map(({ sequence }) => sequence)).toEqual(replies.map((_, at) => at + 1));
    expect(sentTo(number)).toEqual([...REPLIES, "Close"]);
  }
}

test("twelve replies and a Close that come in any order reach the engine in theirs, none refused and none twice", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { numbers, sent } = await answered();
    chatwoot.worker.start((jobs) => shuffled(jobs, seed));
    expect(await Promise.all(sent)).toEqual(sent.map(() => 200));
    await expectInOrder(numbers);
  }
  expect(new Set(idsAtEngine()).size).toBe(5 * CONVERSATIONS * 13);
  expect(tenant.engine.received).toHaveLength(5 * CONVERSATIONS * 13);
  expect(chatwoot.messages.filter(({ status }) => status === "failed")).toEqual([]);
}, 120_000);

test("twelve replies and a Close that came in any order reach the engine in theirs though the relay is killed meanwhile", async () => {
  const { numbers, sent } = await answered();
  chatwoot.worker.start((jobs) => shuffled(jobs, 6));
  expect(await Promise.all(sent)).toEqual(sent.map(() => 200));
  await world.killAndRestart();
  await expectInOrder(numbers);
}, 120_000);
