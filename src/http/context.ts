import type { Context } from "hono";
import { readConfig, type Config } from "../config";
import { AppError } from "../model/errors";
import { decodeBody, type Body } from "./body";
import { parseJson } from "../lib/json";
import { errorText } from "../lib/log";
import { Directory } from "../tenants/directory";

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
  };
};
export type AppContext = Context<AppEnv>;

export const configOf = (c: AppContext): Config => readConfig(c.env);

export const directoryOf = (c: AppContext): Directory => new Directory(c.env.DIRECTORY);

/** The object of one ticket. Its name is owner and ticket number, so no mistake in a route leads into another tenant's. */
export const ticketOf = (c: AppContext, owner: string, ticketNumber: string) =>
  c.env.TICKET.getByName(JSON.stringify([owner, ticketNumber]));

/** What is known of all tickets of a tenant. */
export const indexOf = (c: AppContext, owner: string) => c.env.TENANT_INDEX.getByName(owner);

/** Asks an object, or for what is sealed. A failure there means that nothing is known to be stored: the sender may try again. */
export async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("unavailable", "The relay could not do this just now. Send it again.", {
      detail: errorText(error),
      headers: { "retry-after": "1" },
    });
  }
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
