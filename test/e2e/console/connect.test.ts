import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { type Watched, openBrowser, openPage, signIn } from "../../../dev/harness/browser.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** How an operator connects Chatwoot in the console, and looks whether all is set up there. */

type Axe = { run: (part: string) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

let world: World;
let browser: Browser;
const desks: FakeChatwoot[] = [];
const watched: Watched[] = [];

beforeAll(async () => {
  [world, browser] = await Promise.all([startWorld({ assets: true }), openBrowser()]);
});
afterEach(async () => {
  const complaints = watched.flatMap((each) => each.complaints);
  await Promise.all(watched.splice(0).map(({ page }) => page.context().close()));
  if (complaints.length > 0) throw new Error(`The page complained:\n${complaints.join("\n")}`);
});
afterAll(async () => {
  await browser.close();
  await world.stop();
  await Promise.all(desks.map((each) => each.close()));
});

async function emptyChatwoot(): Promise<FakeChatwoot> {
  const chatwoot = await startFakeChatwoot();
  desks.push(chatwoot);
  chatwoot.inboxes.splice(0);
  return chatwoot;
}

async function openAt(hash: string, options?: Parameters<typeof openPage>[2]): Promise<Page> {
  const opened = await openPage(browser, world.relay().url, options);
  watched.push(opened);
  await signIn(opened.page, world.settings.ADMIN_TOKEN, hash);
  return opened.page;
}

const openSettings = ({ owner }: Tenant, options?: Parameters<typeof openPage>[2]) =>
  openAt(`#/tenants/${owner}/settings`, options);

async function violationsOn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run("main"));
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test("an operator connects Chatwoot with pasted tokens, reads what was done, and checks it afterwards", async () => {
  const [tenant, chatwoot] = await Promise.all([world.tenant({ record: { name: "Bank ABC" } }), emptyChatwoot()]);
  const page = await openSettings(tenant);
  await page.getByLabel("Type of desk").selectOption("chatwoot");
  await page.getByRole("button", { name: "Connect Chatwoot" }).click();
  const dialog = page.getByRole("dialog", { name: "Connect Chatwoot" });
  await dialog.getByLabel("Base URL").fill(chatwoot.url);
  await dialog.getByLabel("Account id").fill("3");
  await dialog.getByLabel("Administrator's access token").fill(chatwoot.tokens.agent);
  expect(await violationsOn(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await dialog.getByText("belongs to no administrator of account 3").first().waitFor();
  expect(await dialog.getByLabel("Administrator's access token").getAttribute("aria-invalid")).toBe("true");

  await dialog.getByLabel("Administrator's access token").fill(chatwoot.tokens.administrator);
  await dialog.getByLabel("Agent's access token").fill(chatwoot.tokens.outsider);
  await page.keyboard.press("Enter");
  await dialog.getByText("Connected.").waitFor();
  await dialog.getByText('Made "Bank ABC", number').waitFor();
  expect(await violationsOn(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Close" }).click();
  expect(await page.getByLabel("Inbox id").inputValue()).toBe(String(chatwoot.inboxes[0]?.id));
  expect(await page.content()).not.toContain(chatwoot.tokens.administrator);

  await page.getByRole("button", { name: "Check this desk" }).click();
  await page.getByText("It works.").waitFor();
  await page.getByText("Chatwoot 4.15.1.").waitFor();
  chatwoot.definitions.splice(0);
  await page.getByRole("button", { name: "Check this desk" }).click();
  await page.getByText("something is not set up").waitFor();
  expect(await violationsOn(page)).toEqual([]);
});

test("an operator keeps Chatwoot's automatic texts from the customer by a switch, which is on at first", async () => {
  const chatwoot = await emptyChatwoot();
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  const page = await openSettings(tenant);
  const templates = page.getByLabel("Send Chatwoot's automatic texts to the customer");
  expect(await templates.isChecked()).toBe(true);
  await templates.uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. New attempts").waitFor();
  const { body } = await world.admin("GET", `/admin/tenants/${tenant.owner}`);
  expect(body).toMatchObject({ tenant: { desk: { templates: false } } });
  await page.reload();
  await templates.waitFor();
  expect(await templates.isChecked()).toBe(false);
});

test("Chatwoot is connected in Indonesian, on a phone and in the dark as well", async () => {
  const chatwoot = await emptyChatwoot();
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  const look = { locale: "id-ID", colorScheme: "dark", viewport: { width: 360, height: 740 } } as const;
  const page = await openSettings(tenant, look);
  await page.getByRole("button", { name: "Hubungkan Chatwoot" }).click();
  const dialog = page.getByRole("dialog", { name: "Hubungkan Chatwoot" });
  expect(await dialog.getByLabel("URL dasar").inputValue()).toBe(chatwoot.url);
  await dialog.getByLabel("Access token administrator").fill(chatwoot.tokens.administrator);
  await dialog.getByRole("button", { name: "Hubungkan", exact: true }).click();
  await dialog.getByText("Terhubung.").waitFor();
  expect(await violationsOn(page)).toEqual([]);
  expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
});

test("a new tenant with Chatwoot needs no inbox and no secret: the relay makes them, also when the first try fails", async () => {
  const chatwoot = await emptyChatwoot();
  const owner = newTicketNumber();
  const engine = (await world.tenant()).engine.url;
  const page = await openAt("");
  await page.getByRole("link", { name: "New tenant" }).click();
  await page.getByLabel("Owner").fill(owner);
  await page.getByLabel("Type of desk").selectOption("chatwoot");
  const desk = page.getByRole("group", { name: "Desk" });
  await desk.getByLabel("Base URL").fill(chatwoot.url);
  await page.getByLabel("Account id").fill("3");
  const token = page.getByRole("textbox", { name: "API access token" });
  await token.fill(chatwoot.tokens.agent);
  await page.getByRole("group", { name: "3Dolphins" }).getByLabel("Base URL").fill(engine);
  await page.getByRole("button", { name: "Create tenant" }).click();
  await page.getByText("belongs to no administrator of account 3").first().waitFor();
  expect(await token.getAttribute("aria-invalid")).toBe("true");
  await token.fill(chatwoot.tokens.administrator);
  await page.getByRole("button", { name: "Create tenant" }).click();
  await page.getByRole("button", { name: "Check this desk" }).waitFor();
  expect(chatwoot.inboxes).toHaveLength(1);
  const { body } = await world.admin("GET", `/admin/tenants/${owner}`);
  expect(body).toMatchObject({ tenant: { desk: { type: "chatwoot", inboxId: chatwoot.inboxes[0]?.id } } });
});
