import { byteLength, fromBase64 } from "../crypto/bytes";
import { clipBytes } from "../lib/text";
import { isExtension, type MediaType, type FileType } from "./file-type";

/** What file systems hold of a name. */
const LONGEST_BYTES = 255;

/** Signs of direction make "fdp.exe" look like "exe.pdf", and the rest of these is not seen at all. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\ufeff]/gu;
/** What Windows takes in no name, and what stands for bytes that were no text. */
const UNFIT = /[<>:"|?*\ufffd]/g;
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("windows-1252");

/**
 * `filename*` and `filename` of Content-Disposition, unquoted where servers forget to. The package content-disposition does
 * it to the letter, in 1.2 KiB gzipped.
 */
const EXTENDED = /(?:^|;)\s*filename\*\s*=\s*"?[\w-]+'[^']*'([^;"\s]+)/i;
const PLAIN = /(?:^|;)\s*filename\s*=\s*(?:"((?:\\.|[^"\\])*)|([^";]*))/i;

/** The name of a file as its server says it (RFC 6266), or else as its link ends; undefined when neither says one. */
export function nameOf(disposition: string | null, link: string): string | undefined {
  const extended = EXTENDED.exec(disposition ?? "")?.[1];
  const [, quoted, bare] = PLAIN.exec(disposition ?? "") ?? [];
  const plain = quoted?.replaceAll(/\\(.)/gs, "$1") ?? bare;
  const segment = URL.parse(link)?.pathname.split("/").at(-1);
  return (
    cleaned(unescaped(extended ?? "")) ??
    cleaned(unescaped(withoutEncodedWords(plain ?? ""))) ??
    cleaned(unescaped(segment ?? ""))
  );
}

export const extensionOf = (name: string | undefined): string | undefined =>
  /.\.(\w{1,10})$/.exec(name ?? "")?.[1]?.toLowerCase();

/** The name with an extension that fits what the file is, cut to what a name may have. */
export function fittingName(name: string | undefined, kind: MediaType, { extension, fitting }: FileType): string {
  let stem = name ?? kind;
  let end = `.${extension}`;
  for (let own = extensionOf(stem); own !== undefined && isExtension(own); own = extensionOf(stem)) {
    const isFitting = fitting.includes(own);
    if (isFitting) end = stem.slice(-own.length - 1);
    stem = trimmed(stem.slice(0, -own.length - 1));
    if (isFitting) break;
  }
  return trimmed(clipBytes(stem, LONGEST_BYTES - byteLength(end))) + end;
}

function cleaned(text: string): string | undefined {
  const last = text.replaceAll(UNSEEN, "").split(/[/\\]/).at(-1) ?? "";
  const name = trimmed(last.replaceAll(UNFIT, "_").replaceAll(/\s+/g, " "));
  if (name === "") return undefined;
  return RESERVED.test(name) ? `_${name}` : name;
}

const trimmed = (text: string) => text.replaceAll(/^[\s.]+|[\s.]+$/g, "");

/** Servers percent-encode names in a header that they need not, as browsers know. What is not UTF-8 is Latin-1. */
const unescaped = (text: string) =>
  text.replaceAll(/(?:%[\da-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split("%"), (hex) => Number(`0x${hex}`));
    try {
      return strict.decode(bytes);
    } catch {
      return lenient.decode(bytes);
    }
  });

/** RFC 2047, as mail and Java's servers write names: =?UTF-8?Q?Surat_Kuasa.docx?= */
const withoutEncodedWords = (text: string) =>
  text.replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=\s*/gi, (_all, how: string, word: string) => {
    if (/q/i.test(how)) return word.replaceAll("_", " ").replaceAll("=", "%");
    return new TextDecoder().decode(fromBase64(word));
  });
