import type { Refusal } from "../../src/model/answers";
import type { Issue } from "./types";

/** The only place that sends requests; all of them go to the relay's own origin, with its cookie. */

const TIMEOUT_MS = 30_000;
/** These ask whether somebody is signed in: that nobody is, is an answer. */
const ASKING = new Set(["/console/session", "/admin/me"]);

export class ApiError extends Error {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly issues: Issue[];

  constructor(status: number, code: string, message: string, issues: Issue[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.issues = issues;
  }
}

let whenSignedOut = () => {};

/** What to do when the relay no longer knows the session. */
export function onSignedOut(act: () => void): void {
  whenSignedOut = act;
}

/** The relay was found not to know the session. */
export const signedOut = () => whenSignedOut();

/** Throws `ApiError`: with the relay's own words, or with code `unreachable` when it did not answer. */
export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await reach(method, path, body, signal);
  const answer = await bodyOf(response);
  if (response.ok) return answer as T;
  // What stands between may answer in place of the relay, and in any shape.
  const refusal: Partial<Refusal["error"]> = (answer as Partial<Refusal> | undefined)?.error ?? {};
  const { code = "unavailable", message = "", issues } = refusal;
  if (response.status === 401 && !ASKING.has(path)) signedOut();
  throw new ApiError(response.status, code, message, issues);
}

async function reach(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  } catch (error) {
    throw new ApiError(0, "unreachable", error instanceof Error ? error.message : String(error));
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
