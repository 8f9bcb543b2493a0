import * as z from "zod/mini";
import { equalSecrets, fromBase64 } from "./crypto/bytes";
import type { MasterKeys } from "./crypto/derive";
import { AppError } from "./model/errors";
import { ROLES, type Role, type RoleRule } from "./model/operator";
import type { Result } from "./model/result";
import { refuse } from "./lib/zod";

/** A setting, or the name of it and what is wrong with it. */
type Setting<T> = Result<T, string>;
type IngressKey = { name: string; key: string };
/** An operator with a token of their own. */
export type NamedToken = { name: string; role: Role; token: string };
/** Cloudflare Access in front of the relay: whose tokens count, and which role they give to whom. */
export type Access = { origin: string; audiences: string[]; rules: RoleRule[] };

/** The Worker's settings, checked. A setting that fails is an error only for the requests that need it: see `required`. */
export type Config = {
  adminToken: Setting<string>;
  masterKeys: Setting<MasterKeys>;
  ingressKeys: Setting<IngressKey[]>;
  /** None where OPERATORS is not set. */
  operators: Setting<NamedToken[]>;
  /** Undefined where no setting of Access is set. */
  access: Setting<Access | undefined>;
  allowInsecureTargets: boolean;
  /** By their names, the bindings that a far end may be reached through. */
  bindings: ReadonlyMap<string, Pick<Fetcher, "fetch">>;
  locationHint: Setting<DurableObjectLocationHint>;
};

/** Settings that a relay may do without. Wrangler's types name those alone that it asks for. */
type Optional = Partial<
  Record<"MASTER_KEY_PREVIOUS" | "OPERATORS" | "ACCESS_TEAM_DOMAIN" | "ACCESS_AUD" | "ACCESS_ROLES", string>
>;

/** The name of who has ADMIN_TOKEN. */
const ADMIN = "admin";

const text = z.string({ error: "is not set" });

/** What is separated by commas. */
const entriesOf = (given: string): string[] =>
  given
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

const adminToken = text.check(z.minLength(32, "is shorter than 32 characters; make one with: openssl rand -hex 32"));

const masterKey = z.pipe(
  text,
  z.transform((given, context) => {
    const bytes = fromBase64(given.trim());
    if (bytes?.byteLength === 32) return bytes;
    return refuse(context, "is not 32 bytes in base64; make one with: openssl rand -base64 32");
  }),
);

const SHORTEST_KEY = 16;

const ingressKeys = z.pipe(
  text,
  z.transform((given, context) => {
    const entries = entriesOf(given);
    const keys = entries.map((entry) => ({
      name: entry.split("=", 1)[0] ?? "",
      key: entry.slice(entry.indexOf("=") + 1),
    }));
    if (keys.length === 0 || !entries.every((entry) => /^[^=\s]+=[A-Za-z0-9._~-]+$/.test(entry))) {
      return refuse(
        context,
        "is not a list of name=key, separated by commas, with keys of letters, digits and . _ ~ -",
      );
    }
    const short = keys.find(({ key }) => key.length < SHORTEST_KEY);
    if (!short) return keys;
    return refuse(
      context,
      `has a key of fewer than ${SHORTEST_KEY} characters (${short.name}); make one with: openssl rand -hex 24`,
    );
  }),
);

const role = ROLES.join("|");
const OPERATOR = new RegExp(`^([\\w.-]{1,64}):(${role})=(\\S{32,1024})$`);
const RULE = new RegExp(`^(\\*@[^\\s@*]+|[^\\s@*]+@[^\\s@*]+):(${role})$`);

/** A name says in the audit log who it was, and a token which name: neither may stand twice. */
const operatorsBeside = (admin: string | undefined) =>
  z.pipe(
    text,
    z.transform((given, context) => {
      const found = entriesOf(given).map((entry) => OPERATOR.exec(entry));
      const operators = found.flatMap((match) =>
        match ? [{ name: match[1] ?? "", role: match[2] as Role, token: match[3] ?? "" }] : [],
      );
      if (operators.length === 0 || operators.length < found.length) {
        return refuse(
          context,
          "is not a list of name:role=token, separated by commas, with a role of viewer, operator or admin and a token of 32 characters or more",
        );
      }
      const names = new Set([ADMIN, ...operators.map(({ name }) => name)]);
      const tokens = new Set([admin, ...operators.map(({ token }) => token)]);
      if (names.size === operators.length + 1 && tokens.size === operators.length + 1) return operators;
      return refuse(context, "has a name or a token twice; admin and its token are those of ADMIN_TOKEN");
    }),
  );

const team = z.pipe(
  text,
  z.transform((given, context) => {
    const url = URL.parse(given.includes("://") ? given : `https://${given}`);
    if (url && url.href === `${url.origin}/` && url.hostname.includes(".")) return url.origin;
    return refuse(context, "is not a host such as bank.cloudflareaccess.com");
  }),
);

const audiences = z.pipe(
  text,
  z.transform((given, context) => {
    const tags = entriesOf(given);
    return tags.length > 0 ? tags : refuse(context, "is not the AUD tag of an application of Access");
  }),
);

const rules = z.pipe(
  text,
  z.transform((given, context) => {
    const found = entriesOf(given).map((entry) => RULE.exec(entry));
    const all = found.flatMap((match) =>
      match ? [{ address: (match[1] ?? "").toLowerCase(), role: match[2] as Role }] : [],
    );
    const isWhole = all.length > 0 && all.length === found.length;
    if (isWhole && new Set(all.map(({ address }) => address)).size === all.length) return all;
    return refuse(
      context,
      "is not a list of address:role or *@domain:role, separated by commas, each address once, with a role of viewer, operator or admin",
    );
  }),
);

function accessOf(env: Optional): Setting<Access | undefined> {
  if (env.ACCESS_TEAM_DOMAIN === undefined && env.ACCESS_AUD === undefined && env.ACCESS_ROLES === undefined)
    return { ok: true, value: undefined };
  const origin = setting("ACCESS_TEAM_DOMAIN", team, env.ACCESS_TEAM_DOMAIN);
  if (!origin.ok) return origin;
  const tags = setting("ACCESS_AUD", audiences, env.ACCESS_AUD);
  if (!tags.ok) return tags;
  const all = setting("ACCESS_ROLES", rules, env.ACCESS_ROLES);
  return all.ok ? { ok: true, value: { origin: origin.value, audiences: tags.value, rules: all.value } } : all;
}

/** Where Cloudflare puts an object at its first use; it stays there. The nearest to Indonesia is Singapore's. */
const HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"] as const;
const hint = z._default(z.enum(HINTS, { error: `is none of ${HINTS.join(", ")}` }), "apac-se");

/** What has a `fetch` of its own: a service, a VPC service or network, a client certificate. */
const bindingsOf = (env: object): Config["bindings"] =>
  new Map(
    Object.entries(env as Record<string, unknown>).filter((entry): entry is [string, Fetcher] => isFetcher(entry[1])),
  );

const isFetcher = (binding: unknown): boolean =>
  typeof binding === "object" && binding !== null && "fetch" in binding && typeof binding.fetch === "function";

/** MASTER_KEY, and behind it MASTER_KEY_PREVIOUS while that is set. */
function masterKeysOf(env: Env & Optional): Setting<MasterKeys> {
  const current = setting("MASTER_KEY", masterKey, env.MASTER_KEY);
  if (!current.ok) return current;
  if (env.MASTER_KEY_PREVIOUS === undefined) return { ok: true, value: [current.value] };
  const previous = setting("MASTER_KEY_PREVIOUS", masterKey, env.MASTER_KEY_PREVIOUS);
  return previous.ok ? { ok: true, value: [current.value, previous.value] } : previous;
}

function setting<T>(name: string, schema: z.ZodMiniType<T>, value: unknown): Setting<T> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, error: `${name} ${result.error.issues[0]?.message ?? "is not valid"}` };
}

const known = new WeakMap<object, Config>();

/** Reads and checks the bindings of one isolate, once. */
export function readConfig(env: Env & Optional): Config {
  let config = known.get(env);
  if (!config) {
    config = {
      adminToken: setting("ADMIN_TOKEN", adminToken, env.ADMIN_TOKEN),
      masterKeys: masterKeysOf(env),
      ingressKeys: setting("INGRESS_KEYS", ingressKeys, env.INGRESS_KEYS),
      operators:
        env.OPERATORS === undefined
          ? { ok: true, value: [] }
          : setting("OPERATORS", operatorsBeside(env.ADMIN_TOKEN), env.OPERATORS),
      access: accessOf(env),
      allowInsecureTargets: env.ALLOW_INSECURE_TARGETS === "true",
      bindings: bindingsOf(env),
      locationHint: setting("LOCATION_HINT", hint, env.LOCATION_HINT),
    };
    known.set(env, config);
  }
  return config;
}

/** The value of a setting. Throws `unavailable`, whose log line names the setting and what is wrong with it. */
export function required<T>(wanted: Setting<T>): T {
  if (wanted.ok) return wanted.value;
  const message = "The relay is not set up: a setting is missing or malformed. Its log names the setting.";
  throw new AppError("unavailable", message, { detail: wanted.error, headers: { "retry-after": "60" } });
}

/**
 * The object of this name. A new one is made where the setting says. One that says nothing Cloudflare knows loses no message:
 * the object is made near the request then, and the health check names the setting.
 */
export const objectOf = <T extends Rpc.DurableObjectBranded | undefined>(
  objects: Pick<DurableObjectNamespace<T>, "getByName">,
  name: string,
  { locationHint }: Pick<Config, "locationHint">,
): DurableObjectStub<T> => objects.getByName(name, locationHint.ok ? { locationHint: locationHint.value } : {});

/** The names under which this key stands in INGRESS_KEYS: none when it is no engine's key. */
export function ingressNames(config: Config, key: string): string[] {
  return required(config.ingressKeys)
    .filter((entry) => equalSecrets(key, entry.key))
    .map((entry) => entry.name);
}

const adminOf = (config: Config): NamedToken => ({ name: ADMIN, role: "admin", token: required(config.adminToken) });

/** Whose token this is. A fault in OPERATORS shuts out those it is about, and never ADMIN_TOKEN. */
export function operatorWith(config: Config, token: string): NamedToken | undefined {
  const admin = adminOf(config);
  if (equalSecrets(token, admin.token)) return admin;
  return required(config.operators).find((each) => equalSecrets(token, each.token));
}

export const operatorNamed = (config: Config, name: string): NamedToken | undefined =>
  name === ADMIN ? adminOf(config) : required(config.operators).find((each) => each.name === name);
