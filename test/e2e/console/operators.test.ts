import { randomBytes } from "node:crypto";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FakeAccess, startFakeAccess } from "../../../dev/fakes/access.ts";
import { type Watched, openBrowser, openPage, signIn } from "../../../dev/harness/browser.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** What the console shows to operators of other roles, and the page of the audit log. */

type Axe = { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
type Options = Parameters<typeof openPage>[2];

const [VIEWER, OPERATOR] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
let world: World;
let access: FakeAccess;
let browser: Browser;
const watched: Watched[] = [];

beforeAll(async () => {
  access = await startFakeAccess();
  const settings = {
    OPERATORS: `siti:viewer=${VIEWER},budi:operator=${OPERATOR}`,
    ACCESS_TEAM_DOMAIN: access.url,
    ACCESS_AUD: access.audience,
    ACCESS_ROLES: "*@bank.example:operator",
  };
  [world, browser] = await Promise.all([startWorld({ assets: true, settings }), openBrowser()]);
});
afterEach(async () => {
  const complaints = watched.flatMap((each) => each.complaints);
  await Promise.all(watched.splice(0).map(({ page }) => page.context().close()));
  if (complaints.length > 0) throw new Error(`The page complained:\n${complaints.join("\n")}`);
});
afterAll(async () => {
  await browser.close();
  await world.stop();
  await access.close();
});

async function open(options?: Options): Promise<Page> {
  const opened = await openPage(browser, world.relay().url, options);
  watched.push(opened);
  return opened.page;
}

async function openAs(token: string, hash: string, options?: Options): Promise<Page> {
  const page = await open(options);
  await signIn(page, token, hash);
  return page;
}

async function violationsOn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** A tenant with one dead letter. */
async function tenantInTrouble(name: string): Promise<{ tenant: Tenant; number: string }> {
  const tenant = await world.tenant({ record: { name } });
  const number = newTicketNumber();
  tenant.desk.answerWith(() => ({ status: 422, body: "no such customer" }));
  await tenant.incoming(number, { customerName: "Dewi Lestari" });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.dead === 1, "a dead letter");
  return { tenant, number };
}

const namesOf = async (page: Page): Promise<string[]> =>
  (await page.locator("main").getByRole("button").allInnerTexts()).map((name) => name.trim());

test("a viewer reads tickets, dead letters and settings, and is shown no button that a viewer may not press", async () => {
  const { tenant, number } = await tenantInTrouble("Bank Dibaca");
  const page = await openAs(VIEWER, "");
  await page.getByRole("link", { name: "Bank Dibaca" }).waitFor();
  expect(await page.getByRole("link", { name: "New tenant" }).count()).toBe(0);
  await page.getByText("siti", { exact: true }).waitFor();

  await page.goto(`/console#/tenants/${tenant.owner}/dead-letters`);
  await page.getByRole("link", { name: "Dewi Lestari" }).waitFor();
  expect(await page.locator("main").getByRole("checkbox").count()).toBe(0);
  expect((await namesOf(page)).filter((name) => name.startsWith("Replay"))).toEqual([]);

  await page.goto(`/console#/tenants/${tenant.owner}/tickets/${number}`);
  await page.getByText(/1 message is among the dead letters/).waitFor();
  expect((await namesOf(page)).filter((name) => name.startsWith("Replay"))).toEqual([]);

  await page.goto(`/console#/tenants/${tenant.owner}/settings`);
  await page.getByLabel("Desk URL").waitFor();
  expect(await page.getByLabel("Desk URL").isDisabled()).toBe(true);
  expect(await namesOf(page)).not.toEqual(expect.arrayContaining(["Save"]));
  expect((await namesOf(page)).filter((name) => /Show credentials|Rotate|Delete|Send a test/.test(name))).toEqual([]);
  expect(await violationsOn(page)).toEqual([]);
});

test("an operator replays and tests connections, and is shown neither credentials nor a way to change the settings", async () => {
  const { tenant, number } = await tenantInTrouble("Bank Dikerjakan");
  const page = await openAs(OPERATOR, `#/tenants/${tenant.owner}/settings`);
  await page.getByRole("button", { name: "Send a test event to this desk" }).waitFor();
  expect((await namesOf(page)).filter((name) => /Save|Show credentials|Rotate|Delete/.test(name))).toEqual([]);
  tenant.desk.answerWith(() => ({ status: 200 }));
  await page.goto(`/console#/tenants/${tenant.owner}/tickets/${number}`);
  await page.getByRole("button", { name: "Replay 1 dead letter" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay 1 message" }).click();
  await page.getByText("1 message sent again.").waitFor();
});

test("what is tried all the same is refused, and the console says kindly which role it needs", async () => {
  const page = await openAs(VIEWER, "#/new-tenant");
  await page.getByLabel("Owner").fill("a-new-one");
  await page.getByLabel("Base URL").first().fill("http://127.0.0.1:9");
  await page.getByLabel("Desk URL").fill("http://127.0.0.1:9/");
  await page.getByRole("button", { name: "Create tenant" }).click();
  await page.getByText("Your role does not go so far:").waitFor();
  await page.getByText("This needs the role admin, and siti has viewer.").waitFor();
  expect(await world.admin("GET", "/admin/tenants/a-new-one")).toBeRefused(404, "unknown_owner");
});

test("who comes by Cloudflare Access is in without a second token, under the e-mail; without a role the console says so", async () => {
  const headers = async (email: string) => ({ "Cf-Access-Jwt-Assertion": await access.tokenOf(email) });
  const page = await open({ extraHTTPHeaders: await headers("dewi@bank.example") });
  await page.goto("/console");
  await page.getByText("dewi@bank.example").waitFor();
  await page.getByRole("heading", { name: "Tenants" }).waitFor();

  const stranger = await open({ extraHTTPHeaders: await headers("dewi@elsewhere.example") });
  await stranger.goto("/console");
  await stranger.getByText(/knows you as dewi@elsewhere\.example, but ACCESS_ROLES/).waitFor();
  await signIn(stranger, VIEWER);
  await stranger.getByText("siti", { exact: true }).waitFor();
  expect(await page.context().cookies()).toEqual([]);
});

test.each([
  {
    locale: "en",
    title: "Audit log",
    whole: /^The log is whole: /,
    read: "Read a ticket",
    changed: "Changed the tenant's settings",
    byOwner: "Only this tenant (owner)",
    byActor: "Only this operator (name)",
    more: "Load more",
  },
  {
    locale: "id",
    title: "Log audit",
    whole: /^Log ini utuh: /,
    read: "Membaca tiket",
    changed: "Mengubah pengaturan tenant",
    byOwner: "Hanya tenant ini (owner)",
    byActor: "Hanya operator ini (nama)",
    more: "Muat lagi",
  },
])("the audit log is read in the console, by tenant and by operator, page by page, in $locale", async (words) => {
  const { tenant, number } = await tenantInTrouble("Bank Dicatat");
  for (let days = 1; days <= 60; days++) await world.putTenant(tenant, { record: { retentionDays: days } });
  await world.call(`/admin/tickets/${tenant.owner}/${number}`, { headers: { authorization: `Bearer ${OPERATOR}` } });
  const page = await openAs(VIEWER, "#/audit", { locale: words.locale });
  await page.getByRole("heading", { name: words.title }).waitFor();
  await page.getByText(words.whole).waitFor();
  await page.getByLabel(words.byOwner).fill(tenant.owner);
  await page
    .getByRole("row", { name: new RegExp(words.read) })
    .first()
    .waitFor();
  await page.waitForURL(new RegExp(`owner=${tenant.owner}`));
  await expect.poll(() => page.locator("tbody tr").count()).toBe(50);
  await page.getByText("59 → 60").waitFor();
  expect(await violationsOn(page)).toEqual([]);
  await page.getByRole("button", { name: words.more }).click();
  await expect.poll(() => page.locator("tbody tr").count()).toBeGreaterThan(60);
  await page.getByLabel(words.byActor).fill("budi");
  await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  await page.getByRole("link", { name: number }).click();
  await page.getByRole("heading", { name: "Dewi Lestari" }).waitFor();
});

test("an audit log that somebody has changed is shown as such, with the first entry that does not fit", async () => {
  const page = await open();
  await page.route("**/admin/audit/verify", (route) =>
    route.fulfill({ json: { status: "success", check: { first: 1, last: 9, head: "0", firstBroken: 4 } } }),
  );
  await signIn(page, VIEWER, "#/audit");
  await page.getByText(/tampered with\. Entry 4 is the first/).waitFor();
  expect(await page.getByText(/^The log is whole/).count()).toBe(0);
});

test("the audit log fits a screen of 360 px", async () => {
  await tenantInTrouble("Bank dengan nama yang panjang sekali");
  const page = await openAs(VIEWER, "#/audit", { viewport: { width: 360, height: 740 } });
  await page.locator("tbody tr").first().waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
});
