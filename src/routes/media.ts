import { required } from "../config";
import { filesOf } from "../desks/registry";
import { nameOf } from "../egress/file-name";
import type { Login } from "../egress/login";
import { openFile, type RemoteFile } from "../egress/remote-file";
import { deskContext } from "../engine-session/token";
import { ask, configOf, directoryOf } from "../http/context";
import { withinRate } from "../http/rate";
import { Routes } from "../http/routes";
import { log } from "../lib/log";
import { AppError } from "../model/errors";
import { boundsOf } from "../tenants/far-ends";
import { readMediaReference } from "../tenants/media-reference";
import { openSecrets } from "../tenants/secrets";

/** The files of agents that open with their desk's credential alone: the relay has it, and whoever has its link has the file. */
export const media = new Routes();

const MAX_BYTES = 25 * 1024 * 1024;
/** For all of it: whoever asks may be slow. */
const TIMEOUT_MS = 60_000;

/** One part of a file. Several at once have an answer of another form, and nobody needs them. */
const RANGE = /^bytes=(?:\d+-\d*|-\d+)$/;

const OK = 200;
const PARTIAL_CONTENT = 206;
const UNAUTHORIZED = 401;
const NOT_FOUND = 404;
const RANGE_NOT_SATISFIABLE = 416;

const DAY_MS = 24 * 3600_000;
/** So long after it was sent a file may not be there yet. */
const FRESH_MS = 60_000;
const WAIT_MS = 1_000;
const MOST_WAITS = 3;

media.get("/:reference", async (c) => {
  const config = configOf(c);
  const keys = required(config.masterKeys);
  const reference = await readMediaReference(keys, c.req.param("reference"), Date.now());
  const sealed = reference && (await directoryOf(c).tenant(reference.owner));
  if (!sealed) throw noFile();
  const { url, owner, endsAtMs } = reference;
  await withinRate(c.env.CALLER_RATE, `media ${owner}`);
  const tenant = await ask(() => openSecrets(keys, sealed));
  const files = filesOf(tenant.desk);
  const { login } = deskContext(tenant, configOf(c), c.env.ENGINE_SESSION);
  const range = c.req.header("range") ?? "";
  const asked: Record<string, string> = RANGE.test(range) && !c.req.header("if-range") ? { range } : {};
  const open = (how: Login = login) =>
    openFile({
      url,
      headersFor: async (at) => ({ ...asked, ...(await files?.credential(at, how)) }),
      mostBytes: MAX_BYTES,
      ...boundsOf(tenant, config, TIMEOUT_MS),
    });
  const sentAtMs = endsAtMs - sealed.retentionDays * DAY_MS;
  let found = await open();
  // A token may be gone before its time.
  if (isRefused(found)) found = await open(renewing(login));
  // Chatwoot tells of a file that may still be on its way to its store.
  for (let waits = 0; isMissing(found) && waits < MOST_WAITS && Date.now() - sentAtMs < FRESH_MS; waits++) {
    await scheduler.wait(WAIT_MS);
    found = await open();
  }
  if (!("file" in found)) {
    const { error, transient, status } = found;
    log("media_failed", { requestId: c.var.requestId, owner, status, error });
    if (status === RANGE_NOT_SATISFIABLE) return c.body(null, status);
    throw transient ? notNow(error) : noFile();
  }
  const { status, length, body } = found.file;
  for (const [name, value] of Object.entries(headersOf(found.file, url))) c.header(name, value);
  const given = status === PARTIAL_CONTENT ? PARTIAL_CONTENT : OK;
  if (c.req.method !== "HEAD") return c.body(body, given);
  await body.cancel();
  if (length !== undefined) c.header("content-length", String(length));
  return c.body(null, given);
});

type Found = Awaited<ReturnType<typeof openFile>>;

const isMissing = (found: Found) => "error" in found && found.status === NOT_FOUND;

const isRefused = (found: Found) => "error" in found && found.status === UNAUTHORIZED;

/** Gives another token in place of the one at hand. */
const renewing =
  (login: Login): Login =>
  async () => {
    const held = await login();
    return "outcome" in held ? held : login(held.token);
  };

const noFile = () => new AppError("not_found", "There is no file under this link, or the link has ended.");

const notNow = (detail: string) =>
  new AppError("unavailable", "The desk did not give the file just now. Ask again.", {
    detail,
    headers: { "retry-after": "1" },
  });

/** What runs in a browser, such as a page or a drawing, must not run on the relay's origin, where the console is. */
const ACTIVE = /html|script|[/+]xml|svg/;
const SHOWN = /^(?:image|audio|video)\//;

function headersOf({ headers }: RemoteFile, url: string): Record<string, string> {
  const type = (headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const isSafe = /^[\w.+-]+\/[\w.+-]+$/.test(type) && !ACTIVE.test(type);
  const kept = ["content-range", "accept-ranges"].flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    "content-type": isSafe ? type : "application/octet-stream",
    "content-disposition": `${isSafe && SHOWN.test(type) ? "inline" : "attachment"}${named(headers.get("content-disposition"), url)}`,
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "private, no-store",
  };
}

/** As the desk says it, or else as its link ends (RFC 8187). */
function named(disposition: string | null, url: string): string {
  const name = nameOf(disposition, url);
  if (name === undefined) return "";
  const escaped = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `; filename*=UTF-8''${escaped}`;
}
