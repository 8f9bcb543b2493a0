/** The text of an engine's body. Java's clients write it in whatever encoding nobody told them not to use. */

/**
 * By the byte order mark, else as UTF-8, else by the `charset` of the content type, else as windows-1252, which every
 * sequence of bytes is. A charset that is wrong or that nobody knows hinders nothing.
 */
export function readText(bytes: Uint8Array, contentType: string): string {
  const wide = wideEncodingOf(bytes);
  if (wide !== undefined) return wide === "utf-32" ? readUtf32(bytes) : new TextDecoder(wide).decode(bytes);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return new TextDecoder().decode(bytes);
  return decode(bytes, utf8) ?? decode(bytes, charsetOf(contentType)) ?? new TextDecoder("windows-1252").decode(bytes);
}

/**
 * UTF-16 or UTF-32, by the mark or by where the zeros stand. JSON begins with a character of ASCII and holds no zero byte in
 * any other encoding.
 */
function wideEncodingOf(bytes: Uint8Array): "utf-16le" | "utf-16be" | "utf-32" | undefined {
  const [a, b, c, d] = bytes;
  if (bytes.byteLength % 4 === 0 && ((a === 0 && b === 0) || (c === 0 && d === 0))) return "utf-32";
  if ((a === 0xff && b === 0xfe) || (b === 0 && a !== 0)) return "utf-16le";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return "utf-16be";
  return undefined;
}

/** No encoding of TextDecoder's, and one of Java's. */
function readUtf32(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittleEndian = bytes[0] !== 0;
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += 4) {
    const point = view.getUint32(at, isLittleEndian);
    text += String.fromCodePoint(point > 0x10_ff_ff ? 0xff_fd : point);
  }
  return text.replace(/^\uFEFF/, "");
}

const strict = { fatal: true, ignoreBOM: false };
const utf8 = new TextDecoder("utf-8", strict);

function decode(bytes: Uint8Array, by: string | TextDecoder): string | undefined {
  try {
    return (typeof by === "string" ? new TextDecoder(by, strict) : by).decode(bytes);
  } catch {
    return undefined;
  }
}

const charsetOf = (contentType: string): string => /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType)?.[1] ?? "";
