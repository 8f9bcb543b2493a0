import { AppError } from "../model/errors";

const MAX_BODY_BYTES = 256 * 1024;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * The request's body, as bytes, counted as they are read whatever `Content-Length` says.
 * Throws `too_large` past 256 KiB. A body that arrives too long is read to its end and not kept: cancelling an upload half
 * way can tear down the connection before the sender has seen the answer.
 */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > MAX_BODY_BYTES) throw tooLarge();
  if (!request.body) return new Uint8Array();
  if (declared >= 0) {
    const whole = new Uint8Array(await request.arrayBuffer());
    if (whole.byteLength > MAX_BODY_BYTES) throw tooLarge();
    return whole;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) throw tooLarge();
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The text of a body. Throws `invalid_json` when it is not UTF-8. */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new AppError("invalid_json", "The body is not valid UTF-8. Send JSON encoded as UTF-8.");
  }
}

function tooLarge() {
  return new AppError("too_large", "The body is over 256 KiB. Send media as a link in mediaLink, not in the event.");
}
