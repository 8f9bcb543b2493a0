import type { Attempt, TimelineMessage } from "../../src/model/timeline";

/** What an attempt's record says went wrong, taken apart again (src/destinations/outcome.ts, src/ticket/retry.ts). Pure. */

export type Failure =
  | { kind: "answered"; status: number; answer: string }
  | { kind: "saidFailure"; status: number; answer: string }
  | { kind: "timeout"; ms: number }
  | { kind: "unreachable"; detail: string }
  | { kind: "blocked"; detail: string }
  | { kind: "other"; detail: string };

/** What a person can do about it. */
export type Advice =
  | "checkAddress"
  | "checkCertificate"
  | "checkName"
  | "checkSecret"
  | "checkUrl"
  | "mendUrl"
  | "readAnswer"
  | "tooMany"
  | "mendFarEnd"
  | "tooSlow"
  | "checkNetwork";

const GIVEN_UP = /^given up after \d+ seconds; the last attempt: /;
const BODY_SAYS = ", but the body says failure";

/** Undefined for an attempt that delivered. */
export function failureOf(attempt: Attempt): Failure | undefined {
  if (attempt.error === undefined) return undefined;
  const error = attempt.error.replace(GIVEN_UP, "");
  const [, number] = /^HTTP (\d{3})/.exec(error) ?? [];
  const status = attempt.status ?? (number === undefined ? undefined : Number(number));
  const said = error.replace(/^HTTP \d{3}/, "");
  if (status !== undefined && said !== error) {
    const kind = said.startsWith(BODY_SAYS) ? "saidFailure" : "answered";
    return { kind, status, answer: said.replace(/^[^:]*:? ?/, "") };
  }
  const [, lateMs] = /^no complete answer within (\d+) ms/.exec(error) ?? [];
  if (lateMs !== undefined) return { kind: "timeout", ms: Number(lateMs) };
  if (error.startsWith("blocked: ")) return { kind: "blocked", detail: error.slice("blocked: ".length) };
  if (error.startsWith("no connection: "))
    return { kind: "unreachable", detail: error.slice("no connection: ".length) };
  // A desk's own words about a status, such as those about media.
  return status === undefined ? { kind: "other", detail: error } : { kind: "answered", status, answer: error };
}

export const lastFailure = (message: TimelineMessage): Failure | undefined => {
  const attempt = message.attempts.at(-1);
  return attempt && failureOf(attempt);
};

export function adviceFor(failure: Failure): Advice {
  switch (failure.kind) {
    case "blocked":
      return "mendUrl";
    case "timeout":
      return "tooSlow";
    case "unreachable":
      return "checkNetwork";
    case "saidFailure":
    case "other":
      return "readAnswer";
    case "answered":
      return adviceForStatus(failure.status);
  }
}

/** What Cloudflare answers in a far end's place, when it did not get through to it. */
const UNREACHED: Record<number, Advice> = {
  520: "checkAddress",
  521: "checkAddress",
  522: "checkAddress",
  523: "checkAddress",
  524: "tooSlow",
  525: "checkCertificate",
  526: "checkCertificate",
  530: "checkName",
};

function adviceForStatus(status: number): Advice {
  const unreached = UNREACHED[status];
  if (unreached) return unreached;
  if (status === 401 || status === 403) return "checkSecret";
  if (status === 404 || status === 405 || status === 410 || (status >= 300 && status < 400)) return "checkUrl";
  if (status === 429) return "tooMany";
  return status >= 500 && status !== 501 ? "mendFarEnd" : "readAnswer";
}
