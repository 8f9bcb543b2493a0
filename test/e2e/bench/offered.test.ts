import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { measureOffered } from "../../../dev/bench/measure.ts";
import { startSink } from "../../../dev/bench/sink.ts";
import { yardstickConfig } from "../../../dev/bench/subject.ts";
import { buildRelay, relayConfig } from "../../../dev/harness/relay.ts";

/** `npm run bench -- --rate` on a small scale: what it counts is right, and how long it takes says nothing here. */
test("of an offered load the bench counts what arrived and in which order, for the relay and the yardstick", async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "dolphin-relay-offered-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const sink = await startSink();
  cleanup.defer(sink.close);
  await buildRelay(folder, yardstickConfig);
  const built = (plain: string, config: string) => ({ plain, counted: plain, config });
  const bundles = { relay: built(inject("bundle"), relayConfig), yardstick: built(folder, yardstickConfig) };
  const bench = { bundles, sink };
  const load = { tickets: 5, messages: 60, bytes: 200, perSecond: 60 };
  const small = { medium: "memory", warmUp: 5, restMs: 0 } as const;
  const none = { refused: 0, lost: 0, outOfOrder: 0 };
  expect(await measureOffered(bench, "relay", load, { ...small, failing: 0.1 })).toMatchObject(none);
  expect(await measureOffered(bench, "yardstick", load, { ...small, failing: 0 })).toMatchObject(none);
  // What fails is lost to the yardstick, which shows that a share of the requests did fail.
  const lossy = await measureOffered(bench, "yardstick", load, { ...small, failing: 0.1, patienceMs: 2_000 });
  expect(lossy).toMatchObject({ ...none, lost: 6 });
}, 120_000);
