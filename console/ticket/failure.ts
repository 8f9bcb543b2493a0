import type { Attempt } from "../../src/model/answers";
import type { TimelineMessage } from "../../src/model/answers";

/** What went wrong with an attempt, and what to do about it. Pure. */

export type Failure =
  | { kind: "answered"; status: number; answer: string }
  | { kind: "saidFailure"; status: number; answer: string }
  /** What answered is Cloudflare, in the far end's place. */
  | { kind: "unreached"; status: number }
  | { kind: "timeout"; ms: number }
  | { kind: "unreachable"; detail: string }
  | { kind: "blocked"; detail: string }
  /** The login gave no token, so the message was not sent. */
  | { kind: "login"; detail: string }
  | { kind: "other"; detail: string };

/** What a person can do about it. */
export type Advice =
  | "checkAddress"
  | "checkCertificate"
  | "checkName"
  | "checkSecret"
  | "checkLogin"
  | "checkUrl"
  | "fixUrl"
  | "readAnswer"
  | "tooMany"
  | "fixFarEnd"
  | "tooSlow"
  | "checkNetwork";

/** Undefined for an attempt that delivered. */
export function failureOf(attempt: Attempt): Failure | undefined {
  const { outcome, status, noAnswer, detail, error, ms } = attempt;
  if (error === undefined) return undefined;
  if (status !== undefined && UNREACHED[status]) return { kind: "unreached", status };
  // An attempt of the relay's first version has this one text and no other field.
  if (outcome === undefined) return status === undefined ? other(error) : { kind: "answered", status, answer: error };
  if (attempt.during === "login") return { kind: "login", detail: detail ?? "" };
  if (outcome === "blocked") return { kind: "blocked", detail: detail ?? "" };
  if (noAnswer === "timeout") return { kind: "timeout", ms };
  if (noAnswer === "connection") return { kind: "unreachable", detail: detail ?? "" };
  if (status === undefined) return other(detail ?? "");
  const isSuccess = status >= 200 && status < 300;
  const kind = isSuccess && attempt.answer !== undefined ? "saidFailure" : "answered";
  // Without an answer there may be the relay's own words about the status.
  return { kind, status, answer: attempt.answer ?? detail ?? "" };
}

const other = (detail: string): Failure => ({ kind: "other", detail });

export const lastFailure = (message: TimelineMessage): Failure | undefined => {
  const attempt = message.attempts.at(-1);
  return attempt && failureOf(attempt);
};

export function adviceFor(failure: Failure): Advice {
  switch (failure.kind) {
    case "blocked":
      return "fixUrl";
    case "login":
      return "checkLogin";
    case "timeout":
      return "tooSlow";
    case "unreachable":
      return "checkNetwork";
    case "saidFailure":
    case "other":
      return "readAnswer";
    case "unreached":
      return UNREACHED[failure.status] ?? "checkAddress";
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
  if (status === 401 || status === 403) return "checkSecret";
  if (status === 404 || status === 405 || status === 410 || (status >= 300 && status < 400)) return "checkUrl";
  if (status === 429) return "tooMany";
  return status >= 500 && status !== 501 ? "fixFarEnd" : "readAnswer";
}
