import { expect, test, vi } from "vitest";
import { Receipts } from "../../../src/ticket/receipts";

type Deps = ConstructorParameters<typeof Receipts>[0];

test("a receipt that waits for its next attempt is tried when the clock has been set back", async () => {
  let nowMs = Date.UTC(2026, 0, 1);
  const runs: Promise<void>[] = [];
  const sendReceipt = vi.fn<Deps["sendReceipt"]>(async () => ({ kind: "retry", error: "HTTP 503" }));
  const owed = { sequence: 1, idempotencyKey: "message:1#0" };
  const deps: Partial<Record<keyof Deps, unknown>> = {
    cache: {
      ticket: { owner: "o", ticketNumber: "t" },
      receiptedUpTo: () => 0,
      keepReceipted: () => undefined,
      receiptAgain: () => [],
    },
    store: {
      readNextSettled: () => owed,
      readParts: () => [{ sequence: 1, state: "delivered" }],
    },
    nowMs: () => nowMs,
    waitUntil: (run: Promise<void>) => runs.push(run),
    sendReceipt,
    ended: () => undefined,
  };
  const receipts = new Receipts(deps as unknown as Deps);
  receipts.startIfDue(nowMs);
  await runs.at(-1);
  receipts.startIfDue(nowMs + 1_000);
  expect(sendReceipt).toHaveBeenCalledTimes(1);
  nowMs -= 3600_000;
  receipts.startIfDue(nowMs);
  await runs.at(-1);
  expect(sendReceipt).toHaveBeenCalledTimes(2);
});
