import { expect, test } from "vitest";
import { utf8 } from "../../../src/crypto/bytes";
import { verifyWebhook } from "../../../src/desks/chatwoot/webhook";
import text from "../../contracts/chatwoot/recordings.jsonl?raw";
import { readRecordings, secretIn, type RecordedWebhook } from "../../contracts/chatwoot/recordings";

const { requests, webhooks } = readRecordings(text);
const url = new URL("https://relay.example/v1/desks/chatwoot/toko");
const sentMs = ({ headers }: RecordedWebhook) => Number(headers["x-chatwoot-timestamp"]) * 1000;

const isTaken = ({ headers, raw }: RecordedWebhook, secret: string, nowMs: number) =>
  verifyWebhook({ headers: new Headers(headers), body: utf8(raw), url }, secret, nowMs);

test("each webhook that a running Chatwoot signed is taken when it comes, and neither later nor changed", async () => {
  const secret = secretIn(requests);
  expect(webhooks).toHaveLength(50);
  for (const webhook of webhooks) {
    const changed = { ...webhook, raw: webhook.raw.replace(/"event":"/, '"event":"x') };
    const within = [isTaken(webhook, secret, sentMs(webhook)), isTaken(webhook, secret, sentMs(webhook) + 299_000)];
    expect(await Promise.all(within), webhook.name).toEqual([true, true]);
    const without = [
      isTaken(webhook, secret, sentMs(webhook) + 301_000),
      isTaken(changed, secret, sentMs(webhook)),
      isTaken(webhook, `${secret}x`, sentMs(webhook)),
    ];
    expect(await Promise.all(without), webhook.name).toEqual([false, false, false]);
  }
});
