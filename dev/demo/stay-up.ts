import { incomingEvent, outgoingEvent, text } from "./events.ts";
import type { Received } from "../fakes/far-end.ts";
import { action, fields, prose, title } from "../harness/print.ts";
import type { Scenario } from "./scenario.ts";
import { whatIn } from "./timeline.ts";

/** Says how to go on by hand, and from now on prints what reaches the two ends. */
export function stayUp(scenario: Scenario): void {
  title("The relay stays up. Ctrl-C stops everything.");
  fields([
    ["Console", `${scenario.relay.url}/console`],
    ["  sign in with", scenario.adminToken],
    ["API reference", `${scenario.relay.url}/docs`],
    ["The desk's token", scenario.deskToken],
    ["The engine's base URL", scenario.engineBaseUrl],
  ]);
  const incoming = incomingEvent(scenario.owner, text("Halo dari curl"));
  const reply = outgoingEvent(scenario.owner, text("Balasan dari curl"));
  prose("", "  Write as the customer, and see it arrive at the desk below:", "");
  prose(curl(`${scenario.engineBaseUrl}/incoming`, incoming), "");
  prose("  Answer as the agent, and see it arrive at 3Dolphins:", "");
  prose(curl(`${scenario.relay.url}/v1/outgoing`, reply, scenario.deskToken), "");
  prose("  Then look at the ticket in the console. Your own desk: npm start -- --desk http://127.0.0.1:3000/", "");
  scenario.desk.watch((request) => {
    const signature = scenario.desk.verified.has(request) ? "signature verified" : "signature NOT verified";
    action("desk", `received ${describe(request)} at attempt ${request.headers["relay-attempt"]}, ${signature}`);
  });
  scenario.engine.answerWith((request) => {
    action("3Dolphins", `received ${describe(request)} at attempt ${request.headers["relay-attempt"]}`);
    return { status: 200, body: JSON.stringify({ status: "success" }) };
  });
}

function curl(url: string, body: Record<string, unknown>, token?: string): string {
  const authorization = token === undefined ? "" : ` -H 'authorization: Bearer ${token}'`;
  return `curl -H 'content-type: application/json'${authorization} ${url} -d '${JSON.stringify(body)}'`;
}

function describe(request: Received): string {
  try {
    return whatIn(JSON.parse(request.body));
  } catch {
    return `${request.method} ${request.path}`;
  }
}
