import * as z from "zod/mini";
import { fromBase64, toBase64Url, utf8 } from "../crypto/bytes";
import type { MasterKeys } from "../crypto/derive";
import { signToken, verifyToken } from "../crypto/signed-token";

/**
 * What the relay's own link to an agent's file is made of: whose file, where it is, and when the link ends. It is signed, so
 * that the relay fetches nothing that no agent has sent.
 */
export type MediaReference = { owner: string; url: string; endsAtMs: number };

const PURPOSE = ["media-reference"];

const parts = z.tuple([z.string(), z.string(), z.number()]);

/** The same for the same file at the same time: a webhook that comes again makes the same event. */
export const writeMediaReference = (
  masterKeys: MasterKeys,
  { owner, url, endsAtMs }: MediaReference,
): Promise<string> => signToken(masterKeys, PURPOSE, toBase64Url(utf8(JSON.stringify([owner, url, endsAtMs]))));

/** Undefined for one that the relay has not written, or that has ended. */
export async function readMediaReference(
  masterKeys: MasterKeys,
  reference: string,
  nowMs: number,
): Promise<MediaReference | undefined> {
  const text = await verifyToken(masterKeys, PURPOSE, reference);
  const bytes = text === undefined ? undefined : fromBase64(text);
  if (!bytes) return undefined;
  const [owner, url, endsAtMs] = parts.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return nowMs < endsAtMs ? { owner, url, endsAtMs } : undefined;
}
