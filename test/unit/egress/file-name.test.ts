import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extensionOf, fittingName, nameOf } from "../../../src/egress/file-name";
import type { FileType } from "../../../src/egress/file-type";
import { RUN } from "../property";

const PDF: FileType = { type: "application/pdf", extension: "pdf", fitting: ["pdf"] };
const DOCX: FileType = { type: "application/x", extension: "docx", fitting: ["docx", "docm"] };
const JPEG: FileType = { type: "image/jpeg", extension: "jpg", fitting: ["jpg", "jpeg", "jfif"] };

const LINK = "https://media.example/unduh/12345";
const named = (disposition: string | null, link = LINK) => nameOf(disposition, link);

describe("the name of a file", () => {
  test.each([
    ['attachment; filename="Surat Kuasa.docx"', "Surat Kuasa.docx"],
    ["attachment; filename=Surat Kuasa.docx", "Surat Kuasa.docx"],
    ["inline;FILENAME=ktp.jpg", "ktp.jpg"],
    ["attachment; filename=\"Bukti.pdf\"; filename*=UTF-8''Bukti%20%E2%82%AC.pdf", "Bukti €.pdf"],
    ["attachment; filename*=UTF-8''R%C3%A9sum%C3%A9.pdf; filename=Resume.pdf", "Résumé.pdf"],
    ["attachment; filename*=iso-8859-1'en'R%E9sum%E9.pdf", "Résumé.pdf"],
    ["attachment; filename*=; filename=sah.pdf", "sah.pdf"],
    ["filename=tanpa-jenis.pdf", "tanpa-jenis.pdf"],
    ['attachment; filename="Surat Kuasa.docx', "Surat Kuasa.docx"],
    ["attachment; filename*=\"UTF-8''Surat%20Kuasa.docx\"", "Surat Kuasa.docx"],
    ['attachment; filename="Résumé – final.pdf"', "Résumé – final.pdf"],
    ['attachment; filename="R\ufffdsum\ufffd.pdf"', "R_sum_.pdf"],
    ['attachment; filename="–%20R%e9sum%c3%a9.pdf"', "– Résumé.pdf"],
    ['attachment; filename="Surat%20Kuasa.docx"', "Surat Kuasa.docx"],
    ['attachment; filename="100% sah.pdf"', "100% sah.pdf"],
    ['attachment; filename="=?UTF-8?Q?Surat_Kuasa_=C3=A9.docx?="', "Surat Kuasa é.docx"],
    ['attachment; filename="=?utf-8?B?U3VyYXQgS3Vhc2EuZG9jeA==?="', "Surat Kuasa.docx"],
    ['attachment; filename="a \\"kutip\\".pdf"', "a _kutip_.pdf"],
  ])("the name of a file is what its server says: %s", (disposition, name) => {
    expect(named(disposition)).toBe(name);
  });

  test.each([
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["C:\\Users\\Farhan\\Surat.pdf", "Surat.pdf"],
    ["invoice\u202efdp.exe", "invoicefdp.exe"],
    ["\u2066a\u2069\u200e\u200f\u061c.pdf", "a.pdf"],
    ["a\u0000\r\n\tb.pdf", "ab.pdf"],
    [" . Surat . ", "Surat"],
    ["CON.pdf", "_CON.pdf"],
    ["keluarga \u{1f468}\u200d\u{1f469}\u200d\u{1f467}.jpg", "keluarga \u{1f468}\u200d\u{1f469}\u200d\u{1f467}.jpg"],
  ])("the name of a file has no path, and nothing unseen or dangerous: %j", (said, name) => {
    expect(nameOf(`attachment; filename*=UTF-8''${encodeURIComponent(said)}`, LINK)).toBe(name);
  });

  test.each([
    [null, "https://media.example/2026/atm%20sudirman.jpg?sig=a/b.png#c", "atm sudirman.jpg"],
    ["inline", "https://media.example/R%C3%A9sum%C3%A9.pdf", "Résumé.pdf"],
    ["attachment; filename=", "https://media.example/R%E9sum%E9.pdf", "Résumé.pdf"],
    ['attachment; filename=".."', "https://media.example/a%2F..%2Fb.pdf", "b.pdf"],
    [';;=;"', "https://media.example/sah.pdf", "sah.pdf"],
  ])("a file whose server says no name has the one its link ends in: %j of %s", (disposition, link, name) => {
    expect(named(disposition, link)).toBe(name);
  });

  test("the name of a file is unknown where the link ends in nothing", () => {
    expect(named(null, "https://media.example/")).toBeUndefined();
    expect(named(null, "https://media.example/%2E%2E%2F")).toBeUndefined();
  });
});

describe("the extension", () => {
  test.each([
    ["Surat Kuasa.docx", DOCX, "Surat Kuasa.docx"],
    ["Surat Kuasa.DOCX", DOCX, "Surat Kuasa.DOCX"],
    ["Surat Kuasa", DOCX, "Surat Kuasa.docx"],
    ["foto.jpeg", JPEG, "foto.jpeg"],
    ["Surat No.12", PDF, "Surat No.12.pdf"],
    ["Rp 1.500.000", PDF, "Rp 1.500.000.pdf"],
    ["tagihan.html", PDF, "tagihan.pdf"],
    ["tagihan.docx", PDF, "tagihan.pdf"],
    ["tagihan.pdf.exe", PDF, "tagihan.pdf"],
    ["unduh.php", PDF, "unduh.pdf"],
    ["foto.png", JPEG, "foto.jpg"],
    [undefined, JPEG, "image.jpg"],
  ])("the extension of %j fits what the file is", (name, type, fitting) => {
    expect(fittingName(name, "image", type)).toBe(fitting);
  });

  test("the extension stays when a name is cut", () => {
    const name = fittingName(`${"a".repeat(248)}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.pdf`, "file", PDF);
    expect(name).toBe(`${"a".repeat(248)}.pdf`);
  });
});

test("whatever a server says, the name can be written on any disk and read by anybody", () => {
  const odd = fc.constantFrom(
    "/",
    "\\",
    "..",
    ".",
    " ",
    "\u202e",
    "\u2066",
    "\0",
    "\n",
    "\ud800",
    "%2f",
    "%00",
    "C:",
    "=?",
  );
  const text = fc.array(fc.oneof(odd, fc.string({ unit: "grapheme", maxLength: 90 })), { maxLength: 12 });
  const type = fc.constantFrom(PDF, DOCX, JPEG);
  const disposition = fc.oneof(
    text.map((parts) => `attachment; filename="${parts.join("")}"`),
    text.map((parts) => `attachment; filename*=UTF-8''${encodeURIComponent(parts.join("").toWellFormed())}`),
    text.map((parts) => parts.join("")),
    fc.constant(null),
  );
  const link = text.map((parts) => `https://media.example/${parts.join("")}`);
  fc.assert(
    fc.property(disposition, link, type, (header, url, file) => {
      const name = fittingName(nameOf(header, url), "file", file);
      expect(name).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}/\\:"<>|?*]/u);
      expect(name).not.toMatch(/^[\s.]|[\s.]$/);
      expect(new TextEncoder().encode(name).byteLength).toBeLessThanOrEqual(255);
      expect(file.fitting).toContain(extensionOf(name));
    }),
    { ...RUN, numRuns: 3000 },
  );
});
