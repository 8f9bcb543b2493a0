/* oxlint-disable no-control-regex -- how files begin is a matter of bytes */

/**
 * What a file is by its first bytes, whatever its name and its server say. A list of what customers send and a desk can
 * show. Anything else is not attached: a page, JSON or XML is a server's answer in place of the file. Nor is what installs,
 * runs or holds macros: a bank's customers report such frauds, and the agent still has the link.
 *
 * Signatures are those of the WHATWG's "MIME Sniffing" (mimesniff.spec.whatwg.org, 6 and 7) as far as it has them, and
 * else of the formats' own specifications. No library fits: file-type and magic-bytes.js are 19 and 4 KiB gzipped, and
 * file-type-mime (2 KiB) knows no WebM, AMR, 3GP or old Office document.
 */
export type FileType = {
  type: string;
  /** For a name that has none, or another file's. */
  extension: string;
  /** All that a file with these bytes may have. */
  fitting: readonly string[];
};

/** What the engine says that it is. */
export type MediaType = "image" | "video" | "audio" | "file";

/** What is known beside the bytes: it decides where several kinds of file begin alike. */
export type FileHints = { kind: MediaType; extension?: string | undefined; contentType?: string | undefined };

/** Enough for a signature, and for the first entries of a document that is a zip. */
export const HEAD_BYTES = 4096;

const MP4 = "video/mp4 mp4 m4v";
const M4A = "audio/mp4 m4a";
const MOV = "video/quicktime mov";
const MOBILE = "video/3gpp 3gp";
const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document docx";
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx";
const PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation pptx";
const ODT = "application/vnd.oasis.opendocument.text odt";
const ODS = "application/vnd.oasis.opendocument.spreadsheet ods";
const ODP = "application/vnd.oasis.opendocument.presentation odp";

/**
 * How files begin, each byte as the character of its number, and what they may be: a type with its extensions. The first
 * match counts, and the first type where nothing says which.
 */
const SIGNATURES: readonly (readonly [RegExp, ...string[]])[] = [
  [/^\xff\xd8\xff/, "image/jpeg jpg jpeg jfif"],
  [/^\x89PNG\r\n\x1a\n/, "image/png png"],
  [/^GIF8[79]a/, "image/gif gif"],
  [/^RIFF.{4}WEBPVP/s, "image/webp webp"],
  // "BM" alone begins many a text.
  [/^BM.{4}\0{4}/s, "image/bmp bmp"],
  [/^.{4}ftyp(?:m[is]f1.{4,32})?avi[fs]/s, "image/avif avif"],
  [/^.{4}ftyp(?:he[iv]|m[is]f1)/s, "image/heic heic heif"],
  [/^(?:II\*\0|MM\0\*)/, "image/tiff tif tiff"],
  [/^.{4}ftypM4[AB] /s, M4A, MP4],
  [/^.{4}ftyp3g/s, MOBILE, MP4],
  [/^.{4}(?:ftypqt {2}|moov|mdat|wide)/s, MOV, MP4],
  [/^.{4}ftyp/s, MP4, M4A, MOV, MOBILE],
  [/^\x1aE\xdf\xa3.{0,60}webm/s, "video/webm webm", "audio/webm weba"],
  [/^\x1aE\xdf\xa3.{0,60}matroska/s, "video/x-matroska mkv"],
  [/^RIFF.{4}AVI /s, "video/x-msvideo avi"],
  [/^RIFF.{4}WAVE/s, "audio/wav wav"],
  [/^OggS/, "audio/ogg ogg oga opus", "video/ogg ogv"],
  [/^fLaC/, "audio/flac flac"],
  [/^#!AMR/, "audio/amr amr"],
  [/^(?:ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef])/, "audio/mpeg mp3"],
  [/^\xff[\xf0\xf1\xf8\xf9]/, "audio/aac aac"],
  [/^(?:\xef\xbb\xbf)?\s{0,99}%PDF-/, "application/pdf pdf"],
  [/^\{\\rtf/, "application/rtf rtf"],
  [/^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.text/s, ODT],
  [/^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.spreadsheet/s, ODS],
  [/^PK\x03\x04.{26}mimetypeapplication\/vnd\.oasis\.opendocument\.presentation/s, ODP],
  // Of Android, of Java, and macros where they stand near the beginning.
  [/PK\x03\x04.{26}(?:AndroidManifest|META-INF\/(?:MANIFEST|com\/android)|classes\d*\.dex|\w+\/vbaProject)/s],
  [/PK\x03\x04.{26}word\//s, DOCX],
  [/PK\x03\x04.{26}xl\//s, XLSX],
  [/PK\x03\x04.{26}ppt\//s, PPTX],
  [/^PK\x03\x04/, "application/zip zip", DOCX, XLSX, PPTX, ODT, ODS, ODP],
  [
    /^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/,
    "application/msword doc",
    "application/vnd.ms-excel xls",
    "application/vnd.ms-powerpoint ppt",
    "application/vnd.ms-outlook msg",
  ],
  [/^Rar!\x1a\x07/, "application/vnd.rar rar"],
  [/^7z\xbc\xaf\x27\x1c/, "application/x-7z-compressed 7z"],
  [/^BEGIN:VCARD/i, "text/vcard vcf"],
  [/^BEGIN:VCALENDAR/i, "text/calendar ics"],
];

const TEXTS = ["text/plain txt", "text/csv csv"];

const extensionsOf = (types: readonly string[]) => types.flatMap((one) => one.split(" ").slice(1));
const KNOWN = new Set(extensionsOf([...SIGNATURES.flatMap(([, ...types]) => types), ...TEXTS]));

/** The type that a file with this extension has, where it is on the list. An MP4 is audio where the engine says audio. */
export function typeByExtension(extension: string, kind: MediaType): string | undefined {
  const all = [...SIGNATURES.map(([, ...types]) => types), TEXTS];
  const types = all.find((some) => extensionsOf(some).includes(extension));
  return types && choose(types, { kind, extension }).type;
}

/** What begins as a zip or an old document does, and is a program, or holds one. */
const PROGRAM = /^(?:x?apks?|aab|jar|war|ipa|ms[ip]|(?:doc|xls|ppt|dot|xlt)m|xlsb)$/;

/** A page or a script on the way to the file, or a program: never the extension of what is on the list. */
const FOREIGN =
  /^(?:[psx]?html?|svgz?|xml|js(?:on|px?)?|css|php\d?|aspx?|do|cgi|exe|scr|bat|cmd|com|lnk|vbs|ps1|bin|dat|tmp)$/;

/** Undefined for what is not to be attached. `head` is the beginning of the file, or all of it. */
export function fileType(head: Uint8Array, hints: FileHints): FileType | undefined {
  if (PROGRAM.test(hints.extension ?? "")) return undefined;
  const characters = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  const signature = SIGNATURES.find(([pattern]) => pattern.test(characters));
  if (!signature) return isText(head, hints) ? choose(TEXTS, hints) : undefined;
  const [, ...types] = signature;
  return types.length > 0 ? choose(types, hints) : undefined;
}

/** Whether an extension says what the file is, as against "Surat No.12", so that it lies where it does not fit. */
export const isExtension = (extension: string): boolean =>
  KNOWN.has(extension) || PROGRAM.test(extension) || FOREIGN.test(extension);

/** Where the engine says audio, an MP4 is audio. Then the name decides, then the server. */
function choose(types: readonly string[], { kind, extension, contentType }: FileHints): FileType {
  const ofKind = types.filter((one) => one.startsWith(`${kind}/`));
  const among = ofKind.length > 0 ? ofKind : types;
  const named = among.find((one) =>
    one
      .split(" ")
      .slice(1)
      .some((other) => other === extension),
  );
  const [type = "", first = ""] = (
    named ??
    among.find((one) => one.startsWith(`${contentType} `)) ??
    among[0] ??
    ""
  ).split(" ");
  return { type, extension: first, fitting: extensionsOf(types) };
}

/**
 * A text that a customer wrote. One in place of a picture, or of a file whose name says otherwise, is a server's; so is
 * what reads as markup or JSON.
 */
function isText(head: Uint8Array, { kind, extension = "", contentType = "" }: FileHints): boolean {
  if (kind !== "file" || /html|xml|json|javascript/.test(contentType)) return false;
  if (isExtension(extension) && !extensionsOf(TEXTS).includes(extension)) return false;
  const text = decoded(head).trim();
  if (/[^\P{Cc}\s]/u.test(text)) return false;
  return text !== "" && !/^(?:[<{[]|(?:"(?:[^"\\]|\\.)*"|true|false|null)$)/s.test(text);
}

function decoded(head: Uint8Array): string {
  const [first = 0, second = 0] = head;
  const mark = first * 256 + second;
  return new TextDecoder(mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8").decode(head);
}
