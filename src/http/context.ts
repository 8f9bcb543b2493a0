import type { Context } from "hono";
import { objectOf, readConfig, type Config } from "../config";
import { AppError } from "../model/errors";
import { decodeBody, type Body } from "./body";
import { parseJson } from "../lib/json";
import { errorText } from "../lib/log";
import type { Told } from "../model/audit";
import type { Operator } from "../model/operator";
import { directoryIn } from "../registrar/directory-in";
import type { Directory } from "../tenants/directory";

/** What every route shares. */
export type AppEnv = {
  Bindings: Env;
  Variables: {
    requestId: string;
    receivedAtMs: number;
    /** What an authenticated request is about, for the log line of its refusal. */
    about?: { owner: string | undefined; ticketNumber: string };
    /** Of a request under /admin: it was read before the credential was judged. */
    body: Body;
    /** Of the same: who asks. */
    operator: Operator;
    /** What its entry in the audit log says beside what was asked; undefined where there is to be none. */
    told: Told | undefined;
  };
};
export type AppContext = Context<AppEnv>;

export const configOf = (c: AppContext): Config => readConfig(c.env);

export const directoryOf = (c: AppContext): Directory => directoryIn(c.env);

/** The object of one ticket. Its name is owner and ticket number, so no mistake in a route leads into another tenant's. */
export const ticketOf = (c: AppContext, owner: string, ticketNumber: string) =>
  objectOf(c.env.TICKET, JSON.stringify([owner, ticketNumber]), configOf(c));

/** What is known of all tickets of a tenant. */
export const indexOf = (c: AppContext, owner: string) => objectOf(c.env.TENANT_INDEX, owner, configOf(c));

/** Where changes to a desk (`desk:{deskId}`) or to a tenant (`tenant:{owner}`) come one after the other. */
export const registrarOf = (c: AppContext, name: string) => objectOf(c.env.REGISTRAR, name, configOf(c));

/**
 * Asks an object, or for what is sealed. An object that is reset, by a deploy or a move, fails what is under way: it is asked
 * once more, on a stub that the question makes anew. So the question has to be one that may be asked twice.
 */
export const ask = <T>(question: (isAgain: boolean) => Promise<T>): Promise<T> =>
  askOnce(async () => {
    try {
      return await question(false);
    } catch (error) {
      if (isOfReset(error)) return question(true);
      throw error;
    }
  });

/** The same, for what must not be done twice. A failure means that nothing is known to be done: the caller may try again. */
export async function askOnce<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw error instanceof AppError ? error : AppError.unavailable(errorText(error));
  }
}

/** An object that has too much to do says so by `overloaded`, and asking again would be more of it. */
function isOfReset(error: unknown): boolean {
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
  return retryable === true && overloaded !== true;
}

/** The JSON of a body. Throws `invalid_json`, saying where. */
export const jsonOf = (body: Body): unknown => jsonOrRefuse(decodeBody(body));

/** The JSON of an event. Its numbers keep the digits they came with: one may stand where a text belongs. */
export const eventJsonOf = (text: string): unknown => jsonOrRefuse(text, { exactNumbers: true });

function jsonOrRefuse(text: string, how?: Parameters<typeof parseJson>[1]): unknown {
  const parsed = parseJson(text, how);
  if (parsed.ok) return parsed.value;
  throw new AppError("invalid_json", parsed.message);
}

/** The token of `Authorization: Bearer …`, or undefined. */
export const bearerOf = (c: AppContext): string | undefined =>
  /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
