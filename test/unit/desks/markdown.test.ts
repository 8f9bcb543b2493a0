import { expect, test } from "vitest";
import { markdownText, marksOf } from "../../../src/desks/markdown";

/** What the editor writes, and what WhatsApp and every other channel get of it; one text where both get the same. */
const PAIRS: [string, string, string?][] = [
  ["Halo", "Halo"],
  ["", ""],
  ["**tebal**", "*tebal*", "tebal"],
  ["*miring*", "_miring_", "miring"],
  ["~~coret~~", "~coret~", "coret"],
  ["`kode`", "`kode`", "kode"],
  ["```\nkode\nlagi\n```", "```kode\nlagi```", "kode\nlagi"],
  ["**tebal *miring* tebal**", "*tebal _miring_ tebal*", "tebal miring tebal"],
  ["***dua***", "_*dua*_", "dua"],
  ["**Catatan:** isi", "*Catatan:* isi", "Catatan: isi"],
  ["**dua\nbaris**", "*dua*\n*baris*", "dua\nbaris"],
  ["baris satu\nbaris dua", "baris satu\nbaris dua"],
  ["baris satu\\\nbaris dua", "baris satu\nbaris dua"],
  ["baris satu  \nbaris dua", "baris satu\nbaris dua"],
  ["satu\n\ndua", "satu\n\ndua"],
  ["1. satu\n2. dua", "1. satu\n2. dua"],
  ["3. tiga\n4. empat", "3. tiga\n4. empat"],
  ["1\\. bukan daftar", "1. bukan daftar"],
  ["- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"],
  ["1. satu\n\n   paragraf\n2. dua", "1. satu\n   paragraf\n2. dua"],
  ["- [ ] belum\n- [x] sudah", "- [ ] belum\n- [x] sudah"],
  ["harga 5\\*3 dan \\_garis\\_ \\# \\[x\\]", "harga 5*3 dan _garis_ # [x]"],
  ["\\- bukan daftar", "- bukan daftar"],
  ["\\> bukan kutipan, \\~bukan coret\\~, satu \\\\ dua", "> bukan kutipan, ~bukan coret~, satu \\ dua"],
  ["* a\n* b\n  * c", "- a\n- b\n  - c"],
  ['[situs](https://bank.example "judul")', "situs (https://bank.example)"],
  ["snake_case_name", "snake_case_name"],
  ["a ** b ** c", "a ** b ** c"],
  ["[situs](https://bank.example/x_y)", "situs (https://bank.example/x_y)"],
  ["[**tebal**](https://bank.example)", "*tebal* (https://bank.example)", "tebal (https://bank.example)"],
  ["https://bank.example/a_b_c?x=1&y=2", "https://bank.example/a_b_c?x=1&y=2"],
  ["<https://bank.example>", "https://bank.example"],
  ["halo@bank.example", "halo@bank.example"],
  ["www.bank.example", "www.bank.example"],
  ["![logo](https://bank.example/l.png)", "logo (https://bank.example/l.png)"],
  ["![](https://bank.example/l.png)", "https://bank.example/l.png"],
  ["<b>tebal</b> & <script>", "<b>tebal</b> & <script>"],
  ["<div>\nblok\n</div>", "<div>\nblok\n</div>"],
  ["1 < 2 && 3 > 2 &amp;", "1 < 2 && 3 > 2 &amp;"],
  ["Pilihan:\n- a\n- b\n\nSelesai", "Pilihan:\n- a\n- b\n\nSelesai"],
  ["Pilihan:\n\n- a\n- b", "Pilihan:\n\n- a\n- b"],
  ["# Judul\nisi", "*Judul*\nisi", "Judul\nisi"],
  ["kode:\n```\nx\n```\nselesai", "kode:\n```x```\nselesai", "kode:\nx\nselesai"],
  ["- a\n\n- b", "- a\n- b"],
  ["satu\n\n\n\ndua", "satu\n\ndua"],
  ["**a**b", "*a*b", "ab"],
  ["> kutipan\n> lagi\n\nbalasan", "> kutipan\n> lagi\n\nbalasan"],
  ["# Judul", "*Judul*", "Judul"],
  ["---", "---"],
  ["| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"],
  ["[catatan]: https://bank.example", "[catatan]: https://bank.example"],
  ["👋 **Halo** 👨‍👩‍👧", "👋 *Halo* 👨‍👩‍👧", "👋 Halo 👨‍👩‍👧"],
];

test.each(PAIRS)("%j is said in the marks of the channel", (markdown, whatsapp, plain = whatsapp) => {
  expect(markdownText(markdown, "whatsapp")).toBe(whatsapp);
  expect(markdownText(markdown, "plain")).toBe(plain);
});

test("only WhatsApp gets WhatsApp's marks", () => {
  expect([marksOf("whatsapp"), marksOf("WhatsAppBusiness"), marksOf("telegrambot")]).toEqual([
    "whatsapp",
    "whatsapp",
    "plain",
  ]);
});
