import type { Delivery } from "../model/delivery";
import { send, type Bounds } from "./http";
import type { Sent } from "./outcome";

/** POSTs an event, as it is stored, to a far end that speaks the relay's protocol: the engine, or a native desk. */
export const sendEvent = (
  url: string,
  { text, sequence, attempt }: Delivery,
  headers: Record<string, string>,
  { timeoutMs, allowInsecureTargets, reaches, secrets }: Bounds,
): Promise<Sent> =>
  send({
    url,
    headers: {
      "content-type": "application/json",
      ...headers,
      "relay-sequence": String(sequence),
      "relay-attempt": String(attempt),
    },
    body: text,
    timeoutMs,
    allowInsecureTargets,
    reaches,
    secrets,
  });
