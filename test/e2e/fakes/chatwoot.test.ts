import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { type FarEnd, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { readRecordings, type RecordedRequest } from "../../contracts/chatwoot/recordings.ts";

/** The fake Chatwoot lives through what a running one was recorded with, and has to say the same of it. */

/** The relay asks none of these, and the fake knows none of them. */
const NOT_ASKED = new Set(["search a contact", "assign", "typing", "agent's New conversation: what it offers"]);
/** The fake has nobody who types. */
const NOT_TOLD = new Set(["conversation_typing_on"]);

/** Fields of another type, and why. */
const DIFFERENT: [field: RegExp, why: string][] = [
  [/attachments\[0\]\.(width|height)$/, "how large a picture is comes to be known a moment later"],
  [/^changed_attributes\[2\]\.cached_label_list\./, "the fake has no labels"],
];

let chatwoot: FakeChatwoot;
let listener: FarEnd;
let recorded: ReturnType<typeof readRecordings>;
const answers = new Map<RecordedRequest, { status: number; contentType: string; answer: unknown }>();

beforeAll(async () => {
  const file = new URL("../../contracts/chatwoot/recordings.jsonl", import.meta.url);
  recorded = readRecordings(await readFile(file, "utf8"));
  [chatwoot, listener] = await Promise.all([startFakeChatwoot(), startFarEnd()]);
  listener.answerWith(({ body }) => ({ status: isRefused(body) ? 502 : 200 }));
  chatwoot.sendWebhooksTo(`${listener.url}/v1/desks/chatwoot/toko`);
  for (const request of recorded.requests) {
    await before(request);
    if (!NOT_ASKED.has(request.name)) answers.set(request, await ask(request));
    await chatwoot.worker.idle();
  }
}, 60_000);
afterAll(() => Promise.all([chatwoot.close(), listener.close()]));

const isRefused = (body: string) => body.includes('"event":"message_created"') && body.includes('"content":"ditolak"');

/** What was done meanwhile, and not by a request. */
async function before({ name }: RecordedRequest) {
  if (name === "open it again, for another contact") {
    chatwoot.contacts.push({ id: 129, identifier: "3dolphins/toko/c9/", name: "Orang lain" });
  }
  // It is a job, which comes to it later.
  if (name === "delete the conversation") chatwoot.worker.stop();
  if (name === "assign") {
    const as = { as: "agent", method: "POST" } as const;
    const path = "/api/v1/accounts/{accountId}/conversations";
    const custom_attributes = { owner: "toko", ticketNumber: "ticket-2", channel: "whatsapp" };
    const source_id = "WyJ0aWNrZXQtMiJd.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    chatwoot.inbox.greeting = "Kami tutup";
    await ask({ ...as, path, body: { source_id, inbox_id: 2, contact_id: 128, custom_attributes } });
    const said = { content: "halo", message_type: "incoming", source_id: "msg_9" };
    await ask({ ...as, path: `${path}/3/messages`, body: said });
    await ask({ ...as, path: `${path}/3/messages`, body: { content: "Halo juga" } });
    chatwoot.inbox.hasSurvey = true;
    await ask({ ...as, path: `${path}/3/toggle_status`, body: { status: "resolved" } });
    chatwoot.inbox.hasSurvey = false;
  }
}

/** The fake's account and inbox have numbers of their own. */
async function ask({
  as,
  method,
  path,
  body,
  multipart,
}: Pick<RecordedRequest, "as" | "method" | "path" | "body" | "multipart">) {
  const { accountId, inboxId } = chatwoot.record;
  const url =
    chatwoot.url + path.replace("{accountId}", String(accountId)).replace("/inboxes/2", `/inboxes/${String(inboxId)}`);
  const role = as === "agent bot" ? "bot" : as;
  const form = new FormData();
  for (const [name, value] of multipart ?? []) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, new File(["x".repeat(value.size)], value.filename, { type: value.type }));
  }
  const packed = new Response(form);
  const bytes = await packed.arrayBuffer();
  const inbox_id = body?.["inbox_id"] === 2 ? inboxId : chatwoot.inboxes.at(-1)?.id;
  const mine = body?.["inbox_id"] === undefined ? body : { ...body, inbox_id };
  // What it was is not in the recording.
  if (typeof mine?.["content"] === "string" && mine["content"].startsWith("150,001"))
    mine["content"] = "x".repeat(150_001);
  const sent = multipart
    ? { "content-type": packed.headers.get("content-type") ?? "" }
    : { "content-type": "application/json" };
  const response = await fetch(url, {
    method,
    headers: {
      ...(role === "nobody" ? {} : { "api-access-token": chatwoot.tokens[role] }),
      ...(method === "GET" ? {} : sent),
    },
    ...(multipart ? { body: bytes } : mine ? { body: JSON.stringify(mine) } : {}),
  });
  const text = await response.text();
  const contentType = response.headers.get("content-type") ?? "";
  return { status: response.status, contentType, answer: text === "" ? "" : (JSON.parse(text) as unknown) };
}

type Fields = Record<string, unknown>;

/** Every field with the type of what it holds. */
function shapeOf(value: unknown, at = ""): [field: string, type: string][] {
  if (Array.isArray(value)) return value.flatMap((one, index) => shapeOf(one, `${at}[${index}]`));
  if (typeof value !== "object" || value === null) return [[at, value === null ? "null" : typeof value]];
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, at === "" ? key : `${at}.${key}`));
}

function differences(what: string, mine: unknown, theirs: unknown): string[] {
  const [ours, wanted] = [new Map(shapeOf(mine)), new Map(shapeOf(theirs))];
  return [...new Set([...ours.keys(), ...wanted.keys()])]
    .filter((field) => ours.get(field) !== wanted.get(field) && !DIFFERENT.some(([where]) => where.test(field)))
    .map((field) => `${what}: ${field} is ${ours.get(field) ?? "missing"}, not ${wanted.get(field) ?? "missing"}`);
}

/** What a webhook tells of, and how often that was told before. */
function keysOf<T>(list: T[], read: (one: T) => string): Map<string, T> {
  const counts = new Map<string, number>();
  return new Map(
    list.map((one) => {
      const { event, id, changed_attributes } = JSON.parse(read(one)) as Fields;
      const changed = Array.isArray(changed_attributes) ? changed_attributes.flatMap((each) => Object.keys(each)) : [];
      const about = [event, id, ...changed.filter((column) => column !== "cached_label_list")].join(" ");
      counts.set(about, (counts.get(about) ?? 0) + 1);
      return [`${about} #${counts.get(about)}`, one];
    }),
  );
}

/** The newest message of a conversation, which is another one where the worker came to it sooner. */
const newestIn = (webhook: Fields): Fields | undefined =>
  (((webhook["conversation"] ?? webhook) as Fields)["messages"] as Fields[])[0];

function withoutNewest(webhook: Fields): Fields {
  const { messages: _messages, ...rest } = webhook;
  const { conversation } = rest;
  return conversation ? { ...rest, conversation: withoutNewest(conversation as Fields) } : rest;
}

test("every request is answered with the same status and the same fields", () => {
  const found = [...answers].flatMap(([{ name, status, contentType, answer }, ours]) => {
    const [mine, theirs] = [`${ours.status} ${ours.contentType}`, `${status} ${contentType}`];
    const other = mine === theirs ? [] : [`${name}: ${mine}, not ${theirs}`];
    return other.concat(differences(name, ours.answer, answer));
  });
  expect(found).toEqual([]);
  expect(answers.size).toBe(recorded.requests.length - NOT_ASKED.size);
  expect(chatwoot.misfits).toEqual([]);
});

test("every webhook is sent, with the same headers, the same fields and the same words", () => {
  const wanted = keysOf(
    recorded.webhooks.filter(({ event }) => !NOT_TOLD.has(event)),
    ({ raw }) => raw,
  );
  const ours = keysOf(chatwoot.webhooks, ({ body }) => body);
  const found = [...wanted].flatMap(([key, { raw, headers }]) => {
    const [sent, theirs] = [ours.get(key), JSON.parse(raw) as Fields];
    if (!sent) return [`${key}: not sent`];
    const mine = JSON.parse(sent.body) as Fields;
    const isNewest = newestIn(mine)?.["id"] === newestIn(theirs)?.["id"];
    const fields = isNewest
      ? differences(key, mine, theirs)
      : differences(key, withoutNewest(mine), withoutNewest(theirs));
    const words = ["event", "message_type", "private", "content_type", "content_attributes", "source_id", "content"]
      .map((word) => [word, JSON.stringify(mine[word]), JSON.stringify(theirs[word])])
      .flatMap(([word, is, was]) => (is === was ? [] : [`${key}: ${word} is ${is}, not ${was}`]));
    return fields.concat(differences(key, sent.headers, headers), words);
  });
  // The link of the survey has the fake's own host in it.
  expect(found).toEqual([
    expect.stringMatching(/^message_created 783 #1: content is "Please rate this conversation, http/),
  ]);
  expect(wanted.size).toBe(recorded.webhooks.length - 1);
});
