import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** The relay's own doors as the target of what it sends. */

let world: World;
let proxy: Server;

beforeAll(async () => {
  world = await startWorld();
  proxy = createServer(async (request, response) => {
    const headers = Object.entries(request.headers).filter(([name]) => name !== "host" && name !== "connection");
    const answer = await fetch(`${world.relay().url}/v1/dolphins/${world.ingressKey}/incoming`, {
      method: "POST",
      headers: headers.map(([name, value]): [string, string] => [name, String(value)]),
      body: await text(request),
    });
    response.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await world.stop();
  proxy.close();
});

describe("a target that is the relay itself", () => {
  test("a target that is the relay itself is refused when it is set, for the desk as for the engine", async () => {
    const tenant = await world.tenant();
    const chatwoot = await startFakeChatwoot();
    const { url } = world.relay();
    const desk = { type: "native", url: `${url}/v1/dolphins/${world.ingressKey}/incoming` };
    const puts = [
      { path: "desk.url", record: { desk } },
      { path: "desk.baseUrl", record: { desk: { ...chatwoot.record, baseUrl: url } } },
      { path: "dolphins.baseUrl", record: { dolphins: { baseUrl: `${url}/v1` } } },
    ];
    for (const { path, record } of puts) {
      const put = await world.putTenant(tenant, { record });
      expect(put).toBeRefused(422, "invalid_tenant");
      expect(put.text).toContain(`"path":"${path}"`);
    }
    await chatwoot.close();
  });

  test("a target that is the relay itself is stopped behind another name: one event stays one", async () => {
    const { port } = proxy.address() as AddressInfo;
    const tenant = await world.tenant({ record: { desk: { type: "native", url: `http://127.0.0.1:${port}/hook` } } });
    const number = newTicketNumber();
    accepted(await tenant.incoming(number));
    const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.dead > 0, "the dead letter");
    expect(ticket.lanes.toDesk).toMatchObject({ accepted: 1, dead: 1 });
    expect(ticket.messages[0]?.attempts).toMatchObject([{ status: 422 }]);
  });
});

describe("a request that looks like a delivery of the relay", () => {
  const own = { "user-agent": "dolphin-relay/9.9.9", "relay-message-id": "msg_1" };

  test("a request that looks like a delivery of the relay is refused at every door for events", async () => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    for (const reply of [
      await tenant.incoming(number, {}, own),
      await tenant.incoming(number, {}, { "user-agent": own["user-agent"], "webhook-id": "msg_1" }),
      await tenant.engineClose(number, own),
      await tenant.reply(number, {}, own),
      await tenant.close(number, own),
    ]) {
      expect(reply).toBeRefused(422, "invalid_request");
    }
  });

  test("a request that looks like a delivery of the relay is taken where only half of it does", async () => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    expect(await tenant.incoming(number, {}, { "user-agent": own["user-agent"] })).toBeAccepted();
    expect(await tenant.reply(number, {}, { "relay-message-id": "msg_1" })).toBeAccepted();
  });
});
