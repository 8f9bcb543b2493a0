import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Call, Fault } from "../../../dev/fakes/genesys-api.ts";
import { type FakeGenesys, startFakeGenesys } from "../../../dev/fakes/genesys.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

const AFTER_RESTART_MS = 45_000;

let persist: string;
let world: World;
const opened: FakeGenesys[] = [];
beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-genesys-"));
  world = await startWorld({ persist });
});
afterEach(() => {
  const problems = opened.flatMap(({ refused }) => refused);
  if (problems.length > 0) throw new Error(`What Genesys's typings do not have:\n${problems.join("\n")}`);
});
afterAll(async () => {
  await world.stop();
  await Promise.all(opened.map(({ close }) => close()));
  await rm(persist, { recursive: true, force: true });
});

async function makeDesk(timeoutMs: number): Promise<{ tenant: Tenant; genesys: FakeGenesys }> {
  const genesys = await startFakeGenesys();
  opened.push(genesys);
  const owner = randomUUID().replaceAll("-", "");
  const record = { desk: genesys.record, delivery: { timeoutMs } };
  const tenant = await world.tenant({ owner, record });
  genesys.subscribe(`${world.relay().url}/v1/desks/genesys/${owner}`);
  return { tenant, genesys };
}

const isSettled = (ticket: Awaited<ReturnType<Tenant["ticket"]>>): boolean => ticket.lanes.toDesk.waiting === 0;

/** What stands in the conversations of a ticket, as its messages say which it is. */
const saidIn = ({ conversations }: FakeGenesys, number: string): string[] =>
  conversations
    .flatMap(({ messages }) => messages)
    .filter(({ channel }) => JSON.stringify(channel).includes(number))
    .map(({ text = "" }) => text);

const PARTS = [`${"a".repeat(3_990)} `, `${"b".repeat(3_990)} `, "c".repeat(100)];

const PASSING: Record<string, Fault> = {
  "429": { status: 429, headers: { "retry-after": "1" } },
  "503": { status: 503 },
  "a lost request": { silent: true, done: false },
  "a lost answer": { silent: true, done: true },
};

test.each([409, 400] as const)(
  "a fault that passes, in whatever part of a text, loses nothing and makes nothing twice, where a repeat is %i",
  async (status) => {
    const { tenant, genesys } = await makeDesk(700);
    genesys.repeatsAre(status);
    const tickets = PARTS.flatMap((_, part) =>
      Object.entries(PASSING).map(([what, fault]) => ({
        what: `part ${part + 1}, ${what}`,
        part,
        fault,
        number: newTicketNumber(),
      })),
    );
    const done = new Set<string>();
    const customers = new Map<string, (typeof tickets)[number]>();
    genesys.faultWith(({ step, customerId, text }: Call) => {
      const ticket = customers.get(customerId);
      if (step !== "message" || !ticket || text !== PARTS[ticket.part] || done.has(customerId)) return undefined;
      done.add(customerId);
      return ticket.fault;
    });
    for (const ticket of tickets) {
      // Only what a ticket has said tells whose it is.
      accepted(await tenant.incoming(ticket.number, { message: "Halo" }));
      await tenant.untilTicket(ticket.number, isSettled, "the first message");
      customers.set(genesys.conversations.at(-1)?.customerId ?? "", ticket);
    }
    for (const { number } of tickets) {
      accepted(await tenant.incoming(number, { message: PARTS.join("") }));
      accepted(await tenant.incoming(number, { message: "dua" }));
    }
    for (const { what, number } of tickets) {
      const { messages } = await tenant.untilTicket(number, isSettled, `${what} to be over`);
      expect(messages[1]?.attempts.length, what).toBeGreaterThan(1);
      expect(saidIn(genesys, number), what).toEqual(["Halo", ...PARTS, "dua"]);
    }
    expect([done.size, genesys.conversations.length]).toEqual([tickets.length, tickets.length]);
  },
);

test("a login that fails for a while keeps every message, in its place, and one that is gone is made anew at once", async () => {
  const { tenant, genesys } = await makeDesk(2_000);
  genesys.faultWith(({ step, count }) => (step === "login" && count <= 2 ? { status: 503 } : undefined));
  const number = newTicketNumber();
  accepted(await tenant.incoming(number, { message: "satu" }));
  accepted(await tenant.incoming(number, { message: "dua" }));
  await tenant.untilTicket(number, isSettled, "both messages");
  expect(saidIn(genesys, number)).toEqual(["satu", "dua"]);
  genesys.revokeTokens();
  accepted(await tenant.incoming(number, { message: "tiga" }));
  const { messages } = await tenant.untilTicket(number, isSettled, "the message with a token that is gone");
  expect(messages.at(-1)?.attempts.length).toBe(1);
  expect(saidIn(genesys, number)).toEqual(["satu", "dua", "tiga"]);
});

test("a refusal for good ends among the dead letters, and a replay brings the message once", async () => {
  const { tenant, genesys } = await makeDesk(10_000);
  for (const status of [400, 403, 404, 422]) {
    const number = newTicketNumber();
    let left = 1;
    genesys.faultWith(({ step }) => (step === "message" && left-- > 0 ? { status } : undefined));
    accepted(await tenant.incoming(number, { message: "satu" }));
    const { messages } = await tenant.untilTicket(number, isSettled, "the refusal");
    expect(messages).toMatchObject([{ state: "dead", attempts: [{ status }] }]);
    await tenant.replay(number, { all: true });
    await tenant.untilTicket(number, ({ lanes: { toDesk } }) => toDesk.delivered === 1, "the replay");
    expect(saidIn(genesys, number)).toEqual(["satu"]);
  }
});

test("a Close that Genesys does not take just now is made again, and one that it forbids says so among the dead letters", async () => {
  const { tenant, genesys } = await makeDesk(10_000);
  for (const [status, state] of [
    [503, "closed"],
    [403, "open"],
  ] as const) {
    const number = newTicketNumber();
    accepted(await tenant.incoming(number));
    await tenant.untilTicket(number, isSettled, "the message");
    genesys.faultWith(({ step, count }) => (step === "disconnect" && count === 1 ? { status } : undefined));
    await tenant.engineClose(number);
    const ticket = await tenant.untilTicket(number, isSettled, "the Close to be over");
    expect([ticket.state, genesys.conversations.at(-1)?.state === "disconnected"]).toEqual([state, status === 503]);
  }
});

test("a kill -9 between the parts of a text repeats none of them", async () => {
  const { tenant, genesys } = await makeDesk(60_000);
  genesys.faultWith(({ step, text, count }) =>
    step === "message" && text === PARTS[1] && count === 2 ? { silent: true, done: true } : undefined,
  );
  const number = newTicketNumber();
  accepted(await tenant.incoming(number, { message: PARTS.join("") }));
  accepted(await tenant.incoming(number, { message: "dua" }));
  await poll(
    () => Promise.resolve(saidIn(genesys, number)),
    (said) => said.length === 2,
    "the second part",
  );
  await world.killAndRestart();
  await poll(
    () => Promise.resolve(saidIn(genesys, number)),
    (said) => said.length === 4,
    "the rest",
    AFTER_RESTART_MS,
  );
  expect(saidIn(genesys, number)).toEqual([...PARTS, "dua"]);
  // The token was kept: its object has left memory, and logs in no more for that.
  expect(genesys.logins()).toBe(1);
});
