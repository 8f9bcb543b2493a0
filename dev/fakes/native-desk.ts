import { Webhook } from "standardwebhooks";
import { type Answer, type Pretend, type Received, startPretend } from "./far-end.ts";

/** A pretend desk that checks every signature with the reference library, as a real one would. */
export type Desk = Pretend & {
  trust: (signingSecret: string) => void;
  /** What was received and carried a good signature. */
  verified: Set<Received>;
  /** Fails the next delivery with this status, as a desk does that is being restarted. */
  failNextWith: (status: number) => void;
  /** Calls `see` with whatever arrives from now on. */
  watch: (see: (request: Received) => void) => void;
};

export async function startDesk(): Promise<Desk> {
  const pretend = await startPretend();
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
  pretend.answerWith((request) => {
    const answer = judge(request);
    onArrival?.(request);
    return answer;
  });

  return {
    ...pretend,
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
