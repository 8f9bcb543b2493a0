import { expect, test } from "vitest";
import { parseTenant } from "../../../../src/tenants/tenant-record";

const desk = {
  type: "genesys",
  region: "apse1.pure.cloud",
  integrationId: "i-1",
  clientId: "client",
  clientSecret: "secret",
  webhookSecret: "webhook-secret-of-the-integration",
};

const issuesOf = (more: object): string[] => {
  const parsed = parseTenant("o", { dolphins: { baseUrl: "https://b.example" }, desk: { ...desk, ...more } }, false);
  return parsed.ok ? [] : parsed.error.map(({ path }) => path);
};

test("a region of Genesys Cloud is a bare, public host name, in whatever case", () => {
  for (const region of ["apse1.pure.cloud", "mypurecloud.com", "MyPureCloud.de"])
    expect(issuesOf({ region })).toEqual([]);
  const wrong = [
    "https://apse1.pure.cloud",
    "apse1.pure.cloud/",
    "apse1.pure.cloud:8443",
    "x@apse1.pure.cloud",
    "apse1.pure.cloud?a=b",
    "cloud",
    "10.0.0.1",
    "bank.internal",
    "",
  ];
  for (const region of wrong) expect(issuesOf({ region }), region).toEqual(["desk.region"]);
});

test("the URLs of Genesys Cloud may be left out, and where they are given they are checked as any target is", () => {
  expect(issuesOf({ loginUrl: "https://login.example.com/", apiUrl: "https://api.example.com" })).toEqual([]);
  expect(issuesOf({ loginUrl: "http://login.example.com", apiUrl: "https://127.0.0.1" })).toEqual([
    "desk.loginUrl",
    "desk.apiUrl",
  ]);
});
