import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { incomingEvent, text } from "../../../dev/demo/events.ts";
import { type OwnEnds, serveOwnEnds } from "../../../dev/demo/own-ends.ts";
import { type FarEnd, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { startRelay, throwawaySettings } from "../../../dev/harness/relay.ts";
import { call } from "../support/http.ts";
import { textOf } from "../support/events.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const hasPython = spawnSync("python3", ["--version"]).status === 0;
const DESKS = [
  { language: "Node", command: process.execPath, file: "examples/node/desk.mjs" },
  // Where there is no Python, its desk is no test of this machine's.
  ...(hasPython ? [{ language: "Python", command: "python3", file: "examples/python/desk.py" }] : []),
];

/** A desk of examples/, started as `npm start -- --desk` says, and what it printed. */
async function startExample(command: string, file: string, own: OwnEnds, port: number, folder: string) {
  const child = spawn(command, [join(root, file)], {
    env: {
      ...process.env,
      RELAY: own.relay.url,
      DESK_TOKEN: own.deskToken,
      SIGNING_SECRET: own.signingSecret,
      PORT: String(port),
      DATABASE: join(folder, "desk.sqlite"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const until = (words: string) =>
    vi.waitFor(() => expect(printed).toContain(words), { timeout: 20_000, interval: 20 });
  await until("The desk listens at");
  return { child, until };
}

async function freePort(): Promise<number> {
  const farEnd = await startFarEnd();
  await farEnd.close();
  return Number(new URL(farEnd.url).port);
}

describe.each(DESKS)("the example desk in $language", ({ command, file }) => {
  const cleanup = new AsyncDisposableStack();
  let own: OwnEnds;
  let engine: FarEnd;
  let deskUrl: string;
  let example: { child: ChildProcess; until: (words: string) => Promise<void> };

  const customerWrites = async (message: string) => {
    const event = incomingEvent(own.owner, text(message));
    const reply = await call(`${own.engineBaseUrl}/incoming`, { method: "POST", body: event });
    expect(reply).toBeAccepted();
    return reply.headers.get("relay-message-id") ?? "";
  };
  const replies = () => engine.received.filter(({ path }) => path === "/outgoing").map(({ body }) => textOf(body));

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "dolphin-relay-example-"));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const settings = throwawaySettings();
    const relay = await startRelay({ bundle: inject("bundle"), settings });
    cleanup.defer(relay.stop);
    engine = await startFarEnd();
    cleanup.defer(engine.close);
    const port = await freePort();
    deskUrl = `http://127.0.0.1:${port}/`;
    own = await serveOwnEnds(relay, settings, { desk: deskUrl, engine: engine.url }, cleanup);
    example = await startExample(command, file, own, port, folder);
    cleanup.defer(async () => {
      const ended = once(example.child, "exit");
      example.child.kill();
      await ended;
    });
  });
  afterAll(() => cleanup.disposeAsync());

  test("answers the customer, drops a repeat, and closes the ticket when asked to", async () => {
    const id = await customerWrites("Halo");
    const greeting = "Halo Siti Rahmawati, pesan Anda kami terima.";
    await engine.until(() => replies().length === 1, "the reply");
    expect(replies()).toEqual([greeting]);

    const repeated = JSON.stringify(incomingEvent(own.owner, text("Halo")));
    const again = (secret: string) => {
      const now = new Date();
      const signature = new Webhook(secret).sign(id, now, repeated);
      const timestamp = String(Math.floor(now.getTime() / 1000));
      const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
      return fetch(deskUrl, { method: "POST", headers, body: repeated });
    };
    expect((await again("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).status).toBe(401);
    expect((await again(own.signingSecret)).status).toBe(200);
    await example.until(`dropped a repeat of ${id}`);

    await customerWrites("selesai");
    await engine.until((received) => received.some(({ path }) => path === "/command"), "the Close");
    expect(replies()).toEqual([greeting, greeting]);
    await example.until("toDolphins 3 command delivered");
  });
});
