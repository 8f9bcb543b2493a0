/** `npm run screenshots`: makes the pictures of the console in docs/images, of a real relay with a night's events. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { openBrowser, openPage, signIn } from "../dev/harness/browser.ts";
import { temporaryFolder } from "../dev/harness/folder.ts";
import { buildRelay, startRelay, throwawaySettings } from "../dev/harness/relay.ts";
import { bank, blockedTicket, playNight } from "../dev/demo/sample-night.ts";

const images = fileURLToPath(new URL("../docs/images", import.meta.url));
const wide = { viewport: { width: 1280, height: 860 } };
const phone = {
  viewport: { width: 360, height: 740 },
  deviceScaleFactor: 2,
  colorScheme: "dark",
  locale: "id-ID",
} as const;

await using cleanup = new AsyncDisposableStack();
const bundle = await temporaryFolder(cleanup, "screenshots");
const settings = throwawaySettings();
await buildRelay(bundle);
const relay = await startRelay({ bundle, settings, assets: true });
cleanup.defer(relay.stop);
await playNight(relay, settings, cleanup);
const browser = await openBrowser();
cleanup.defer(() => browser.close());
await mkdir(images, { recursive: true });

const tenant = `/console#/tenants/${bank.owner}`;
const ticket = `${tenant}/tickets/${blockedTicket}`;

const { page } = await openPage(browser, relay.url, wide);
await signIn(page, settings.ADMIN_TOKEN);
// What waits is reported when it has waited for five seconds.
await page.getByText("1 of 4 needs a look").waitFor();
await page.getByText("oldest").waitFor();
await page.setViewportSize({ width: 1280, height: 460 });
await shoot(page, "console-tenants");
await page.setViewportSize(wide.viewport);
await page.goto(ticket);
await page.getByText(/Waiting since .* “maintenance”/).waitFor();
await page.getByRole("button", { name: "Go to the message" }).waitFor();
await shoot(page, "console-ticket");
await page.goto(`${tenant}/dead-letters`);
await page.getByRole("checkbox", { name: /Select all/ }).check();
await page.getByRole("button", { name: "Preview: Message 1" }).click();
await shoot(page, "console-dead-letters");
await page.goto(`${tenant}/settings`);
await page.getByLabel("Desk URL").waitFor();
await shoot(page, "console-settings");

const small = await openPage(browser, relay.url, phone);
await signIn(small.page, settings.ADMIN_TOKEN);
await small.page.goto(ticket);
await small.page.getByRole("button", { name: "Ke pesan itu" }).waitFor();
await shoot(small.page, "console-phone");

async function shoot(of: Page, name: string): Promise<void> {
  await of
    .getByText(/^(Live|Langsung)$/)
    .first()
    .or(of.getByRole("heading", { name: "Tenants" }))
    .first()
    .waitFor();
  await of.mouse.move(0, 0);
  await of.screenshot({ path: join(images, `${name}.png`) });
  console.log(`docs/images/${name}.png`);
}
