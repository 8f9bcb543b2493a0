import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, openPage } from "../../../dev/harness/browser.ts";
import { type World, startWorld } from "../support/world.ts";

/** The API reference as its readers have it: in light and dark, on a phone, by deep link and without script. */

type Axe = { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

let world: World;
let browser: Browser;
let pages: string[];

beforeAll(async () => {
  [world, browser] = await Promise.all([startWorld({ assets: true }), openBrowser()]);
  pages = [...new Set(linksIn((await world.call("/docs")).text))].filter((path) => /^\/docs(\/[\w-]+)?$/.test(path));
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});

const linksIn = (page: string): string[] =>
  [...page.matchAll(/<a [^>]*href="([^"]*)"/g)].map((match) => match[1] ?? "");

type Look = { colorScheme: "light" | "dark"; viewport: { width: number; height: number } };

/** What axe finds on the pages, which of them scroll sideways, and what the browser complains of. */
async function faultsOf(paths: string[], look: Look): Promise<string[]> {
  const { page, complaints } = await openPage(browser, world.relay().url, look);
  const faults: string[] = [];
  for (const path of paths) {
    await page.goto(path);
    await page.evaluate(`document.querySelectorAll("details").forEach((each) => { each.open = true; })`);
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
    faults.push(...violations.map(({ id, nodes }) => `${path}: ${id}: ${nodes[0]?.html}`));
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    if (width > look.viewport.width) faults.push(`${path} is ${width} pixels wide`);
  }
  await page.context().close();
  return [...faults, ...complaints];
}

describe("every page", () => {
  test("can be read by everybody, with all of it open", { timeout: 120_000 }, async () => {
    expect(pages.length).toBeGreaterThan(5);
    expect(await faultsOf(pages, { colorScheme: "light", viewport: { width: 1280, height: 800 } })).toEqual([]);
  });

  test("leads only to what is there", async () => {
    const seen = new Map<string, string>();
    const textOf = async (path: string): Promise<string> => {
      const text = seen.get(path) ?? (await world.call(path)).text;
      seen.set(path, text);
      return text;
    };
    const broken: string[] = [];
    for (const path of pages) {
      for (const link of linksIn(await textOf(path))) {
        if (link.startsWith("https://")) continue;
        const { pathname, hash } = new URL(link, `https://relay.example${path}`);
        const text = await textOf(pathname);
        const isThere =
          !text.startsWith('{"status":"error"') && (hash === "" || text.includes(`id="${hash.slice(1)}"`));
        if (!isThere) broken.push(`${path}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

test("what stands on the pages can be read in the dark and on a phone as well", { timeout: 120_000 }, async () => {
  const look: Look = { colorScheme: "dark", viewport: { width: 360, height: 740 } };
  // Between them these have everything that a page can have.
  expect(await faultsOf(["/docs", "/docs/desk", "/docs/refusals"], look)).toEqual([]);
});

test("every operation and every webhook has a section that a link can lead to, without a script", async () => {
  const { body } = await world.call("/openapi.json");
  const { paths, webhooks } = body as Record<"paths" | "webhooks", Record<string, object>>;
  const ids = Object.values({ ...paths, ...webhooks }).flatMap((methods) =>
    Object.values(methods).map(({ operationId }: { operationId: string }) => operationId),
  );
  const texts = await Promise.all(pages.map(async (path) => (await world.call(path)).text));
  expect(texts.join("")).not.toContain("<script");
  const missing = ids.filter((id) => !texts.some((text) => text.includes(`<section class="operation" id="${id}"`)));
  expect(missing).toEqual([]);
});
