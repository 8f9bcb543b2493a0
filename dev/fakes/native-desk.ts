import { Webhook } from "standardwebhooks";
import { type Answer, type FarEnd, type Received, startFarEnd } from "./far-end.ts";

/**
 * A fake native desk. It checks every signature with the reference library, as a real one would.
 *
 * Written from the relay's own protocol and Standard Webhooks (the package standardwebhooks). It does not do: replies and
 * Close, which a test or the demo sends in its name, and it remembers no ids, so that a repeat is received twice.
 */
export type FakeDesk = FarEnd & {
  trust: (signingSecret: string) => void;
  /** What was received and carried a good signature. */
  verified: Set<Received>;
  /** Fails the next delivery with this status, as a desk does that is being restarted. */
  failNextWith: (status: number) => void;
  /** Calls `see` with whatever arrives from now on. */
  watch: (see: (request: Received) => void) => void;
};

export async function startFakeDesk(): Promise<FakeDesk> {
  const farEnd = await startFarEnd();
  const verified = new Set<Received>();
  let webhook: Webhook | undefined;
  let nextFailure: number | undefined;
  let onArrival: ((request: Received) => void) | undefined;

  const judge = (request: Received): Answer => {
    try {
      if (webhook === undefined) throw new Error("no secret yet");
      webhook.verify(request.body, request.headers);
    } catch {
      return { status: 401, body: JSON.stringify({ status: "error", message: "bad signature" }) };
    }
    verified.add(request);
    const status = nextFailure ?? 200;
    nextFailure = undefined;
    return { status, body: JSON.stringify({ status: status === 200 ? "success" : "error" }) };
  };
  farEnd.answerWith((request) => {
    const answer = judge(request);
    onArrival?.(request);
    return answer;
  });

  return {
    ...farEnd,
    verified,
    trust: (signingSecret) => {
      webhook = new Webhook(signingSecret);
    },
    failNextWith: (status) => {
      nextFailure = status;
    },
    watch: (see) => {
      onArrival = see;
    },
  };
}
