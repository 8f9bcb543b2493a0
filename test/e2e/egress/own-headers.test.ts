import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { type FarEnd, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { startFakeZendesk } from "../../../dev/fakes/zendesk.ts";
import { accepted } from "../support/http.ts";
import { lookupTenant } from "../support/lookups.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { startWorld, type World } from "../support/world.ts";

/** What a firewall before a far end asks of every request: who is calling, and what for. */

let world: World;
const farEnds: FarEnd[] = [];
const started = async <T extends FarEnd>(starting: Promise<T>): Promise<T> => {
  const farEnd = await starting;
  farEnds.push(farEnd);
  return farEnd;
};

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.stop();
  await Promise.all(farEnds.map((each) => each.close()));
});

const JPEG = "\xff\xd8\xff\xe0\0\x10JFIF\0";

test("every request to whatever far end says who is calling and what it takes", async () => {
  const [media, chatwoot, zendesk] = await Promise.all([
    started(startFarEnd()),
    started(startFakeChatwoot()),
    started(startFakeZendesk()),
  ]);
  media.answerWith(() => ({ status: 200, body: JPEG, headers: { "content-type": "image/jpeg" } }));
  const native = await lookupTenant(world);
  const [atChatwoot, atZendesk] = await Promise.all(
    [chatwoot, zendesk].map(({ record }) => world.tenant({ record: { desk: record } })),
  );
  if (!atChatwoot || !atZendesk) throw new Error("there is no tenant");

  const picture = { messageType: "image", mediaLink: `${media.url}/foto.jpg` };
  const number = newTicketNumber();
  for (const tenant of [native, atChatwoot, atZendesk]) {
    accepted(await tenant.incoming(number, { contactId: "c1" }));
    accepted(await tenant.incoming(number, { contactId: "c1", ...picture }));
    accepted(await tenant.engineClose(number));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 3, "all delivered");
  }
  accepted(await native.incoming(number, { contactId: "c1" }));
  accepted(await native.reply(number));
  accepted(await native.close(number));
  await native.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 2, "the reply and its Close");
  await native.contact("c1", { ticketNumber: number });
  await native.history(number);
  await world.admin("POST", `/admin/tenants/${native.owner}/test/engine`);

  const heard = { media, chatwoot, zendesk, desk: native.desk, engine: native.engine };
  const asked = Object.entries(heard).flatMap(([name, { received }]) =>
    received.map(({ method, path, headers }) => ({ name, method, path: path.split("?")[0], headers })),
  );
  expect(new Set(asked.filter(({ name }) => name === "engine").map(({ path }) => path))).toEqual(
    new Set([
      "/outgoing",
      "/command",
      "/dolphin/apiv1/graph/auth",
      "/dolphin/apiv1/graph/contacts/contactById",
      "/dolphin/apiv1/graph/report/conversations",
    ]),
  );
  expect(Object.entries(heard).filter(([, { received }]) => received.length === 0)).toEqual([]);
  const own = (accept: string) => ({
    "user-agent": expect.stringMatching(/^dolphin-relay\/\d+\.\d+\.\d+$/) as string,
    accept,
  });
  for (const { headers, ...request } of asked) {
    expect({ ...request, headers }).toMatchObject({
      ...request,
      headers: own(request.name === "media" ? "*/*" : "application/json"),
    });
  }
});
