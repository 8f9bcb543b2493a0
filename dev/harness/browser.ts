import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, type Page, chromium } from "playwright-core";

/** Nothing of its own that would leave this machine. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser says on the console what it blocked only in some cases; this in all. */
const TELL_BREACHES = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error("CSP: " + violatedDirective + " " + blockedURI))`;

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}: install it (apt-get install chromium), or set CHROMIUM_PATH.`,
    );
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

export type Watched = {
  page: Page;
  /** Errors on the page's console or in its scripts, breaches of its Content-Security-Policy, requests to elsewhere. */
  complaints: string[];
};

/** A page that may speak with `origin` alone, in a profile of its own. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ locale: "en-US", timezoneId: "UTC", baseURL: origin, ...options });
  const complaints: string[] = [];
  await context.addInitScript({ content: TELL_BREACHES });
  const page = await context.newPage();
  page.on("console", (message) => {
    // A refusal is shown as an error by the browser, however well the page takes it.
    const isRefusal = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (message.type() === "error" && !isRefusal) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) complaints.push(`request: ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== new URL(origin).host) complaints.push(`socket: ${socket.url()}`);
  });
  return { page, complaints };
}

export async function signIn(page: Page, token: string, hash = ""): Promise<void> {
  await page.goto(`/console${hash}`);
  await page.getByLabel(/Operator's token|Token operator/).fill(token);
  await page.getByRole("button", { name: /^(Sign in|Masuk)$/ }).click();
  await page.getByRole("button", { name: /^(Sign out|Keluar)$/ }).waitFor();
}
