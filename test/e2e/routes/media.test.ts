import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FarEnd, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { type FakeZendesk, startFakeZendesk } from "../../../dev/fakes/zendesk.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** An agent's file behind a credential, as the engine opens it: with nothing but the link that the reply brought. */

let world: World;
let zendesk: FakeZendesk;
let elsewhere: FarEnd;
let tenant: Tenant;
beforeAll(async () => {
  [world, zendesk, elsewhere] = await Promise.all([startWorld(), startFakeZendesk(), startFarEnd()]);
  tenant = await world.tenant({ record: { desk: zendesk.record } });
  zendesk.subscribe(`${world.relay().url}/v1/desks/zendesk/${tenant.owner}`);
  const number = newTicketNumber();
  await tenant.incoming(number);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
});
afterAll(async () => {
  await world.stop();
  await Promise.all([zendesk.close(), elsewhere.close()]);
});

type File = { status?: number; type?: string; body?: string; headers?: Record<string, string> };

const LONG = "a".repeat(25 * 1024 * 1024 + 1);

/** The link that the engine is sent for a file of the desk's. */
async function linkTo(name: string, file: File): Promise<string> {
  const { status = 200, type = "text/plain", body = "", headers } = file;
  const path = `/sc/attachments/${randomUUID()}/${name}`;
  zendesk.files.set(path, { status, body, headers: { "content-type": type, ...headers } });
  const [conversation] = zendesk.conversations;
  if (!conversation) throw new Error("there is no conversation");
  const content = { type: "file", mediaUrl: zendesk.url + path, mediaType: type };
  const event = zendesk.agentMessage(conversation, { content });
  const before = tenant.engine.received.length;
  expect(await zendesk.send([event])).toEqual([200]);
  // A webhook that comes again says the same, and is taken for a repeat.
  expect(await zendesk.send([event])).toEqual([200]);
  const received = await tenant.engine.until((all) => all.length > before, "the reply");
  return (JSON.parse(received.at(-1)?.body ?? "") as { mediaLink: string }).mediaLink;
}

test("a file that needs the desk's credential opens by the link that the engine is sent, whole, in part, and by HEAD", async () => {
  const link = await linkTo("Formulir%20KPR.txt", {
    body: "nama dan alamat",
    headers: { "content-length": "15" },
  });
  const file = [...zendesk.files.keys()].at(-1) ?? "";
  expect((await fetch(zendesk.url + file)).status).toBe(401);
  expect(link.startsWith(`${world.relay().url}/v1/media/`)).toBe(true);

  const whole = await fetch(link);
  expect([whole.status, await whole.text()]).toEqual([200, "nama dan alamat"]);
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    "content-type": "text/plain",
    "content-disposition": "attachment; filename*=UTF-8''Formulir%20KPR.txt",
    "cache-control": "private, no-store",
  });
  const part = await fetch(link, { headers: { range: "bytes=5-7" } });
  expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([206, "dan", "bytes 5-7/15"]);
  const head = await fetch(link, { method: "HEAD" });
  expect([head.status, await head.text(), head.headers.get("content-length")]).toEqual([200, "", "15"]);
  expect((await fetch(link, { headers: { range: "bytes=0-1,4-5" } })).status).toBe(200);
  expect((await fetch(link, { method: "POST" })).status).toBe(405);
});

test("a part that a file does not have is refused as the desk refuses it", async () => {
  const link = await linkTo("short.txt", { status: 416 });
  expect((await fetch(link, { headers: { range: "bytes=99-" } })).status).toBe(416);
});

test("a file that leads in a circle is given up after five redirects", async () => {
  const link = await linkTo("circle.txt", { status: 302, headers: { location: "circle.txt" } });
  const before = zendesk.received.length;
  expect((await fetch(link)).status).toBe(404);
  expect(zendesk.received.length - before).toBe(6);
});

test("a file is followed to where it has moved, and the credential stays at the desk", async () => {
  elsewhere.answerWith(() => ({ status: 200, body: "gambar", headers: { "content-type": "image/png" } }));
  const link = await linkTo("foto.png", { status: 302, headers: { location: `${elsewhere.url}/store/foto.png` } });
  const opened = await fetch(link);
  expect([opened.status, await opened.text(), opened.headers.get("content-type")]).toEqual([
    200,
    "gambar",
    "image/png",
  ]);
  expect(opened.headers.get("content-disposition")).toMatch(/^inline;/);
  expect(elsewhere.received.map(({ headers }) => headers["authorization"])).toEqual([undefined]);
});

test.each([
  ["is gone", { status: 410 }, 404],
  ["is longer than 25 MB", { body: LONG, headers: { "content-length": String(LONG.length) } }, 404],
  ["is behind a desk that is down", { status: 503 }, 503],
])("the link of a file that %s says so", async (_what, file: File, status) => {
  const link = await linkTo("file.txt", file);
  for (const headers of [{}, { range: "bytes=0-9" }]) expect((await fetch(link, { headers })).status).toBe(status);
});

test("a file that does not say how long it is breaks off at 25 MB", async () => {
  const opened = await fetch(await linkTo("long.txt", { body: LONG }));
  expect(opened.status).toBe(200);
  await expect(opened.arrayBuffer()).rejects.toThrow("terminated");
});

test.each([
  ["page.html", "text/html; charset=utf-8"],
  ["drawing.svg", "image/svg+xml"],
  ["worker.js", "text/javascript"],
])("%s does not run on the relay's origin", async (name, type) => {
  const opened = await fetch(await linkTo(name, { type, body: "<script>alert(1)</script>" }));
  expect(Object.fromEntries(opened.headers)).toMatchObject({
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename*=UTF-8''${name}`,
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
  });
});

test("a link that was forged leads to nothing", async () => {
  const link = await linkTo("a.txt", { body: "isi" });
  const [text, mac] = (link.split("/").at(-1) ?? "").split(".");
  const at = (reference: string) => world.call(`/v1/media/${reference}`);
  const [, url] = JSON.parse(Buffer.from(text ?? "", "base64url").toString()) as [string, string];
  const forged = Buffer.from(JSON.stringify([tenant.owner, url.replace("a.txt", "b.txt"), 9e15])).toString("base64url");
  for (const reference of [`${forged}.${mac}`, `${text}.${mac?.slice(1)}A`, `${text}`, "x"]) {
    expect((await at(reference)).status, reference).toBe(404);
  }
});
