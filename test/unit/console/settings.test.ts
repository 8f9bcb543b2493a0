import { expect, test } from "vitest";
import { draftOf, recordOf } from "../../../console/settings/draft";
import { NEW_RECORD } from "../../../console/settings/fields";
import { parseTenant } from "../../../src/tenants/tenant-record";

const chatwoot = {
  type: "chatwoot",
  baseUrl: "https://app.chatwoot.com",
  accountId: 12,
  inboxId: 7,
  apiAccessToken: "***",
  webhookSecret: "***",
};
const zendesk = {
  type: "zendesk",
  baseUrl: "https://example.zendesk.com/sc",
  appId: "app",
  keyId: "key",
  keySecret: "***",
  webhookSecret: "***",
  users: "contact",
  brandId: "9477922990333",
};
const genesys = {
  type: "genesys",
  region: "apse1.pure.cloud",
  integrationId: "integration",
  clientId: "client",
  clientSecret: "***",
  webhookSecret: "***",
};
const native = { type: "native", url: "https://desk.example/hooks", notifyFailures: true };
const auths = [
  { type: "none" },
  { type: "bearer", token: "***" },
  { type: "basic", username: "u", password: "***" },
  { type: "header", name: "x-key", value: "***" },
  { type: "login", username: "u", password: "***" },
];

/** The record as the relay shows it, with every default filled in. */
function shown(desk: object, auth: object): object {
  const parsed = parseTenant("o", { ingress: "main", dolphins: { baseUrl: "https://b.example", auth }, desk }, false);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

test.each([native, chatwoot, zendesk, genesys].flatMap((desk) => auths.map((auth) => [desk, auth] as const)))(
  "the tenant form puts a record back as it is: %j, %j",
  (desk, auth) => {
    const record = shown(desk, auth);
    expect(recordOf(draftOf(record), record)).toEqual(record);
  },
);

test.each([native, chatwoot, zendesk, genesys])(
  "the tenant form makes of a new record one that the relay takes: %j",
  (desk) => {
    const draft = {
      ...draftOf(NEW_RECORD),
      "dolphins.baseUrl": " https://bank.example:9443 ",
      ...draftOf({ desk }),
    };
    const parsed = parseTenant("o", recordOf(draft, NEW_RECORD), false);
    expect(parsed).toMatchObject({ ok: true, value: { name: "o", deskId: "o", desk } });
  },
);

test("the tenant form leaves nothing of a desk of another type", () => {
  const record = shown(zendesk, { type: "none" });
  const draft = { ...draftOf(record), "desk.type": "native", "desk.url": "https://desk.example/hooks" };
  expect(recordOf(draft, record)["desk"]).toEqual({ type: "native", url: "https://desk.example/hooks" });
});

test("the tenant form leaves a required field out when it is empty, and the relay says which", () => {
  const record = shown(chatwoot, { type: "none" });
  const draft = { ...draftOf(record), "desk.accountId": "", ingress: "" };
  const put = recordOf(draft, record);
  expect(put).not.toHaveProperty("ingress");
  expect(parseTenant("o", put, false)).toMatchObject({ ok: false, error: [{ path: "desk.accountId" }] });
});
