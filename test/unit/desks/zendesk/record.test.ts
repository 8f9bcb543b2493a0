import { expect, test } from "vitest";
import { zendeskRecord } from "../../../../src/desks/zendesk/record";

const record = {
  type: "zendesk",
  baseUrl: "https://acme.zendesk.com/sc",
  appId: "app-1",
  keyId: "app_key",
  keySecret: "key-secret",
  webhookSecret: "webhook-secret-of-the-app",
};

test.each([
  [{}, true],
  [{ users: "contact" }, true],
  [{ users: "ticket" }, false],
  [{ users: null }, false],
  [{ brandId: "9477922990333" }, true],
  [{ brandId: "Acme" }, false],
  [{ closedBy: ["switchboard:releaseControl"] }, true],
  [{ colour: "red" }, false],
])("a record of Zendesk with %j is taken: %s", (fields, isTaken) => {
  expect(zendeskRecord.safeParse({ ...record, ...fields }).success).toBe(isTaken);
});
