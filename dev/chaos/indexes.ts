import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { call, read, ticketAnswer } from "../harness/client.ts";
import { poll } from "../harness/poll.ts";
import { LANES, type LaneName, type Ticket } from "./lanes.ts";
import type { Scenario } from "./scenario.ts";

/** A ticket that is asked for reports to its index, but not within 10 seconds of its last report. */
const AGREE_MS = 30_000;
const LOOK_EVERY_MS = 500;
const PAGE = 50;

const condition = ticketAnswer.shape.ticket.pick({ state: true, lanes: true });
type Condition = z.infer<typeof condition>;

const ticketsAnswer = z.object({
  status: z.literal("success"),
  tickets: z.array(condition.extend({ ticketNumber: z.string() })),
  next: z.string().optional(),
});
const laneMinute = z.object({ accepted: z.int(), delivered: z.int(), dead: z.int() });
const overviewAnswer = z.object({
  status: z.literal("success"),
  overview: z.object({
    tickets: z.object({ open: z.int(), closing: z.int(), closed: z.int() }),
    waiting: z.object({ tickets: z.int(), messages: z.int() }),
    dead: z.object({ tickets: z.int(), messages: z.int() }),
    minutes: z.array(z.object({ toDesk: laneMinute, toDolphins: laneMinute })),
  }),
});

/** Holds the index of each tenant against what its tickets say, once everything is at rest: in words, what disagrees. */
export async function auditIndexes(scenario: Scenario, tickets: Ticket[]): Promise<string[]> {
  const violations: string[] = [];
  for (const [owner, own] of Map.groupBy(tickets, (ticket) => ticket.owner)) {
    const found = await poll(
      async () => disagreements(scenario, owner, await readTruth(scenario, own)),
      ({ length }) => length === 0,
      { timeoutMs: AGREE_MS, everyMs: LOOK_EVERY_MS },
    );
    violations.push(...found);
  }
  return violations;
}

/** By ticket number; a ticket whose opening was never accepted is left out. */
async function readTruth(scenario: Scenario, tickets: Ticket[]): Promise<Map<string, Condition>> {
  const truth = new Map<string, Condition>();
  for (const { owner, ticketNumber } of tickets) {
    const answer = await get(scenario, `tickets/${owner}/${ticketNumber}`);
    if (answer.status === 404) continue;
    const { state, lanes } = read(answer, ticketAnswer, "Reading a ticket").ticket;
    truth.set(ticketNumber, { state, lanes });
  }
  return truth;
}

async function disagreements(scenario: Scenario, owner: string, truth: Map<string, Condition>): Promise<string[]> {
  const found: string[] = [];
  const compare = (what: string, index: unknown, expected: unknown) => {
    if (isDeepStrictEqual(index, expected)) return;
    found.push(`${owner}, ${what}: the index has ${JSON.stringify(index)}, the tickets ${JSON.stringify(expected)}`);
  };
  const listed = await readList(scenario, owner);
  compare("its tickets", [...listed.keys()].toSorted(), [...truth.keys()].toSorted());
  for (const [ticketNumber, expected] of truth) compare(ticketNumber, listed.get(ticketNumber), expected);

  const conditions = [...truth.values()];
  const count = (state: Condition["state"]) => conditions.filter((one) => one.state === state).length;
  const sum = (lane: LaneName, name: "accepted" | "delivered" | "waiting" | "dead") =>
    conditions.reduce((total, { lanes }) => total + lanes[lane][name], 0);
  const answer = await get(scenario, `tenants/${owner}/overview`);
  const { overview } = read(answer, overviewAnswer, "Reading an overview");
  compare("states", overview.tickets, { open: count("open"), closing: count("closing"), closed: count("closed") });
  compare("dead", overview.dead.messages, sum("toDesk", "dead") + sum("toDolphins", "dead"));
  compare("waiting", overview.waiting.messages, sum("toDesk", "waiting") + sum("toDolphins", "waiting"));
  for (const lane of LANES) {
    for (const name of ["accepted", "delivered"] as const) {
      const counted = overview.minutes.reduce((total, minute) => total + minute[lane][name], 0);
      compare(`${name} ${lane} over all minutes`, counted, sum(lane, name));
    }
  }
  return found;
}

async function readList(scenario: Scenario, owner: string): Promise<Map<string, Condition>> {
  const listed = new Map<string, Condition>();
  for (let before = ""; ;) {
    const answer = await get(scenario, `tenants/${owner}/tickets?limit=${PAGE}${before}`);
    const { tickets, next } = read(answer, ticketsAnswer, "Reading an index");
    for (const { ticketNumber, state, lanes } of tickets) listed.set(ticketNumber, { state, lanes });
    if (next === undefined) return listed;
    before = `&before=${next}`;
  }
}

const get = async (scenario: Scenario, path: string) =>
  call("GET", `${await scenario.relayUrl()}/admin/${path}`, { token: scenario.adminToken });
