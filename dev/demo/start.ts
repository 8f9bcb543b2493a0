/** `npm start`: the relay on this machine, between fake ends or your own. What it can do stands in options.ts. */
import { playConversation } from "./conversation.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { explainOwnEnds, serveOwnEnds } from "./own-ends.ts";
import { cleanUpOnSignal } from "../harness/interrupt.ts";
import { prose, title } from "../harness/print.ts";
import { type Scenario, preferredPort, startBuilt, startScenario } from "./scenario.ts";
import { stayUp } from "./stay-up.ts";
import { showTimeline } from "./timeline.ts";

const options = readOrExit();
const cleanup = new AsyncDisposableStack();
let isUp = false;
let scenario: Scenario | undefined;
const isInterrupted = cleanUpOnSignal(cleanup, () => {
  prose("", "Stopped; nothing is left behind.");
  process.exit(isUp ? 0 : 130);
});

try {
  if (options.do === "play") await play(options);
  else await serve(options);
} catch (error) {
  if (!isInterrupted()) {
    console.error(`\nNot as expected. ${error instanceof Error ? error.message : String(error)}\n`);
    if (scenario !== undefined)
      console.error(["The relay's last words:", ...scenario.relay.logs.slice(-10)].join("\n  "));
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
  scenario = await startScenario(cleanup);
  prose(
    `  3Dolphins  ${scenario.engine.url}   the customer's side`,
    `  relay      ${scenario.relay.url}${scenario.relay.url.endsWith(`:${preferredPort}`) ? "" : `   (port ${preferredPort} is taken)`}`,
    `  desk       ${scenario.desk.url}   the agents' side`,
    "",
    `  The operator has registered the tenant ${scenario.tenantName}, and the relay has given out a token and a signing secret for its desk.`,
  );
  await playConversation(scenario);
  await showTimeline(scenario);
  if (!once) {
    isUp = true;
    stayUp(scenario);
    return;
  }
  await cleanup.disposeAsync();
  prose("", "  All of it went as expected. Everything is stopped, and nothing is left behind.", "");
}

async function serve(ends: Extract<Options, { do: "serve" }>): Promise<void> {
  prose("  Building the relay and starting it …");
  const { relay, settings } = await startBuilt(cleanup);
  explainOwnEnds(ends, await serveOwnEnds(relay, settings, ends, cleanup));
  isUp = true;
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
