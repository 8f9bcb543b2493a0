import * as z from "zod/mini";
import { deskRecord, secretsOf, targetsOf } from "../desks/registry";
import { engineRecord } from "../engine/engine-record";
import type { Paused } from "../model/answers";
import { id } from "../model/event";
import { forbiddenTarget } from "../egress/ssrf-guard";
import type { Issue } from "../model/errors";
import type { Result } from "../model/result";
import { issuesOf, missingObject } from "../lib/zod";

/** The tenant record as the operator puts it: docs/tenants.md. */

const LONGEST_TIMEOUT_MS = 60_000;
const LONGEST_AGE_SECONDS = 30 * 86_400;
const LONGEST_RETENTION_DAYS = 3650;

const timeZone = z.string().check(
  z.refine((zone) => {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
    } catch {
      return false;
    }
  }, "must be the name of a time zone, such as Asia/Jakarta"),
);

const delivery = z.strictObject({
  timeoutMs: z._default(z.int().check(z.minimum(100), z.maximum(LONGEST_TIMEOUT_MS)), 10_000),
  maxAgeSeconds: z._default(z.int().check(z.minimum(1), z.maximum(LONGEST_AGE_SECONDS)), 86_400),
  whenExhausted: z._default(z.enum(["advance", "hold"]), "advance"),
});

export const tenantRecord = z.strictObject(
  {
    name: z._default(z.string().check(z.maxLength(1024)), ""),
    deskId: z.optional(id),
    ingress: z.optional(z.string().check(z.minLength(1), z.maxLength(128))),
    timeZone: z._default(timeZone, "Asia/Jakarta"),
    language: z._default(z.enum(["id", "en"]), "id"),
    stickerText: z._default(z.string().check(z.minLength(1), z.maxLength(1024)), "Stiker"),
    dolphins: engineRecord,
    desk: deskRecord,
    delivery: z.prefault(delivery, {}),
    retentionDays: z._default(z.int().check(z.minimum(1), z.maximum(LONGEST_RETENTION_DAYS)), 30),
  },
  { error: missingObject },
);

type Record_ = z.infer<typeof tenantRecord>;

/** A tenant, whole: defaults filled in. Secrets are plain, sealed or masked, depending on where it stands. */
export type Tenant = Omit<Record_, "deskId"> & {
  owner: string;
  deskId: string;
  paused?: Paused;
  /** The Registrar numbers what it writes: the higher number is the newer record. Not part of what is shown. */
  version?: number;
};

/** The fields of a tenant's engine that hold a secret; a desk names its own. */
export const ENGINE_SECRETS = ["token", "password", "value"];

/**
 * Checks a record. As GET shows them, `paused` may stand in it, which says nothing, and `owner`, if it is the one of the path.
 * `self` is a URL of the relay: what leads back to it is no target. `bindings` are those that a far end may be reached through.
 */
export function parseTenant(
  owner: string,
  json: unknown,
  allowInsecureTargets: boolean,
  self?: string,
  bindings: readonly string[] = [],
): Result<Tenant, Issue[]> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { ok: false, error: [{ path: "", message: "must be one JSON object" }] };
  }
  const { owner: stated = owner, paused: _, ...record } = json as Record<string, unknown>;
  const result = tenantRecord.safeParse(record);
  const issues: Issue[] = issuesOf(result.error, "a tenant record");
  if (stated !== owner) issues.push({ path: "owner", message: "must be the owner in the path, or be left out" });
  if (!result.success) return { ok: false, error: onePerField(issues) };
  const { data } = result;
  for (const [part, fields] of [["dolphins", ["baseUrl"]] as const, ["desk", targetsOf(data.desk)] as const]) {
    const { reach } = data[part];
    if (reach !== undefined && !bindings.includes(reach)) {
      issues.push({
        path: `${part}.reach`,
        message: `is no binding of the relay that reaches anything: ${listOf(bindings)}`,
      });
    }
    for (const path of fields.map((field) => `${part}.${field}`)) {
      const target = valueAt(data, path);
      if (typeof target !== "string") continue;
      const reason = whyNoTarget(target, allowInsecureTargets, self, reach !== undefined);
      if (reason) issues.push({ path, message: reason });
    }
  }
  if (issues.length > 0) return { ok: false, error: issues };
  return { ok: true, value: { ...data, owner, name: data.name || owner, deskId: data.deskId ?? owner } };
}

const listOf = (bindings: readonly string[]): string =>
  bindings.length === 0 ? "there are none" : `there are ${bindings.join(", ")}`;

/** Why a far end of a tenant may not be there, or undefined when it may. Behind a binding, its network says what is there. */
export const whyNoTarget = (
  target: string,
  allowInsecureTargets: boolean,
  self?: string,
  isReached = false,
): string | undefined =>
  forbiddenTarget(target, allowInsecureTargets || isReached) ?? leadsBack(target, self, allowInsecureTargets);

/** A Worker is behind every port of its host. Only in local development do other servers share the host with it. */
function leadsBack(target: string, self: string | undefined, allowInsecureTargets: boolean): string | undefined {
  const [there, here] = [URL.parse(target), URL.parse(self ?? "")];
  const part = allowInsecureTargets ? "host" : "hostname";
  return here && there?.[part].replace(/\.$/, "") === here[part]
    ? "is the relay itself, and events would go round"
    : undefined;
}

const onePerField = (issues: Issue[]): Issue[] =>
  issues.filter((issue, at) => issues.findIndex((one) => one.path === issue.path) === at);

/** A copy of the tenant in which `change` has had its way with every secret; `path` is dotted. */
export async function mapSecrets(
  tenant: Tenant,
  change: (secret: string, path: string) => string | Promise<string>,
): Promise<Tenant> {
  const copy = structuredClone(tenant);
  const places = [
    { holder: copy.dolphins.auth, path: "dolphins.auth", names: ENGINE_SECRETS },
    { holder: copy.desk, path: "desk", names: Object.keys(secretsOf(copy.desk)) },
  ];
  for (const { holder, path, names } of places) {
    for (const name of names) {
      const value = field(holder, name);
      if (typeof value === "string") Object.assign(holder, { [name]: await change(value, `${path}.${name}`) });
    }
  }
  return copy;
}

/** Where the secret at a path is sent: a secret that is not shown is not kept for another place. */
export function destinationOf({ dolphins, desk }: Tenant, path: string): string {
  if (!path.startsWith("desk.")) return JSON.stringify([originOf(dolphins.baseUrl), dolphins.reach]);
  const fields = secretsOf(desk)[path.slice("desk.".length)] ?? [];
  const places = fields.map((field) => originOf(valueAt(desk, field)));
  return JSON.stringify([desk.type, ...places, fields.length > 0 ? desk.reach : undefined]);
}

/** Of a URL; what is none, such as a region, is a place as it stands. */
const originOf = (value: unknown): unknown => (typeof value === "string" ? (URL.parse(value)?.origin ?? value) : value);

/** The value at a dotted path of a record. */
export const valueAt = (record: object, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => field(value, key), record);

const field = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
