import type { Context } from "hono";
import { readConfig, type Config } from "../config";
import { AppError } from "../model/errors";
import { decodeBody, type Body } from "./body";
import { parseJson } from "../lib/json";
import { Directory } from "../tenants/directory";

/** What every route shares. */
export type AppEnv = {
  Bindings: Env;
  Variables: {
    requestId: string;
    receivedAtMs: number;
    /** What an authenticated request is about, for the log line of its refusal. */
    about?: { owner: string | undefined; ticketNumber: string };
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

/** The JSON of a body. Throws `invalid_json`, saying where. */
export const jsonOf = (body: Body): unknown => jsonIn(decodeBody(body));

/** The JSON of an event. Its numbers keep the digits they came with: one may stand where a text belongs. */
export const eventJsonOf = (text: string): unknown => jsonIn(text, { exactNumbers: true });

function jsonIn(text: string, how?: Parameters<typeof parseJson>[1]): unknown {
  const parsed = parseJson(text, how);
  if (parsed.ok) return parsed.value;
  throw new AppError("invalid_json", parsed.message);
}

/** The token of `Authorization: Bearer …`, or undefined. */
export const bearerOf = (c: AppContext): string | undefined =>
  /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];

/** For the methods that a path does not have. */
export const methodNotAllowed = (allow: string) => (): never => {
  throw new AppError("method_not_allowed", `This path takes ${allow} only.`, { headers: { allow } });
};
