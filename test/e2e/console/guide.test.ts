import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** The guide's code, put together in the order in which it stands there, is a desk that works. */

const root = fileURLToPath(new URL("../../..", import.meta.url));
const hasPython = spawnSync("python3", ["--version"]).status === 0;

let world: World;
let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  // Within the project, where the Node program finds its package.
  await mkdir(join(root, "build"), { recursive: true });
  folder = await mkdtemp(join(root, "build", "guide-"));
  world = await startWorld();
});
afterEach(() => started.splice(0).forEach((desk) => desk.kill()));
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true });
});

async function programIn(language: string): Promise<string> {
  const guide = await readFile(join(root, "scripts/assets/docs/guide.md"), "utf8");
  const blocks = [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))];
  return blocks.map(([, code]) => code).join("\n");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((fulfil) => server.once("listening", fulfil));
  const { port } = server.address() as AddressInfo;
  await new Promise((fulfil) => server.close(fulfil));
  return port;
}

/** What the engine got from a desk made of this language's code, and how that answered a forged event. */
async function converse(language: string, command: string, file: string) {
  const path = join(folder, file);
  await writeFile(path, await programIn(language));
  const [tenant, port] = await Promise.all([world.tenant(), freePort()]);
  const url = `http://127.0.0.1:${port}/`;
  await world.putTenant(tenant, { record: { desk: { type: "native", url } } });
  const env = {
    ...process.env,
    PORT: String(port),
    RELAY: world.relay().url,
    DESK_TOKEN: tenant.token,
    SIGNING_SECRET: tenant.signingSecret,
  };
  started.push(spawn(command, [path], { env, stdio: "ignore" }));

  const number = newTicketNumber();
  await tenant.incoming(number, { message: "Halo" });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "a reply");
  await tenant.incoming(number, { message: "bye" });
  await tenant.untilTicket(number, ({ state }) => state === "closed", "a Close");
  const said = tenant.engine.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(Date.now() / 1_000)) };
  const forged = { method: "POST", body: "{}", headers: { ...headers, "webhook-signature": "v1,AAAA" } };
  return { said: said.map(({ message, event }) => message ?? event), forged: (await fetch(url, forged)).status };
}

const RIGHT = { said: ["You said: Halo", "You said: bye", "Close"], forged: 401 };

test("in Node", async () => {
  expect(await converse("js", process.execPath, "desk.mjs")).toEqual(RIGHT);
});

// npm test needs no Python; the gate's machine has one.
test.runIf(hasPython)("in Python", async () => {
  expect(await converse("python", "python3", "desk.py")).toEqual(RIGHT);
});
