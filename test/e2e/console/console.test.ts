import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Watched, openBrowser, openPage, signIn } from "../../../dev/harness/browser.ts";
import { startFakeZendesk } from "../../../dev/fakes/zendesk.ts";
import { textOf, ticketOf } from "../support/events.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
let browser: Browser;
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
});

/** A page of the console; whatever it complains of fails the test. */
async function open(options?: Parameters<typeof openPage>[2]): Promise<Page> {
  const opened = await openPage(browser, world.relay().url, options);
  watched.push(opened);
  return opened.page;
}

async function openSignedIn(hash = "", options?: Parameters<typeof openPage>[2]): Promise<Page> {
  const page = await open(options);
  await signIn(page, world.settings.ADMIN_TOKEN, hash);
  return page;
}

const tenantHash = (tenant: Tenant, rest = "tickets") => `#/tenants/${tenant.owner}/${rest}`;

test("an operator finds a blocked ticket, reads why, fixes the desk's URL, replays the dead letters and sees them delivered", async () => {
  const tenant = await world.tenant({ record: { name: "Bank ABC" } });
  const [blocked, refused] = [newTicketNumber(), newTicketNumber()];
  tenant.desk.answerWith(({ path, body }) => {
    if (path === "/hooks/new") return { status: 200 };
    return ticketOf(body) === refused ? { status: 410, body: "moved away" } : { status: 503, body: "maintenance" };
  });
  await tenant.incoming(blocked, { customerName: "Siti Nurhaliza", message: "Halo?" });
  for (const message of ["satu", "dua"]) await tenant.incoming(refused, { customerName: "Farhan Akbar", message });
  await tenant.untilTicket(refused, ({ lanes }) => lanes.toDesk.dead === 2, "two dead letters");

  await poll(
    () => world.admin("GET", `/admin/tenants/${tenant.owner}/overview`),
    ({ text }) => text.includes('"waiting":{"tickets":1,'),
    "the report that a ticket waits",
  );

  const page = await openSignedIn();
  await page.getByRole("searchbox").fill(tenant.owner);
  const row = page.getByRole("row", { name: /Bank ABC/ });
  await row.getByRole("link", { name: "1", exact: true }).click();

  await page.getByRole("link", { name: "Siti Nurhaliza" }).click();
  const toDesk = page.getByRole("region", { name: "Customer → desk" });
  await toDesk.getByText(/Waiting since .* for message 1: the desk answered 503 “maintenance”;/).waitFor();
  await toDesk.getByText(/the next attempt is (at .* \(in \d+ s\)|due now)/).waitFor();
  await toDesk.getByText("What to do:").waitFor();
  await page.getByText("Times in Asia/Jakarta").waitFor();

  await page.getByRole("link", { name: "Bank ABC" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Desk URL").fill(`${tenant.desk.url}/hooks/new`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. New attempts use it from now on.").waitFor();
  await page.getByRole("button", { name: "Send a test event to this desk" }).click();
  await page.getByText("It works. HTTP 200").waitFor();

  await page.getByRole("link", { name: /^Dead letters/ }).click();
  await page.getByText("HTTP 410: moved away").first().waitFor();
  await page.getByRole("button", { name: "Preview: Message 1" }).click();
  await page.getByRole("checkbox", { name: /Select all 2/ }).check();
  await page.getByRole("button", { name: "Replay 2 selected" }).click();
  const dialog = page.getByRole("dialog", { name: "Replay dead letters" });
  await dialog.getByText("the order is kept").waitFor();
  expect(
    tenant.desk.received.filter(({ path }) => path === "/hooks/new").map(({ body }) => ticketOf(body)),
  ).not.toContain(refused);
  await dialog.getByRole("button", { name: "Replay 2 messages" }).click();
  await page.getByText("2 of 2 delivered.").waitFor();
  await page.getByText("No dead letters.").waitFor();

  await page.goto(`/console${tenantHash(tenant, `tickets/${blocked}`)}`);
  await page.getByText("Nothing waits: everything is delivered.").first().waitFor({ timeout: 30_000 });
  const arrived = tenant.desk.received.filter(({ path, body }) => path === "/hooks/new" && ticketOf(body) === refused);
  expect(arrived.map(({ body }) => textOf(body))).toEqual(["satu", "dua"]);
});

test("an operator is warned of dead letters that would arrive after later messages", async () => {
  const tenant = await world.tenant();
  const ticketNumber = newTicketNumber();
  tenant.desk.answerWith(({ body }) => ({ status: textOf(body) === "satu" ? 422 : 200 }));
  await tenant.incoming(ticketNumber, { message: "satu" });
  await tenant.incoming(ticketNumber, { message: "dua" });
  await tenant.untilTicket(ticketNumber, ({ lanes }) => lanes.toDesk.delivered === 1, "one delivered, one dead");

  const page = await openSignedIn(tenantHash(tenant, `tickets/${ticketNumber}`));
  await page.getByRole("button", { name: "Replay 1 dead letter" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("1 message would arrive after later ones").waitFor();
  await dialog.getByText("Message 1, Customer → desk").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Replay 1 dead letter" }).and(page.locator(":focus")).waitFor();
  expect(tenant.desk.received).toHaveLength(2);
});

test("an operator sees live what happens, and the ticket's page follows it", async () => {
  const tenant = await world.tenant();
  const ticketNumber = newTicketNumber();
  const page = await openSignedIn(tenantHash(tenant, "live"));
  await page.getByText("Live", { exact: true }).first().waitFor();
  tenant.desk.answerWith(() => ({ status: 422, body: "no such customer" }));
  await tenant.incoming(ticketNumber, { customerName: "Dewi Lestari" });
  await page.getByRole("link", { name: "Dewi Lestari" }).click();
  await page.getByText(/1 message is among the dead letters; .* “no such customer”/).waitFor();
  await tenant.incoming(ticketNumber);
  await page.getByText(/2 messages are among the dead letters/).waitFor();
  expect(tenant.desk.received).toHaveLength(2);
});

test("an operator goes on seeing what happens when the relay ends the socket, and when the connection breaks", async () => {
  const tenant = await world.tenant();
  const page = await open();
  let sockets = 0;
  await page.routeWebSocket(/\/events$/, async (socket) => {
    sockets += 1;
    if (sockets === 1) await socket.close({ code: 1000, reason: "reconnect" });
    else if (sockets === 2) await socket.close({ code: 1001 });
    else socket.connectToServer();
  });
  await signIn(page, world.settings.ADMIN_TOKEN, tenantHash(tenant, "live"));
  await page.getByText("Live", { exact: true }).first().waitFor();
  await expect.poll(() => sockets, { timeout: 10_000 }).toBe(3);
  tenant.desk.answerWith(() => ({ status: 422 }));
  await tenant.incoming(newTicketNumber(), { customerName: "Agus Wijaya" });
  await page.getByRole("link", { name: "Agus Wijaya" }).waitFor();
});

test("what a customer wrote is shown as text, whatever is in it", async () => {
  const tenant = await world.tenant();
  const ticketNumber = newTicketNumber();
  const hostile = `<script>document.title="owned"</script><img src=x onerror="document.title='owned'">`;
  tenant.desk.answerWith(() => ({ status: 422, body: hostile }));
  await tenant.incoming(ticketNumber, { customerName: hostile, message: hostile, contactId: hostile });
  await tenant.untilTicket(ticketNumber, ({ lanes }) => lanes.toDesk.dead === 1, "a dead letter");
  const page = await openSignedIn(tenantHash(tenant));
  await page.getByRole("link", { name: hostile }).click();
  await page.getByRole("heading", { name: hostile }).waitFor();
  await page.getByText("Whole event").click();
  await page.goto(`/console${tenantHash(tenant, "dead-letters")}`);
  await page.getByRole("link", { name: hostile }).waitFor();
  expect(await page.locator("main script, main img").count()).toBe(0);
  expect(await page.title()).not.toBe("owned");
});

test("what a customer wrote may have 64 KiB, and the page stays readable and quick", async () => {
  const tenant = await world.tenant();
  const ticketNumber = newTicketNumber();
  const filling = `${"x".repeat(56 * 1024)} the end`;
  await tenant.incoming(ticketNumber, { message: "y".repeat(8192), note: filling });
  const page = await openSignedIn(tenantHash(tenant, `tickets/${ticketNumber}`));
  await page.getByRole("button", { name: "Show all 8,192 characters" }).click();
  await page.getByText("Whole event").click();
  await page.getByText(/the end/).waitFor();
  expect(await sidewaysPx(page)).toBe(0);
});

test("the list of tickets takes 10,000 of them a page at a time, and finds one by a search", async () => {
  const tenant = await world.tenant();
  const asked: string[] = [];
  const page = await open();
  // The relay's own index holds so many in its own test; here it is what the page does with them.
  await page.route(/\/admin\/tenants\/[^/]+\/tickets(\?|$)/, async (route) => {
    const parameters = new URL(route.request().url()).searchParams;
    asked.push(parameters.toString());
    const found = manyTickets.filter(({ customerName }) => customerName.includes(parameters.get("q") ?? ""));
    const from = Number(parameters.get("before") ?? 0);
    const next = from + 50 < found.length ? { next: String(from + 50) } : {};
    await route.fulfill({ json: { status: "success", tickets: found.slice(from, from + 50), ...next } });
  });
  await signIn(page, world.settings.ADMIN_TOKEN, tenantHash(tenant));
  await page.getByText("50 tickets shown, there are more").waitFor();
  for (let pages = 2; pages <= 10; pages += 1) {
    await page.getByRole("button", { name: "Load more" }).click();
    await page.getByText(`${pages * 50} tickets shown, there are more`).waitFor();
  }
  await page.getByRole("searchbox").fill("Customer 9999");
  await page.getByText("1 ticket shown").waitFor();
  await page.getByRole("link", { name: "Customer 9999" }).waitFor();
  expect(asked.length, "one request a page, and one for the search").toBeLessThanOrEqual(12);
});

test("the console serves the same page with and without a slash, and forgets a session that was signed out", async () => {
  const page = await open();
  await page.goto("/console/");
  await page.getByLabel("Operator's token").fill("not the token");
  await page.keyboard.press("Enter");
  await page.getByText("That is no operator's token of this relay.").waitFor();
  await signIn(page, world.settings.ADMIN_TOKEN);
  const cookies = await page.context().cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict", path: "/" }]);
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Operator's token").waitFor();
  await page.reload();
  await page.getByLabel("Operator's token").waitFor();
});

test.each(["tickets", "dead-letters", "live", "settings"])("the console fits a screen of 360 px: %s", async (tab) => {
  const tenant = await world.tenant({ record: { name: "Bank dengan nama yang panjang sekali" } });
  await tenant.incoming(newTicketNumber());
  const page = await openSignedIn(tenantHash(tenant, tab), { viewport: { width: 360, height: 740 } });
  await page.getByRole("heading", { name: "Bank dengan nama" }).first().waitFor();
  expect(await sidewaysPx(page)).toBe(0);
});

test("the console speaks Indonesian to who prefers it, and remembers another choice", async () => {
  const page = await openSignedIn("", { locale: "id-ID" });
  await page.getByRole("heading", { name: "Tenant", exact: true }).waitFor();
  expect(await page.getAttribute("html", "lang")).toBe("id");
  await page.getByRole("button", { name: "English" }).click();
  await page.reload();
  await page.getByRole("heading", { name: "Tenants" }).waitFor();
  expect(await page.getAttribute("html", "lang")).toBe("en");
});

test("the console is worked by keyboard: the content is one step away, and a new page has the focus", async () => {
  const tenant = await world.tenant();
  const ticketNumber = newTicketNumber();
  await tenant.incoming(ticketNumber, { customerName: "Budi Santoso" });
  await tenant.untilTicket(ticketNumber, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  const page = await openSignedIn(tenantHash(tenant));
  await page.getByRole("link", { name: "Budi Santoso" }).waitFor();
  await page.getByRole("link", { name: "Skip to the content" }).focus();
  await page.keyboard.press("Enter");
  expect(await page.locator("main:focus").count()).toBe(1);
  await page.getByRole("link", { name: "Budi Santoso" }).press("Enter");
  await page.getByRole("heading", { name: "Budi Santoso" }).and(page.locator(":focus")).waitFor();
});

test("the console shows what is wrong with a record beside the field, and keeps the secrets it does not show", async () => {
  const auth = { type: "login", username: "bank", password: "rahasia" };
  const tenant = await world.tenant({ dolphins: { auth } });
  const page = await openSignedIn(tenantHash(tenant, "settings"));
  await page.getByLabel("Desk URL").fill("nowhere");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("is not a URL").waitFor();
  expect(await page.getByLabel("Desk URL").getAttribute("aria-invalid")).toBe("true");
  await page.getByLabel("Desk URL").fill(`${tenant.desk.url}/hooks/other`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. New attempts").waitFor();
  tenant.engine.answerWith(({ body }) => ({ status: body.includes("rahasia") ? 403 : 400, body: "no such user" }));
  await page.getByRole("button", { name: "Log in to this 3Dolphins" }).click();
  await page.getByText("HTTP 403").first().waitFor();
  await page.getByRole("button", { name: "Show credentials" }).click();
  await page.getByRole("dialog").getByText(tenant.token).waitFor();
  await page.keyboard.press("Escape");
  expect(await page.getByText(tenant.token).count()).toBe(0);
});

test.each([
  {
    locale: "en",
    button: "Check this desk",
    says: "It answers, but something is not set up.",
    shown: [/^✓ in order: App /, /^✓ in order: Key /, /^✓ in order: Multi/, /^✕ not in order: Webhook No integration/],
    whole: "It works.",
  },
  {
    locale: "id",
    button: "Periksa desk ini",
    says: "Desk menjawab, tetapi ada yang belum diatur.",
    shown: [
      /^✓ sudah benar: Aplikasi /,
      /^✓ sudah benar: Kunci /,
      /^✓ sudah benar: Multi/,
      /^✕ belum benar: Webhook No/,
    ],
    whole: "Berhasil.",
  },
])(
  "the console shows what a connection test found at the desk, and what is missing, in $locale",
  async ({ locale, button, says, shown, whole }) => {
    const zendesk = await startFakeZendesk();
    const tenant = await world.tenant({ record: { desk: zendesk.record } });
    const page = await openSignedIn(tenantHash(tenant, "settings"), { locale });
    await page.getByRole("button", { name: button }).click();
    await page.getByText(says).waitFor();
    const items = await page.locator(".checks > li").allTextContents();
    expect(items).toEqual(shown.map((pattern) => expect.stringMatching(pattern) as string));
    const target = `${world.relay().url}/v1/desks/zendesk/${tenant.owner}`;
    const triggers = ["conversation:message", "switchboard:releaseControl", "switchboard:passControl"];
    zendesk.webhooks.push({ id: "w-1", version: "v2", target, triggers });
    await page.getByRole("button", { name: button }).click();
    await page.getByText(whole).waitFor();
    expect(await page.locator(".check-failed").count()).toBe(0);
    await zendesk.close();
  },
);

const lane = { accepted: 1, delivered: 1, waiting: 0, dead: 0 };
const manyTickets = Array.from({ length: 10_000 }, (_, index) => ({
  ticketNumber: `T-${index}`,
  channel: "whatsapp",
  contactId: `C-${index}`,
  customerName: `Customer ${index}`,
  state: "open",
  lanes: { toDesk: lane, toDolphins: lane },
  openedAt: "2026-11-24T02:13:00.000Z",
  toldAt: "2026-11-24T02:13:00.000Z",
}));

/** How far the page would have to be moved sideways. */
const sidewaysPx = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
