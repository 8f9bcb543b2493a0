import { afterEach, expect, test, vi } from "vitest";
import { checkDesk, deskRecord } from "../../../../src/desks/registry";

/** What a connection test says of an account, by what the account answers. */

const webhookUrl = "https://relay.example/v1/desks/zendesk/owner-1";
const triggers = ["conversation:message", "switchboard:releaseControl", "switchboard:passControl"];
const webhook = { target: webhookUrl, version: "v2", triggers, secret: "webhook-secret-of-the-app" };

afterEach(() => {
  vi.restoreAllMocks();
});

type Account = { app?: object; appStatus?: number; integrations?: object[]; users?: "contact"; keyId?: string };

async function checksOf({ app = {}, appStatus = 200, integrations = [], users, keyId = "app_1" }: Account) {
  const methods: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const { method, url } = new Request(input, init);
    methods.push(method);
    const { pathname } = new URL(url);
    if (pathname.endsWith("/app-1")) return Promise.resolve(Response.json({ app }, { status: appStatus }));
    if (pathname.endsWith("/integrations")) return Promise.resolve(Response.json({ integrations }));
    return Promise.resolve(Response.json({ errors: [{ code: "user_not_found" }] }, { status: 404 }));
  });
  const record = deskRecord.parse({
    type: "zendesk",
    baseUrl: "https://acme.zendesk.com/sc",
    appId: "app-1",
    keyId,
    keySecret: "key-secret",
    webhookSecret: "webhook-secret-of-the-app",
    ...(users === undefined ? {} : { users }),
  });
  const login = () => Promise.reject(new Error("Zendesk takes no login"));
  const bounds = {
    timeoutMs: 5000,
    allowInsecureTargets: false,
    reaches: [],
    secrets: [],
    language: "en" as const,
    login,
  };
  const { checks = [] } = (await checkDesk(record, { webhookUrl, ...bounds })) ?? {};
  // Nothing is written.
  expect(new Set(methods)).toEqual(new Set(["GET"]));
  return Object.fromEntries(checks.map(({ name, ok, message }) => [name, [ok, message]] as const));
}

test("an account that is set up passes every check", async () => {
  const checks = await checksOf({ app: { displayName: "Acme" }, integrations: [{ webhooks: [webhook] }] });
  expect(Object.keys(checks)).toEqual(["app", "key", "multiConversations", "webhook", "triggers"]);
  expect(Object.values(checks).every(([ok]) => ok)).toBe(true);
});

test.each([
  [
    "is at another address of the relay",
    { target: "https://other.example/v1/desks/zendesk/owner-1" },
    /to https:\/\/other/,
  ],
  ["is another tenant's", { target: "https://relay.example/v1/desks/zendesk/owner-2" }, /to \S+owner-1\.$/],
  ["is of an old version", { version: "v1" }, /version v1/],
  ["is of an integration that is switched off", { status: "inactive" }, /inactive/],
])(
  "a webhook that %s fails, and the message says so",
  async (_what, { status, ...fields }: Record<string, string>, says) => {
    const integration = { ...(status === undefined ? {} : { status }), webhooks: [{ ...webhook, ...fields }] };
    const { webhook: found } = await checksOf({ integrations: [integration] });
    expect(found).toEqual([false, expect.stringMatching(says)]);
  },
);

test.each([
  [true, true, /^On/],
  [false, false, /^Off/],
  [undefined, false, /does not say/],
])(
  "where a user is a contact's, multi-conversations that are said to be %s pass: %s",
  async (multiConvoEnabled, passes, says) => {
    const settings = multiConvoEnabled === undefined ? {} : { multiConvoEnabled };
    const { multiConversations } = await checksOf({ app: { settings }, users: "contact" });
    expect(multiConversations).toEqual([passes, expect.stringMatching(says)]);
  },
);

test.each([
  ["int_1", /^int_1 is an integration's key/],
  ["app_1", /^app_1 is no key of the whole app/],
])("the key %s, which may not see the app, is said to be what it is", async (keyId, says) => {
  expect((await checksOf({ appStatus: 403, keyId }))["key"]).toEqual([true, expect.stringMatching(says)]);
});
