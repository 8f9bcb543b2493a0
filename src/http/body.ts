import { errorText } from "../lib/log";
import { AppError } from "../model/errors";
import { readText } from "./charset";
import { inflate } from "./inflate";

const MAX_BODY_BYTES = 256 * 1024;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** A request's body. What cannot be unpacked is refused where its text is asked for, and so after the credential. */
export type Body = {
  /** As they came over the wire: what a signature covers. */
  sent: Uint8Array<ArrayBuffer>;
  /** As they were before `content-encoding`. */
  bytes: Uint8Array<ArrayBuffer> | AppError;
};

/** Reads and unpacks the body. Throws `too_large` past 256 KiB of what came, or of what comes out. */
export async function readBody(request: Request): Promise<Body> {
  const sent = await readBytes(request);
  const encoding = request.headers.get("content-encoding");
  if (encoding === null) return { sent, bytes: sent };
  const inflated = await inflate(sent, encoding, MAX_BODY_BYTES);
  if (inflated.ok) return { sent, bytes: inflated.bytes };
  switch (inflated.problem) {
    case "too_large":
      throw tooLarge();
    case "corrupt": {
      const message = `The body is not what its content-encoding says, ${encoding.trim().slice(0, 64)}: it is cut short or damaged.`;
      return { sent, bytes: new AppError("invalid_json", message) };
    }
    case "unsupported": {
      const message = `The relay cannot read the content-encoding ${inflated.coding.slice(0, 64)}. Send the body as it is, or by gzip or deflate.`;
      return { sent, bytes: new AppError("unsupported_encoding", message) };
    }
  }
}

/** The text of a body. Throws `invalid_json` when it is not UTF-8. */
export function decodeBody(body: Body): string {
  const bytes = unpacked(body);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new AppError("invalid_json", "The body is not valid UTF-8. Send JSON encoded as UTF-8.");
  }
}

/** The text of an engine's body, in whatever encoding it came. */
export const decodeEngineBody = (body: Body, contentType: string | undefined): string =>
  readText(unpacked(body), contentType ?? "");

function unpacked({ bytes }: Body): Uint8Array {
  if (bytes instanceof AppError) throw bytes;
  return bytes;
}

/**
 * The bytes are counted as they are read, whatever `Content-Length` says. A body that arrives too long is read to its end and
 * not kept: cancelling an upload half way can tear down the connection before the sender has seen the answer.
 */
async function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > MAX_BODY_BYTES) throw tooLarge();
  if (!request.body) return new Uint8Array();
  const reading = declared >= 0 ? request.arrayBuffer() : countAndKeep(request.body);
  const bytes = await reading.catch((error: unknown) => {
    throw new AppError("invalid_json", "The body broke off before its end. Check its length, and send it again.", {
      detail: errorText(error),
    });
  });
  if (bytes === undefined || bytes.byteLength > MAX_BODY_BYTES) throw tooLarge();
  return new Uint8Array(bytes);
}

/** Undefined for more than a body may hold. */
async function countAndKeep(body: ReadableStream<Uint8Array>): Promise<ArrayBuffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes <= MAX_BODY_BYTES ? new Blob(chunks).arrayBuffer() : undefined;
}

function tooLarge() {
  return new AppError("too_large", "The body is over 256 KiB. Send media as a link in mediaLink, not in the event.");
}
