/** `npm start`: the relay on this machine, between pretend ends or your own. What it can do stands in options.ts. */
import { playConversation } from "./conversation.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { explainOwnEnds, serveOwnEnds } from "./own-ends.ts";
import { prose, title } from "./print.ts";
import { type Stage, preferredPort, setStage, startBuilt } from "./scenario.ts";
import { showTimeline } from "../harness/timeline.ts";
import { stayUp } from "../harness/watch.ts";

const options = readOrExit();
const cleanup = new AsyncDisposableStack();
let interrupted = false;
let up = false;
let stage: Stage | undefined;

// Not `once`: npm passes Ctrl-C on to us a second time, and that one must not cut the clean-up short.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    void cleanup.disposeAsync().finally(() => {
      prose("", "Stopped; nothing is left behind.");
      process.exit(up ? 0 : 130);
    });
  });
}

try {
  if (options.do === "play") await play(options);
  else await serve(options);
} catch (error) {
  if (!interrupted) {
    console.error(`\nNot as expected. ${error instanceof Error ? error.message : String(error)}\n`);
    if (stage !== undefined) console.error(["The relay's last words:", ...stage.relay.logs.slice(-10)].join("\n  "));
    process.exitCode = 1;
    await cleanup.disposeAsync();
  }
}

async function play({ once }: Extract<Options, { do: "play" }>): Promise<void> {
  title("dolphin-relay: one conversation, from the first word to the last");
  prose(
    "  3Dolphins is the server through which a company's customers write, on WhatsApp and elsewhere. The people who",
    "  answer work in another program, the desk. The relay stands between the two: it takes every message at once,",
    "  keeps it safe, hands it on in order, signed, and tries again when the other side is down.",
    "",
    "  Below, the relay is the real thing. 3Dolphins and the desk are pretend servers on this machine, and everything",
    "  between them goes over HTTP. Each line was read from what one of the three received or answered.",
    "",
    "  Building the relay and starting all three …",
    "",
  );
  stage = await setStage(cleanup);
  prose(
    `  3Dolphins  ${stage.engine.url}   the customer's side`,
    `  relay      ${stage.relay.url}${stage.relay.url.endsWith(`:${preferredPort}`) ? "" : `   (port ${preferredPort} is taken)`}`,
    `  desk       ${stage.desk.url}   the agents' side`,
    "",
    `  The operator has registered the tenant ${stage.tenantName}, and the relay has given out a token and a signing secret for its desk.`,
  );
  await playConversation(stage);
  await showTimeline(stage);
  if (!once) {
    up = true;
    stayUp(stage);
    return;
  }
  await cleanup.disposeAsync();
  prose("", "  All of it went as expected. Everything is stopped, and nothing is left behind.", "");
}

async function serve(ends: Extract<Options, { do: "serve" }>): Promise<void> {
  prose("  Building the relay and starting it …");
  const { relay, settings } = await startBuilt(cleanup);
  explainOwnEnds(ends, await serveOwnEnds(relay, settings, ends, cleanup));
  up = true;
}

function readOrExit(): Exclude<Options, { do: "help" }> {
  try {
    const read = readOptions(process.argv.slice(2));
    if (read.do !== "help") return read;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
