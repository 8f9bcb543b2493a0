import * as z from "zod/mini";
import { id } from "../model/event";
import { AppError } from "../model/errors";
import { issuesOf } from "../lib/zod";
import type { Tenant } from "../tenants/tenant-record";
import { ask, directoryOf, jsonOf, registrarOf, type AppContext } from "./context";

/** What the operator's routes have in common. */

export function ownerIn(c: AppContext): string {
  const result = id.safeParse(c.req.param("owner"));
  if (result.success) return result.data;
  const message = result.error.issues[0]?.message ?? "is not valid";
  throw new AppError("invalid_request", `The owner in the path ${message}.`, { issues: [{ path: "owner", message }] });
}

export async function tenantIn(c: AppContext): Promise<Tenant> {
  const tenant = await directoryOf(c).tenant(ownerIn(c));
  if (tenant) return tenant;
  throw unknownOwner();
}

/** As it was put a moment ago, and not as this isolate remembers it. */
export async function newestTenantIn(c: AppContext): Promise<Tenant> {
  const owner = ownerIn(c);
  const tenant = await ask<Tenant | undefined>(() => registrarOf(c, `tenant:${owner}`).tenant(owner));
  if (tenant) return tenant;
  throw unknownOwner();
}

/** Where a tenant's desk has to send its webhooks, at the host that was called. */
export const webhookUrlOf = (c: AppContext, deskType: string, owner: string): string =>
  `${new URL(c.req.url).origin}/v1/desks/${deskType}/${encodeURIComponent(owner)}`;

/** A whole number from 1 to `most` in the query. */
export function numberIn(c: AppContext, name: string, most: number, byDefault: number): number {
  const number = z.pipe(z.transform(Number), z.int().check(z.minimum(1), z.maximum(most)));
  const result = z._default(number, byDefault).safeParse(c.req.query(name));
  if (result.success) return result.data;
  throw invalidParameter(name, `must be a number from 1 to ${most}`);
}

/** The cursor that a caller gives as `before`; undefined for the first page. */
export function cursorIn<T>(before: string | undefined, cursor: { read: (text: string) => T | undefined }) {
  if (before === undefined) return undefined;
  const read = cursor.read(before);
  if (read !== undefined) return read;
  throw invalidParameter("before", "must be the next of the answer before, or be left out");
}

/** The parameters in the query. Throws `invalid_request`, with one issue for each that is wrong. */
export const queryIn = <T>(c: AppContext, schema: z.ZodMiniType<T>): T => fitting(schema, c.req.query());

/** The same of a body. One that is empty stands for `empty`, where there is such a thing. */
export const bodyIn = <T>(c: AppContext, schema: z.ZodMiniType<T>, empty?: unknown): T =>
  fitting(schema, empty !== undefined && c.var.body.sent.byteLength === 0 ? empty : jsonOf(c.var.body));

function fitting<T>(schema: z.ZodMiniType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found = new Map(
    issuesOf(result.error, "this")
      .toReversed()
      .map(({ path, message }) => [path, message]),
  );
  const issues = [...found].map(([path, message]) => ({ path, message }));
  const message = `${issues.map((issue) => `${issue.path || "The body"} ${issue.message}`).join("; ")}.`;
  throw new AppError("invalid_request", message, { issues });
}

export const invalidParameter = (path: string, message: string) =>
  new AppError("invalid_request", `${path} ${message}.`, { issues: [{ path, message }] });

export const unknownOwner = () =>
  new AppError("unknown_owner", "There is no such tenant. GET /admin/tenants lists those there are.");
