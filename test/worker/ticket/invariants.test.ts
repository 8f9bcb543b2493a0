import { evictDurableObject, reset, runDurableObjectAlarm } from "cloudflare:test";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { LaneName } from "../../../src/model/answers";
import {
  accepted,
  incoming,
  ok,
  operator,
  outgoing,
  useFarEnds,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  viewOf,
  type Sent,
} from "../world";

/** The guarantees of docs/protocol.md, held by the real object through evictions, alarms, replays and far ends that fail. */

const farEnds = useFarEnds();

/** How a far end treats an attempt. `lost` has heard it, and its answer never arrives. */
const treatment = fc.constantFrom(
  "ok" as const,
  "ok" as const,
  "unavailable" as const,
  "refused" as const,
  "lost" as const,
);
const lane = fc.constantFrom<LaneName>("toDesk", "toDolphins");
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("accept" as const), lane }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 900 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("replay" as const) }) },
);

type Heard = { lane: LaneName; id: string; text: string; treated: string };

/** The object at rest: no attempt is under way and none is due. */
async function untilQuiet(owner: string): Promise<void> {
  let before = -1;
  await vi.waitFor(
    async () => {
      const { lanes } = await viewOf(owner, "t");
      const seen = farEnds.sent.length;
      const isStill = seen === before;
      before = seen;
      const isDue = Object.values(lanes).some((one) => one.waiting > 0 && one.nextAttemptAt === undefined);
      expect(isStill && !isDue).toBe(true);
    },
    { timeout: 30_000, interval: 5 },
  );
}

test("whatever happens, nothing accepted is lost, doubled without cause, or out of order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      fc.array(treatment, { minLength: 10, maxLength: 40 }),
      async (steps, treatments) => {
        vi.useFakeTimers({ toFake: ["Date"] });
        const owner = await registerTenant({ delivery: { maxAgeSeconds: 3600 } });
        const token = await tokenOf(owner);
        const stub = ticketOf(owner, "t");
        const heard: Heard[] = [];
        let plan = [...treatments];
        const play = (sent: Sent) => {
          const treated = plan.shift() ?? "ok";
          const isDesk = sent.url.startsWith("https://desk");
          const id = sent.headers.get(isDesk ? "webhook-id" : "relay-message-id") ?? "";
          const { message = "" } = JSON.parse(sent.body) as { message?: string };
          heard.push({ lane: isDesk ? "toDesk" : "toDolphins", id, text: message, treated });
          if (treated === "lost") throw new Error("the answer was lost");
          if (treated === "unavailable") return status(503)(sent);
          return treated === "refused" ? status(422)(sent) : ok(sent);
        };
        const sentByLane: Record<LaneName, string[]> = { toDesk: [], toDolphins: [] };
        const replayedIds = new Set<string>();
        const accept = async (to: LaneName) => {
          const text = `${to} ${sentByLane[to].length + 1}`;
          const answer = to === "toDesk" ? incoming(owner, "t", text) : outgoing(token, "t", text);
          sentByLane[to].push(await accepted(answer));
        };

        farEnds.answerWith(play);
        await accept("toDesk");
        for (const one of steps) {
          if (one.do === "accept") await accept(one.lane);
          if (one.do === "pass") {
            vi.setSystemTime(Date.now() + one.seconds * 1000);
            await runDurableObjectAlarm(stub);
          }
          if (one.do === "evict") {
            // Only an object that runs can be evicted; this question starts it and touches nothing.
            await stub.deliveryStatus("toDesk", 1, 0);
            await evictDurableObject(stub);
          }
          if (one.do === "replay") {
            const { replayed } = (await operator("POST", `/tickets/${owner}/t/replay`, { all: true })) as {
              replayed: string[];
            };
            for (const id of replayed) replayedIds.add(id);
          }
        }
        plan = [];
        for (let rounds = 0; rounds < 3; rounds++) {
          await untilQuiet(owner);
          vi.setSystemTime(Date.now() + 700_000);
          await runDurableObjectAlarm(stub);
        }
        await untilQuiet(owner);

        const view = await viewOf(owner, "t");
        for (const name of ["toDesk", "toDolphins"] as const) {
          const mine = heard.filter((one) => one.lane === name);
          const messages = view.messages.filter((message) => message.lane === name);
          // Nothing accepted disappears, and nothing waits when the far ends are well.
          expect(messages.map((message) => message.id)).toEqual(sentByLane[name]);
          expect(messages.filter((message) => message.state === "waiting")).toEqual([]);
          const heardWell = (id: string) => mine.filter((one) => one.id === id && one.treated === "ok").length;
          const doubtful = messages.filter((message) => (message.state === "delivered") !== heardWell(message.id) > 0);
          expect(doubtful).toEqual([]);
          const dead = messages.filter((message) => message.state === "dead").map((message) => message.id);
          expect(dead.filter((id) => !mine.some((one) => one.id === id && one.treated === "refused"))).toEqual([]);
          // An eviction can lose the outcome of the one attempt that is under way in a lane: then, and only then, a repeat.
          const repeats = messages.reduce((sum, message) => sum + Math.max(0, heardWell(message.id) - 1), 0);
          expect(repeats).toBeLessThanOrEqual(steps.filter((one) => one.do === "evict").length);
          // First deliveries are in the order of acceptance, but for those that somebody replayed.
          const firsts = [...new Set(mine.filter((one) => one.treated === "ok").map((one) => one.id))].filter(
            (id) => !replayedIds.has(id),
          );
          expect(firsts).toEqual(sentByLane[name].filter((id) => firsts.includes(id)));
          const counts = view.lanes[name];
          expect(counts.delivered + counts.dead).toBe(counts.accepted);
        }
        vi.useRealTimers();
        await reset();
      },
    ),
    { numRuns: 40 },
  );
}, 240_000);
