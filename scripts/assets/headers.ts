import { putAsset } from "./put.ts";

/** What a page of the relay may do: run its own scripts, and talk to nobody else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * An asset refuses other methods by itself, before the Worker sees them, with these headers alone: `Allow` is what a 405 has
 * to say, and what any other answer may.
 * The console has a policy more: nothing in it may write markup, so that a customer's text is text.
 */
const HEADERS = `/*
  Allow: GET, HEAD
  Content-Security-Policy: ${POLICY}
  X-Content-Type-Options: nosniff
  X-Frame-Options: DENY
  Referrer-Policy: no-referrer
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Resource-Policy: same-origin
  Strict-Transport-Security: max-age=31536000
  Permissions-Policy: camera=(), geolocation=(), microphone=()

/console*
  Content-Security-Policy: require-trusted-types-for 'script'; trusted-types 'none'
`;

/** For the assets alone: what the Worker answers, it says itself. */
export const putHeaders = (assets: string): Promise<void> => putAsset(assets, "_headers", HEADERS);
