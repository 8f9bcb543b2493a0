import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { meter } from "../meter";
import { ok, status, ticketAtRest, useFarEnds } from "../world";

/** What it costs to put the dead letters of one ticket back, in the rows that Cloudflare bills. */

const farEnds = useFarEnds();

/** Longer than the pause between two reports to the index. */
const SLOW_MS = 2_100;

/** Rows for each of so many letters, put back together, at a desk that takes its time. */
async function costOfEach(letters: number, answer: typeof ok): Promise<{ written: number; read: number }> {
  farEnds.answerWith(ok);
  const { stub } = await ticketAtRest();
  await runInDurableObject(stub, (_ticket, { storage }) => {
    // As earlier releases wrote it, in clear.
    const event = JSON.stringify({ ticketNumber: "t", channel: "whatsapp", messageType: "text", message: "put back" });
    for (let sequence = 2; sequence <= letters + 1; sequence++) {
      storage.sql.exec(
        `INSERT INTO message (lane, sequence, id, kind, event, acceptedAtMs, suspectedDuplicate)
         VALUES ('toDesk', ?, ?, 'incoming', ?, ?, 0)`,
        sequence,
        `msg_${sequence}`,
        event,
        Date.now(),
      );
      storage.sql.exec("INSERT INTO outcome VALUES ('toDesk', ?, 'dead', 'rejected', '[]', 1, 0, 1, NULL)", sequence);
    }
  });
  await evictDurableObject(stub);
  // The letters are reported to the index, so that what is read from now on is for their replay.
  await stub.sweep();
  await evictDurableObject(stub);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  farEnds.answerWith((sent) => {
    vi.setSystemTime(Date.now() + SLOW_MS);
    return answer(sent);
  });
  const cost = await meter(stub);
  const before = farEnds.sent.length;
  const replayed = await stub.replay({ ids: Array.from({ length: letters }, (_, n) => `msg_${n + 2}`) });
  expect(replayed).toMatchObject({ ok: true, value: { replayed: { length: letters } } });
  await farEnds.until(before + letters);
  await stub.deliveryStatus("toDesk", letters + 1, 10_000);
  vi.useRealTimers();
  const { written, read } = await cost();
  return { written: written / letters, read: read / letters };
}

test.each([
  ["are delivered", ok],
  ["are refused once more", status(400)],
])("of four times as many letters that are put back each costs as much as before, when they %s", async (_, answer) => {
  const few = await costOfEach(60, answer);
  const many = await costOfEach(240, answer);
  expect(few.written).toBeGreaterThan(2);
  expect(many.written).toBeLessThan(few.written * 1.2);
  expect(many.read).toBeLessThan(few.read * 1.2);
});
