import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

const TICKETS = 260;
const AFTER_RESTART_MS = 60_000;

let persist: string;
let world: World;
beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-purge-"));
  world = await startWorld({ persist });
});
afterAll(async () => {
  await world.stop();
  await rm(persist, { recursive: true, force: true });
});

/** How many of the files on disk have a text in them. */
async function filesWith(text: string): Promise<number> {
  const files = (await readdir(persist, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
  return contents.filter((content) => content.includes(text)).length;
}

test(
  "a purge that is killed in the middle goes on by itself, and leaves no name of a customer on disk",
  async () => {
    // Names are kept in clear.
    const WORD = "the-name-of-a-customer";
    const tenant = await world.tenant();
    for (let at = 0; at < TICKETS; at += 20) {
      const some = Array.from({ length: 20 }, () => tenant.incoming(newTicketNumber(), { customerName: WORD }));
      for (const reply of await Promise.all(some)) accepted(reply);
    }
    const path = `/admin/tenants/${tenant.owner}`;
    const ticketsOf = (text: string) =>
      (JSON.parse(text) as { overview: { tickets: { open: number } } }).overview.tickets;
    await poll(
      () => world.admin("GET", `${path}/overview`),
      ({ text }) => ticketsOf(text).open === TICKETS,
      "the index to know all tickets",
      AFTER_RESTART_MS,
    );
    expect(await filesWith(WORD)).toBeGreaterThan(0);
    expect((await world.admin("DELETE", `${path}?purge=true`)).status).toBe(200);
    await world.killAndRestart();
    type Purge = { purge: { state: string; tickets: { deleted: number; left: number } } };
    const done = await poll(
      async () => (await world.admin("GET", `${path}/purge`)).body as Purge,
      ({ purge }) => purge.state === "done",
      "the purge to be done",
      AFTER_RESTART_MS,
    );
    expect(done.purge.tickets.left).toBe(0);
    expect((await world.admin("GET", `/admin/tenants/${tenant.owner}`)).status).toBe(404);
    expect((await tenant.incoming(newTicketNumber())).status).toBe(404);
    // What the database gives back only when it is closed goes with the runtime.
    await world.relay().stop();
    expect(await filesWith(WORD)).toBe(0);
    await world.killAndRestart();
    expect((await world.putTenant(tenant, { deskId: "another" })).status).toBe(200);
  },
  3 * AFTER_RESTART_MS,
);
