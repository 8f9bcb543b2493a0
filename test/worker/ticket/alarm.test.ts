import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, expect, test, vi } from "vitest";
import { meter } from "../meter";
import {
  accepted,
  alarmOf,
  incoming,
  outgoing,
  ticketAtRest,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
} from "../world";

/** For when the alarm stands that guards what is under way, and when it rings. */

const farEnds = useFarEnds();
/** So far ahead it stands at most: how long an interrupted delivery waits after a crash. */
const LONGEST_MS = 8_000;

let owner: string;
let stub: ReturnType<typeof ticketOf>;
const aheadMs = async (): Promise<number> => ((await alarmOf(stub)) ?? Number.NEGATIVE_INFINITY) - Date.now();
const passed = (ms: number) => vi.setSystemTime(Date.now() + ms);

beforeEach(async () => {
  // Its alarm has nothing else to ring for.
  ({ owner, stub } = await ticketAtRest());
  vi.useFakeTimers({ toFake: ["Date"] });
});

test("in a steady stream the alarm is moved on before it rings, once in a while, and stands within 8 seconds", async () => {
  const cost = await meter(stub);
  const aheads: number[] = [];
  for (let n = 2; n <= 31; n++) {
    passed(1_000);
    await accepted(incoming(owner, "t", `m${n}`));
    aheads.push(await aheadMs());
    expect(await stub.deliveryStatus("toDesk", n, 1000)).toEqual({ state: "delivered" });
  }
  // Never less than a second when the next message comes: nothing has rung.
  expect(Math.min(...aheads)).toBeGreaterThan(1_000);
  expect(Math.max(...aheads)).toBeLessThanOrEqual(LONGEST_MS);
  const { alarms } = await cost();
  expect(alarms).toBeGreaterThanOrEqual(3);
  expect(alarms).toBeLessThanOrEqual(6);
});

test("in a steady stream the alarm rings once an hour all the same, for retention", async () => {
  const next = async (n: number) => {
    await accepted(incoming(owner, "t", `m${n}`));
    expect(await stub.deliveryStatus("toDesk", n, 1000)).toEqual({ state: "delivered" });
  };
  passed(3600_000);
  await next(2);
  passed(7_000);
  await next(3);
  expect(await aheadMs()).toBe(LONGEST_MS - 7_000);
  await runDurableObjectAlarm(stub);
  await next(4);
  passed(7_000);
  await next(5);
  expect(await aheadMs()).toBe(LONGEST_MS);
});

test("the alarm is not put off by what comes behind a message that hangs", async () => {
  const desk = { isHanging: true };
  farEnds.answerWith(async () => {
    while (desk.isHanging) await scheduler.wait(5);
    return Response.json({});
  });
  await accepted(incoming(owner, "t", "it hangs"));
  const firstMs = await alarmOf(stub);
  for (let n = 0; n < 7; n++) {
    passed(1_000);
    await accepted(incoming(owner, "t", `behind it ${n}`));
    expect(await alarmOf(stub)).toBe(firstMs);
  }
  desk.isHanging = false;
  expect(await stub.deliveryStatus("toDesk", 9, 1000)).toEqual({ state: "delivered" });
});

test("the alarm of a retry is not put off by what flows the other way", async () => {
  const token = await tokenOf(owner);
  farEnds.answerWith(({ url }) =>
    url.includes("desk") ? new Response("", { status: 503, headers: { "retry-after": "3" } }) : Response.json({}),
  );
  await accepted(incoming(owner, "t", "tried again"));
  const { lanes } = await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  const retryMs = Date.parse(lanes.toDesk.nextAttemptAt ?? "");
  for (let n = 1; Date.now() + 1_000 < retryMs; n++) {
    passed(1_000);
    await accepted(outgoing(token, "t", `reply ${n}`));
    expect(await stub.deliveryStatus("toDolphins", n, 1000)).toEqual({ state: "delivered" });
    expect(await alarmOf(stub)).toBeLessThanOrEqual(retryMs);
  }
});

test("the report of a new ticket is not put off by a steady stream", async () => {
  await accepted(incoming(owner, "new", "the first"));
  stub = ticketOf(owner, "new");
  const reportMs = Date.now() + 5_000;
  for (let n = 2; n <= 5; n++) {
    expect(await stub.deliveryStatus("toDesk", n - 1, 1000)).toEqual({ state: "delivered" });
    passed(1_000);
    await accepted(incoming(owner, "new", `m${n}`));
    expect(await alarmOf(stub)).toBeLessThanOrEqual(reportMs);
  }
});
