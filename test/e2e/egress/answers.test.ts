import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { accepted } from "../support/http.ts";
import { type RawAnswer, type RawFarEnd, startRawFarEnd } from "../support/raw-far-end.ts";
import { newTicketNumber } from "../support/tenant.ts";
import type { Ticket } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** What far ends answer below and beside the ordinary: bodies that cannot be read, a no inside a yes, answers ahead of time. */

let world: World;
const farEnds: RawFarEnd[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => {
  for (const farEnd of farEnds.splice(0)) farEnd.close();
});
afterAll(() => world.stop());

const settled = ({ lanes: { toDesk } }: Ticket): boolean => toDesk.delivered + toDesk.dead > 0;

/** Sends one message to a native desk that answers so, and gives how it ended. */
async function deliverTo(answer: RawAnswer, { early = false, filler = "" } = {}) {
  const farEnd = await startRawFarEnd(() => answer, { early });
  farEnds.push(farEnd);
  const tenant = await world.tenant({
    record: { desk: { type: "native", url: farEnd.url }, delivery: { timeoutMs: 2_000 } },
  });
  const number = newTicketNumber();
  accepted(await tenant.incoming(number, { filler }));
  const ticket = await tenant.untilTicket(number, settled, "an end");
  const { state, attempts } = ticket.messages[0] ?? { state: "", attempts: [] };
  return { state, statuses: attempts.map(({ status }) => status), requests: farEnd.requests };
}

const json = (status: number, body: string): RawAnswer => ({
  bytes: `HTTP/1.1 ${status} Odd\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
});

describe("a message is delivered, once, by a 2xx", () => {
  test.each([
    ["that says gzip and has no body", "content-encoding: gzip\r\ncontent-length: 0\r\n\r\n"],
    ["that says gzip and is none", "content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello"],
    ["that says Brotli and is none", "content-encoding: br\r\ncontent-length: 5\r\n\r\nhello"],
    ["in a coding that nobody knows", "content-encoding: bank-7\r\ncontent-length: 5\r\n\r\nhello"],
    ["whose body is shorter than it says", "content-length: 100\r\n\r\n{"],
    ["whose body breaks off in a chunk", "transfer-encoding: chunked\r\n\r\n9\r\n{"],
  ])("a message is delivered, once, by a 2xx %s", async (_what, rest) => {
    const { state, statuses } = await deliverTo({ bytes: `HTTP/1.1 200 OK\r\nconnection: close\r\n${rest}` });
    expect({ state, statuses }).toEqual({ state: "delivered", statuses: [200] });
  });
});

describe("a 2xx that says no", () => {
  test.each([
    '{"status":false}',
    '{"status":"False"}',
    '{"status":"error"}',
    '{"status":"ERR_42"}',
    '{"status":"Failed"}',
    '{"status":"rejected"}',
    '{"status":"Gagal mengirim"}',
    '{"status":400}',
    '{"status":"503"}',
    '{"success":false}',
    '{"success":0}',
    '{"success":"0"}',
    '{"success":"False"}',
  ])("a 2xx with the body %s is a refusal", async (body) => {
    expect(await deliverTo(json(200, body))).toMatchObject({ state: "dead", statuses: [200] });
  });

  test.each([
    '{"status":"success"}',
    '{"status":true}',
    '{"status":"399"}',
    '{"status":200}',
    '{"status":null,"success":null}',
    '{"success":1}',
    '{"error":"error"}',
    '[{"status":"error"}]',
    "status: error",
    '{"status":"error"',
  ])("a 2xx with the body %s is no refusal", async (body) => {
    expect(await deliverTo(json(200, body))).toMatchObject({ state: "delivered", statuses: [200] });
  });
});

describe("an answer that comes before the request was read, with the connection closed behind it,", () => {
  // One that is broken off instead may be lost on the way, and then there is none.
  test.each([413, 401, 422])(
    "an answer counts that comes before the request was read, with the connection closed behind it: %i",
    async (status) => {
      const ended = await deliverTo(json(status, '{"error":"too much"}'), { early: true, filler: "x".repeat(200_000) });
      expect(ended).toMatchObject({ state: "dead", statuses: [status] });
    },
  );
});
