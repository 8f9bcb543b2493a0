import { createServer, type RequestListener } from "node:http";
import { listen } from "../../../dev/harness/listen.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { accepted } from "../support/http.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { startWorld, type World } from "../support/world.ts";

/** Desks that misbehave below the level of an answer: bodies without end, connections that hang, break or lead elsewhere. */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const started: { close: () => Promise<void> }[] = [];
afterEach(() => Promise.all(started.splice(0).map(({ close }) => close())));

/** A desk that answers as told, and how many of its connections are open. */
async function startDesk(answer: RequestListener): Promise<{ url: string; open: () => number }> {
  const server = createServer(answer);
  let open = 0;
  server.on("connection", (socket) => {
    open++;
    socket.on("close", () => open--);
  });
  const listening = await listen(server);
  started.push(listening);
  return { url: `${listening.url}/hook`, open: () => open };
}

const tenantOf = (url: string, timeoutMs = 500): Promise<Tenant> =>
  world.tenant({ record: { desk: { type: "native", url }, delivery: { timeoutMs } } });

/** Writes for as long as the other side takes it. */
const pour: RequestListener = (_request, response) => {
  response.writeHead(200, { "content-type": "text/plain" });
  const chunk = "x".repeat(16 * 1024);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
};

test("a desk whose answer goes on for ever past 64 KiB has taken the message, and its connection is let go", async () => {
  const desk = await startDesk(pour);
  const tenant = await tenantOf(desk.url, 10_000);
  const number = newTicketNumber();
  // More than the six connections that an object has: the seventh would hang if one were kept.
  for (let n = 1; n <= 10; n++) accepted(await tenant.incoming(number, { message: `m${n}` }));
  const ticket = await tenant.untilTicket(number, (seen) => seen.lanes.toDesk.delivered === 10, "ten deliveries");
  expect(ticket.messages.map((message) => message.attempts.length)).toEqual(Array.from({ length: 10 }, () => 1));
  await poll(
    () => Promise.resolve(desk.open()),
    (open) => open === 0,
    "every connection closed",
  );
});

test("a desk whose answer begins and never ends has not taken it: the time limit covers the whole body", async () => {
  let requests = 0;
  const desk = await startDesk((_request, response) => {
    requests++;
    response.writeHead(200, { "content-type": "application/json" });
    if (requests === 1) response.write('{"status":');
    else response.end('{"status":"success"}');
  });
  const tenant = await tenantOf(desk.url);
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  const ticket = await tenant.untilTicket(number, (seen) => seen.lanes.toDesk.delivered === 1, "the delivery");
  expect(ticket.messages[0]?.attempts).toHaveLength(2);
  expect(ticket.messages[0]?.attempts[0]?.error).toBe("no complete answer within 500 ms");
});

test("a desk that hangs holds up no other ticket and no other direction", async () => {
  const held: (() => void)[] = [];
  const desk = await startDesk((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const answer = (): void => void response.end('{"status":"success"}');
      if (body.includes("hang")) held.push(answer);
      else answer();
    });
  });
  const tenant = await tenantOf(desk.url, 60_000);
  const [stuck, free] = [newTicketNumber(), newTicketNumber()];
  accepted(await tenant.incoming(stuck, { message: "hang" }));
  accepted(await tenant.incoming(stuck, { message: "behind" }));
  accepted(await tenant.incoming(free, { message: "hello" }));
  await tenant.untilTicket(free, (seen) => seen.lanes.toDesk.delivered === 1, "the other ticket");
  accepted(await tenant.reply(stuck));
  const ticket = await tenant.untilTicket(
    stuck,
    (seen) => seen.lanes.toDolphins.delivered === 1,
    "the other direction",
  );
  expect(ticket.lanes.toDesk).toMatchObject({ delivered: 0, waiting: 2 });
  for (const answer of held) answer();
  await tenant.untilTicket(stuck, (seen) => seen.lanes.toDesk.delivered === 2, "both, once it answers");
});

test("a desk that breaks the connection before its answer is tried again, and has taken the message once it has said so", async () => {
  let requests = 0;
  const desk = await startDesk((request, response) => {
    requests++;
    if (requests === 1) request.socket.destroy();
    else {
      response.writeHead(200, { "content-length": "100" });
      response.write("{");
      setImmediate(() => request.socket.destroy());
    }
  });
  const tenant = await tenantOf(desk.url, 5_000);
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  const ticket = await tenant.untilTicket(number, (seen) => seen.lanes.toDesk.delivered === 1, "the delivery");
  expect(ticket.messages[0]?.attempts.map((attempt) => attempt.error?.startsWith("no connection"))).toEqual([
    true,
    undefined,
  ]);
});

test("a desk that is not there at all is tried again", async () => {
  const tenant = await tenantOf("http://127.0.0.1:1/hook");
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  const ticket = await tenant.untilTicket(
    number,
    (seen) => (seen.messages[0]?.attempts.length ?? 0) > 1,
    "two attempts",
  );
  expect(ticket.messages[0]?.state).toBe("waiting");
});

test("a desk that redirects has refused: nobody is sent elsewhere", async () => {
  let elsewhere = 0;
  const other = await startDesk((_request, response) => {
    elsewhere++;
    response.end();
  });
  const desk = await startDesk((_request, response) => {
    response.writeHead(307, { location: other.url }).end();
  });
  const tenant = await tenantOf(desk.url);
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  const ticket = await tenant.untilTicket(number, (seen) => seen.lanes.toDesk.dead === 1, "the dead letter");
  expect(ticket.messages[0]?.attempts[0]?.error).toBe("HTTP 307: redirects are not followed");
  expect(elsewhere).toBe(0);
});
