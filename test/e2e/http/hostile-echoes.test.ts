import { afterAll, beforeAll, expect, test } from "vitest";
import type { FarEnd } from "../../../dev/fakes/far-end.ts";
import { ECHOES, PASSWORD, SECRET } from "./hostile/echoes.ts";
import { partsIn } from "../support/readings.ts";
import { bearer, newTicketNumber, openTicket, type Tenant } from "../support/tenant.ts";
import { startWorld, type World } from "../support/world.ts";

/** Far ends that refuse a request and repeat it. Nothing that the relay keeps, shows or logs may have a credential of it. */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const basic = Buffer.from(`relay:${SECRET}`).toString("base64");
const AUTHS: Record<string, { dolphins: Record<string, unknown>; secrets: string[] }> = {
  bearer: { dolphins: { auth: { type: "bearer", token: SECRET } }, secrets: [SECRET] },
  basic: { dolphins: { auth: { type: "basic", username: "relay", password: SECRET } }, secrets: [SECRET, basic] },
  header: { dolphins: { auth: { type: "header", name: "x-bank", value: SECRET } }, secrets: [SECRET] },
  login: {
    dolphins: { auth: { type: "login", username: "relay", password: PASSWORD } },
    secrets: [PASSWORD, "gt9xk2vq8wz4jm6pb3"],
  },
  "a key in the path": {
    dolphins: { outgoingPath: `/outgoing?apikey=${encodeURIComponent(SECRET)}` },
    secrets: [SECRET],
  },
};
const DESKS: Record<string, { desk: (farEnd: FarEnd) => Record<string, unknown>; secrets: string[] }> = {
  chatwoot: {
    desk: ({ url }) => ({
      type: "chatwoot",
      baseUrl: url,
      accountId: 1,
      inboxId: 2,
      apiAccessToken: SECRET,
      webhookSecret: "secret-of-the-inbox-0123",
    }),
    secrets: [SECRET],
  },
  zendesk: {
    desk: ({ url }) => ({
      type: "zendesk",
      baseUrl: url,
      appId: "app",
      keyId: "app_1",
      keySecret: PASSWORD,
      webhookSecret: "secret-of-the-app-012345",
    }),
    secrets: [PASSWORD, Buffer.from(`app_1:${PASSWORD}`).toString("base64")],
  },
  native: {
    desk: ({ url }) => ({ type: "native", url: `${url}/hook?sig=${encodeURIComponent(SECRET)}` }),
    secrets: [SECRET],
  },
};

const tenants = new Map<string, Promise<Tenant>>();
const kept = (name: string, make: () => Promise<Tenant>): Promise<Tenant> => {
  const tenant = tenants.get(name) ?? make();
  tenants.set(name, tenant);
  return tenant;
};

/** Whatever anybody is shown of a ticket. */
async function shownOf({ owner, token }: Tenant, number: string): Promise<string[]> {
  const answers = await Promise.all([
    world.admin("GET", `/admin/tickets/${owner}/${number}`),
    world.admin("GET", `/admin/tenants/${owner}/dead-letters`),
    world.call(`/v1/tickets/${number}?owner=${owner}`, { headers: bearer(token) }),
  ]);
  return answers.map(({ text }) => text);
}

/** What the far end says goes without saying: it is not the relay's to keep secret. */
function expectNone(texts: string[], secrets: string[], lines = world.relay().logs): void {
  for (const secret of secrets) {
    for (const text of [...texts, ...lines]) expect(partsIn(text, secret), text).toEqual([]);
  }
}

const rows = (names: string[]) =>
  names.flatMap((name) => Object.keys(ECHOES).map((echo): [string, string] => [name, echo]));

test.each(rows(Object.keys(AUTHS)))(
  "an engine under %s that repeats a request %s gives nothing away",
  async (name, echo) => {
    const { dolphins, secrets } = AUTHS[name] ?? { dolphins: {}, secrets: [] };
    const tenant = await kept(name, () => world.tenant({ dolphins }));
    tenant.engine.answerWith((request) =>
      request.path.endsWith("/graph/auth")
        ? { status: 200, body: JSON.stringify({ token: "gt9xk2vq8wz4jm6pb3" }) }
        : { status: 400, body: ECHOES[echo]?.(request) ?? "" },
    );
    const number = await openTicket(tenant);
    const before = world.relay().logs.length;
    const reply = await tenant.reply(number, {}, { prefer: "wait=10" });
    expect(reply).toBeRefused(502, "delivery_failed");
    const shown = [reply.text, ...(await shownOf(tenant, number))];
    expect(shown.join()).toContain("***");
    expectNone(shown, secrets, world.relay().logs.slice(before));
  },
);

test.each(rows(Object.keys(DESKS)))(
  "a desk of type %s that repeats a request %s gives nothing away",
  async (name, echo) => {
    const { desk, secrets } = DESKS[name] ?? { desk: () => ({}), secrets: [] };
    const tenant = await kept(name, async () => {
      const made = await world.tenant();
      expect((await world.putTenant(made, { record: { desk: desk(made.desk) } })).status).toBe(200);
      return made;
    });
    tenant.desk.answerWith((request) => ({ status: 400, body: ECHOES[echo]?.(request) ?? "" }));
    const number = newTicketNumber();
    const before = world.relay().logs.length;
    expect(await tenant.incoming(number)).toBeAccepted();
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.dead === 1, "the dead letter");
    const tested = await world.admin("POST", `/admin/tenants/${tenant.owner}/test/desk`);
    const shown = [tested.text, ...(await shownOf(tenant, number))];
    expect(shown.join()).toContain("***");
    expectNone(shown, secrets, world.relay().logs.slice(before));
  },
);

test.each(Object.keys(ECHOES))("an engine that refuses a login and repeats it %s gives nothing away", async (echo) => {
  const { dolphins, secrets } = AUTHS["login"] ?? { dolphins: {}, secrets: [] };
  const tenant = await kept("refused login", () => world.tenant({ dolphins }));
  tenant.engine.answerWith((request) => ({ status: 401, body: ECHOES[echo]?.(request) ?? "" }));
  const tested = await world.admin("POST", `/admin/tenants/${tenant.owner}/test/engine`);
  expect(tested.status).toBe(200);
  expectNone([tested.text], secrets);
});

test("a contact and a history come without the credential that they were asked for with", async () => {
  const tenant = await world.tenant({ dolphins: AUTHS["basic"]?.dolphins ?? {} });
  tenant.engine.answerWith((request) => ({
    status: 200,
    body: JSON.stringify({
      status: "success",
      data: [{ id: "c1", message: "Halo", answer: false, note: request.headers["authorization"], secret: SECRET }],
    }),
  }));
  const number = newTicketNumber();
  expect(await tenant.incoming(number, { contactId: "c1" })).toBeAccepted();
  const path = (of: string) => world.call(of, { headers: bearer(tenant.token) });
  const contact = await path(`/v1/contacts/c1?ticketNumber=${number}&owner=${tenant.owner}`);
  const history = await path(`/v1/tickets/${number}/history?owner=${tenant.owner}`);
  expect([contact.status, history.status]).toEqual([200, 200]);
  expect([contact.text, history.text].join()).toContain("***");
  expectNone([contact.text, history.text], [SECRET, basic]);
});
