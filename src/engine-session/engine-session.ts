import { DurableObject } from "cloudflare:workers";
import { readConfig, required } from "../config";
import type { Bounds } from "../egress/http";
import type { Granted, LoginFailure, Token } from "../egress/login";
import { toBase64Url, utf8 } from "../crypto/bytes";
import { BoundedMap } from "../lib/bounded-map";
import { isWaiting } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { open, seal } from "../crypto/seal";
import { identityAt, requestTokenAt, type SessionTarget } from "./login-target";

/** How long a failed login stands for all tickets: they try again each at its own time, and a far end may lock accounts. */
const FAILED_PAUSE_MS = 500;
const REFUSED_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 600_000;
/** A far end that refuses whatever token is not logged in to again for every message. */
const RENEWED_EVERY_MS = 60_000;
/** While KV lets a changed record be seen here and not yet there, both versions are asked for: each keeps its token. */
const TARGETS_KEPT = 2;
const STORED = "token";

/** What of the bounds can be sent to an object: bindings it has itself. */
export type LoginRequest = {
  owner: string;
  target: SessionTarget;
  bounds: Pick<Bounds, "timeoutMs" | "allowInsecureTargets">;
};

/** What is known for one version of the credentials. */
type Session = {
  token?: Token;
  /** When a token was last given up because the far end refused it. */
  renewedAtMs?: number;
  /** The one login that is under way. All who wait for it are in this object, so they may share the promise. */
  login?: Promise<Granted>;
  failure?: { login: Granted; untilMs: number };
};

/**
 * The login of one tenant at its 3Dolphins server, or at its desk, for all its tickets wherever they run. The token is kept
 * sealed in storage: the object leaves memory within minutes of quiet, and each time would be one more login.
 */
export class EngineSession extends DurableObject<Env> {
  /** By a digest of the target, the newest last. */
  readonly #sessions = new BoundedMap<string, Session>(TARGETS_KEPT);
  #restored: Promise<void> | undefined;

  /**
   * The token at hand, or a fresh one when that has expired or is `stale`: the far end refused it. That is worth a login once
   * a minute, and else the same token comes back.
   */
  async token(request: LoginRequest, stale?: string): Promise<Granted> {
    await (this.#restored ??= this.#restore(request.owner));
    const digest = await digestOf(request.target);
    const session = this.#sessionFor(digest);
    if (session.login) return session.login;
    const { token, failure } = session;
    const nowMs = Date.now();
    const isRefused = token !== undefined && token.token === stale;
    const isEarly = isWaiting((session.renewedAtMs ?? 0) + RENEWED_EVERY_MS, nowMs, RENEWED_EVERY_MS);
    if (token && token.expiresAtMs > nowMs && (!isRefused || isEarly)) return token;
    if (failure && isWaiting(failure.untilMs, nowMs, LONGEST_PAUSE_MS)) return failure.login;
    if (isRefused) session.renewedAtMs = nowMs;
    session.login = this.#logIn(request, digest, session).finally(() => delete session.login);
    return session.login;
  }

  /** Whether a token is kept, for the health check: reads storage and writes nothing. */
  hasToken(): boolean {
    return this.ctx.storage.kv.get(STORED) !== undefined;
  }

  /** Forgets the login whole, for a tenant that is no more. */
  async forget(): Promise<void> {
    this.#sessions.clear();
    await this.ctx.storage.deleteAll();
  }

  /** The newest token has expired. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  async #logIn({ owner, target, bounds }: LoginRequest, digest: string, session: Session): Promise<Granted> {
    const startedAtMs = Date.now();
    const result = await requestTokenAt(target, bounds, readConfig(this.env).bindings);
    const nowMs = Date.now();
    const error = "outcome" in result ? result.outcome.error : undefined;
    const at = "desk" in target ? "desk" : "engine";
    log(error === undefined ? "logged_in" : "login_failed", { owner, at, ms: nowMs - startedAtMs, error });
    if ("outcome" in result) {
      session.failure = { login: { outcome: result.outcome }, untilMs: nowMs + pauseMs(result) };
      return { outcome: result.outcome };
    }
    session.token = result;
    delete session.failure;
    await this.#keep(owner, digest, result);
    return result;
  }

  #sessionFor(digest: string): Session {
    const session = this.#sessions.get(digest) ?? {};
    this.#sessions.set(digest, session);
    return session;
  }

  /** Not being able to keep a token costs a login later, and no message now. */
  async #keep(owner: string, digest: string, token: Token): Promise<void> {
    if (token.expiresAtMs <= Date.now()) return;
    try {
      const masterKeys = required(readConfig(this.env).masterKeys);
      const sealed = await seal(masterKeys, owner, STORED, JSON.stringify({ digest, ...token }));
      this.ctx.storage.kv.put(STORED, sealed);
      await this.ctx.storage.setAlarm(token.expiresAtMs);
    } catch (error) {
      log("engine_session_not_kept", { owner, error: errorText(error) });
    }
  }

  async #restore(owner: string): Promise<void> {
    const sealed = this.ctx.storage.kv.get<string>(STORED);
    if (sealed === undefined) return;
    try {
      const text = await open(required(readConfig(this.env).masterKeys), owner, STORED, sealed);
      const { digest, ...token } = JSON.parse(text) as Token & { digest: string };
      this.#sessions.set(digest, { token });
    } catch (error) {
      log("engine_session_not_restored", { owner, error: errorText(error) });
    }
  }
}

function pauseMs({ outcome, refused }: LoginFailure): number {
  if (outcome.kind === "blocked") return 0;
  if (refused) return REFUSED_PAUSE_MS;
  const askedMs = outcome.kind === "retry" ? (outcome.retryAfterMs ?? 0) : 0;
  return Math.min(Math.max(FAILED_PAUSE_MS, askedMs), LONGEST_PAUSE_MS);
}

const digestOf = async (target: SessionTarget): Promise<string> => {
  const text = utf8(JSON.stringify(identityAt(target)));
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
};
