import { evictDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import type { DeadLetter } from "../../../src/model/answers";
import { indexOf, list, NONE, reportOf } from "../tenant-index/index-world";
import {
  accepted,
  incoming,
  ok,
  operator,
  outgoing,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
  viewOf,
} from "../world";

const farEnds = useFarEnds();

type Shown = DeadLetter & { ticketNumber: string; channel: string; customerName: string };
type Letters = { deadLetters: Shown[]; next?: string };
type Answer = { replayed: string[]; late: string[]; more: boolean; dryRun: boolean; next?: string };
const replay = (owner: string, body: unknown) =>
  operator("POST", `/tenants/${owner}/dead-letters/replay`, body) as Promise<Answer>;

/** Three tickets: two dead letters in each direction of the first, and one in each of the others. */
async function deadTickets(): Promise<{ owner: string; ids: string[] }> {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  farEnds.answerWith((sent) => status(sent.body.includes("bad") ? 422 : 200)(sent));
  const byTicket: Record<string, string[]> = {};
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  for (const ticket of ["a", "b", "c"]) {
    vi.setSystemTime(Date.now() + 1000);
    await accepted(incoming(owner, ticket, "hello"));
    const ids = [await accepted(incoming(owner, ticket, `bad ${ticket} 1`))];
    if (ticket === "a") {
      await accepted(incoming(owner, ticket, "between"));
      ids.push(await accepted(incoming(owner, ticket, "bad a 2")));
      ids.push(await accepted(outgoing(token, ticket, "bad a 3")));
      ids.push(await accepted(outgoing(token, ticket, "bad a 4")));
    }
    await untilView(
      owner,
      ticket,
      ({ lanes }) => lanes.toDesk.dead + lanes.toDolphins.dead === ids.length && lanes.toDesk.waiting === 0,
    );
    await ticketOf(owner, ticket).sweep();
    byTicket[ticket] = ids;
  }
  return { owner, ids: ["c", "b", "a"].flatMap((ticket) => byTicket[ticket] ?? []) };
}

test("dead letters are read across tickets, page by page, and each lane's oldest first", async () => {
  const { owner, ids } = await deadTickets();
  const whole = (await operator("GET", `/tenants/${owner}/dead-letters`)) as Letters;
  expect(whole).not.toHaveProperty("next");
  expect(whole.deadLetters.map((letter) => letter.id)).toEqual(ids);
  expect(whole.deadLetters[0]).toMatchObject({
    ticketNumber: "c",
    channel: "whatsapp",
    customerName: "Farhan Akbar",
    lane: "toDesk",
    sequence: 2,
    kind: "incoming",
    state: "dead",
    reason: "rejected",
    attempts: [{ status: 422 }],
    event: { message: "bad c 1" },
  });
  for (const limit of [1, 2, 3, 5]) {
    const seen: string[] = [];
    for (let before = ""; ;) {
      const path = `/tenants/${owner}/dead-letters?limit=${limit}${before}`;
      const { deadLetters, next } = (await operator("GET", path)) as Letters;
      expect(deadLetters.length).toBeLessThanOrEqual(limit);
      seen.push(...deadLetters.map((letter) => letter.id));
      if (next === undefined) break;
      before = `&before=${next}`;
    }
    expect(seen, `limit ${limit}`).toEqual(ids);
  }
  expect((await list(owner, "?state=dead")).tickets.map((one) => one.ticketNumber)).toEqual(["c", "b", "a"]);
});

test("a dry run of a replay says what would be replayed and what would come late, and changes nothing", async () => {
  const { owner, ids } = await deadTickets();
  const [, , a1, a2, a3, a4] = ids;
  farEnds.sent.length = 0;
  farEnds.answerWith(ok);
  // Behind the first of "a" another was delivered; behind the rest none.
  const expected = { status: "success", dryRun: true, replayed: ids, late: [a1], more: false };
  expect(await replay(owner, { all: true, dryRun: true })).toEqual(expected);
  expect(await replay(owner, { all: true, dryRun: true })).toEqual(expected);
  expect(await replay(owner, { ids: [a4, a1, "msg_nothing"], dryRun: true })).toEqual({
    ...expected,
    replayed: [a1, a4],
    late: [a1],
  });
  const own = { status: "success", dryRun: true, replayed: [a1, a2, a3, a4], late: [a1] };
  expect(await operator("POST", `/tickets/${owner}/a/replay`, { all: true, dryRun: true })).toEqual(own);
  expect((await viewOf(owner, "a")).lanes).toMatchObject({ toDesk: { dead: 2 }, toDolphins: { dead: 2 } });
  expect(farEnds.sent).toEqual([]);
});

test("dead letters that are selected, or all of them, are replayed in each ticket's order", async () => {
  const { owner, ids } = await deadTickets();
  const [c1, b1, a1, a2, a3, a4] = ids;
  farEnds.sent.length = 0;
  farEnds.answerWith(ok);
  const some = await replay(owner, { ids: [a2, c1, a1] });
  expect(some).toEqual({ status: "success", dryRun: false, replayed: [c1, a1, a2], late: [a1], more: false });
  await farEnds.until(3);
  expect(farEnds.texts().filter((text) => text.includes(" a "))).toEqual(["bad a 1", "bad a 2"]);
  await untilView(owner, "a", (view) => view.lanes.toDesk.delivered === 4);
  const rest = await replay(owner, { all: true });
  expect(rest).toMatchObject({ replayed: [b1, a3, a4], more: false });
  await farEnds.until(6);
  expect(
    farEnds
      .texts()
      .slice(3)
      .filter((text) => text.includes(" a ")),
  ).toEqual(["bad a 3", "bad a 4"]);
  for (const ticket of ["a", "b", "c"]) {
    await untilView(owner, ticket, ({ lanes }) => lanes.toDesk.dead + lanes.toDolphins.dead === 0);
    await ticketOf(owner, ticket).sweep();
  }
  expect(await operator("GET", `/tenants/${owner}/dead-letters`)).toEqual({ status: "success", deadLetters: [] });
  expect((await indexOf(owner).overview(owner, 60)).dead).toEqual({ tickets: 0, messages: 0 });
});

test("a replay over more tickets than one request asks says where to go on", async () => {
  const owner = await registerTenant();
  const dead = { toDesk: { ...NONE, accepted: 1, dead: 1 }, toDolphins: NONE };
  for (let n = 0; n < 250; n++) await indexOf(owner).report(reportOf(n, { lanes: dead }));
  // The only one that is really there is the oldest.
  farEnds.answerWith(status(422));
  const id = await accepted(incoming(owner, "ticket-0", "bad"));
  await untilView(owner, "ticket-0", (view) => view.lanes.toDesk.dead === 1);
  const first = await replay(owner, { ids: [id], dryRun: true });
  expect(first).toMatchObject({ replayed: [], more: true });
  const second = await replay(owner, { ids: [id], dryRun: true, before: first.next });
  expect(second).toEqual({ status: "success", dryRun: true, replayed: [id], late: [], more: false });
  const page = (await operator("GET", `/tenants/${owner}/dead-letters`)) as Letters;
  expect(page.deadLetters).toEqual([]);
  const path = `/tenants/${owner}/dead-letters?before=${page.next}`;
  expect(((await operator("GET", path)) as Letters).deadLetters.map((letter) => letter.id)).toEqual([id]);
}, 30_000);

type Groups = { groups: { lane: string; reason: string; status?: number; error: string; count: number }[] };

/** A ticket whose desk refuses and whose engine cannot be reached, each in its own words. */
async function twoCauses() {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  let request = 0;
  farEnds.answerWith(({ url }) =>
    url.includes("desk")
      ? new Response(`bad signature, request ${++request}f3a-77`, { status: 401 })
      : new Response("gone", { status: 410 }),
  );
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 24, 2) });
  const ids: string[] = [];
  for (const ticket of ["a", "b"]) {
    for (const text of ["one", "two"]) {
      // To the second, however long the waiting before took.
      vi.setSystemTime(Math.floor(Date.now() / 60_000) * 60_000 + 60_000);
      ids.push(await accepted(incoming(owner, ticket, text)));
    }
    ids.push(await accepted(outgoing(token, ticket, "reply")));
    await untilView(owner, ticket, ({ lanes }) => lanes.toDesk.dead === 2 && lanes.toDolphins.dead === 1);
    await ticketOf(owner, ticket).sweep();
  }
  return { owner, ids };
}
const letters = async (owner: string, query: string) =>
  ((await operator("GET", `/tenants/${owner}/dead-letters${query}`)) as Letters).deadLetters.map(({ id }) => id);
const discard = (owner: string, body: unknown) => operator("POST", `/tenants/${owner}/dead-letters/discard`, body);

test("dead letters are filtered by lane, reason and status, and counted by cause over all tickets", async () => {
  const { owner, ids } = await twoCauses();
  const [a1, a2, aReply, b1, b2, bReply] = ids;
  expect(await letters(owner, "?lane=toDolphins")).toEqual([bReply, aReply]);
  expect(await letters(owner, "?status=401&limit=3")).toEqual([b1, b2, a1]);
  expect(await letters(owner, "?status=401&lane=toDolphins")).toEqual([]);
  expect(await letters(owner, "?reason=exhausted")).toEqual([]);
  const { groups } = (await operator("GET", `/tenants/${owner}/dead-letters?group=cause`)) as Groups;
  expect(groups).toEqual([
    {
      lane: "toDesk",
      reason: "rejected",
      status: 401,
      error: "HTTP 401: bad signature, request 4f3a-77",
      count: 4,
      oldestAt: expect.stringMatching(/T02:01:00/) as string,
      newestAt: expect.stringMatching(/T02:04:00/) as string,
    },
    expect.objectContaining({ lane: "toDolphins", status: 410, count: 2 }),
  ]);
  expect(await operator("GET", `/tenants/${owner}/dead-letters?group=cause&status=410`)).toMatchObject({
    groups: [{ count: 2 }],
  });
  const since = "2026-11-24T09:02:00+07:00";
  const dry = await replay(owner, { all: true, lane: "toDesk", since, until: "2026-11-24T02:03:30Z", dryRun: true });
  expect(dry.replayed).toEqual([b1, a2]);
  expect((await replay(owner, { ids: [String(a1), String(aReply)], status: 410, dryRun: true })).replayed).toEqual([
    aReply,
  ]);
});

test("what is discarded stays in the timeline, counts nowhere as dead, and is replayed no more", async () => {
  const { owner, ids } = await twoCauses();
  const [a1, a2, aReply, b1, b2, bReply] = ids;
  const which = { all: true, status: 401 };
  const expected = { status: "success", dryRun: true, discarded: [b1, b2, a1, a2], more: false };
  expect(await discard(owner, { ...which, dryRun: true })).toEqual(expected);
  expect((await viewOf(owner, "a")).lanes.toDesk.dead).toBe(2);
  expect(await discard(owner, which)).toEqual({ ...expected, dryRun: false });
  expect(await letters(owner, "")).toEqual([bReply, aReply]);
  const view = await viewOf(owner, "a");
  expect(view.lanes.toDesk).toEqual({ accepted: 2, delivered: 0, waiting: 0, dead: 0 });
  expect(view.messages.map(({ state }) => state)).toEqual(["discarded", "discarded", "dead"]);
  expect((await indexOf(owner).overview(owner, 60)).dead).toEqual({ tickets: 2, messages: 2 });
  await evictDurableObject(ticketOf(owner, "a"));
  expect((await viewOf(owner, "a")).lanes.toDesk).toEqual({ accepted: 2, delivered: 0, waiting: 0, dead: 0 });
  expect((await replay(owner, { ids: [String(a1)] })).replayed).toEqual([]);
  expect(await discard(owner, { ids: [aReply, bReply] })).toMatchObject({ discarded: [bReply, aReply] });
  expect(await operator("GET", `/tenants/${owner}/dead-letters?group=cause`)).toEqual({
    status: "success",
    groups: [],
  });
});
