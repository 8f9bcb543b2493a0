import { expect, test } from "vitest";
import { equalSecrets, fromBase64, toBase64Url } from "../../../src/crypto/bytes";
import type { MasterKeys } from "../../../src/crypto/derive";
import { open, seal } from "../../../src/crypto/seal";
import { maskSecrets, openSecrets, sealSecrets } from "../../../src/tenants/secrets";
import { parseTenant, type Tenant } from "../../../src/tenants/tenant-record";

/** Sealed secrets open for their tenant, their field and their key, and for nothing else. */

const keyOf = (fill: number) => new Uint8Array(32).fill(fill);
const KEYS: MasterKeys = [keyOf(1)];
const PATH = "dolphins.auth.password";
const PREFIX = "sealed:v1:";
const SECRET = "rahasia é 🐬";

const attempt = (sealed: string, keys = KEYS, owner = "bank", path = PATH) =>
  open(keys, owner, path, sealed).catch((error: unknown) => String(error));
const refusal = (owner = "bank", path = PATH) =>
  `Error: the sealed ${path} of tenant ${owner} does not open: was MASTER_KEY changed? Put that secret again`;

test("a sealed secret opens, is no clear text, and is sealed otherwise each time", async () => {
  const [one, other] = [await seal(KEYS, "bank", PATH, SECRET), await seal(KEYS, "bank", PATH, SECRET)];
  expect(one).not.toBe(other);
  for (const sealed of [one, other]) {
    expect(sealed).not.toContain("rahasia");
    expect(await open(KEYS, "bank", PATH, sealed)).toBe(SECRET);
  }
});

test("a sealed secret does not open with any one bit flipped", async () => {
  const bytes = fromBase64((await seal(KEYS, "bank", PATH, SECRET)).slice(PREFIX.length)) ?? new Uint8Array();
  expect(bytes.byteLength).toBeGreaterThan(12 + 16);
  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    const flipped = bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    expect(await attempt(PREFIX + toBase64Url(flipped))).toBe(refusal());
  }
});

test("a sealed secret does not open cut short at any byte, lengthened, or under another prefix", async () => {
  const sealed = await seal(KEYS, "bank", PATH, SECRET);
  const bytes = fromBase64(sealed.slice(PREFIX.length)) ?? new Uint8Array();
  for (let length = 0; length < bytes.byteLength; length++) {
    expect(await attempt(PREFIX + toBase64Url(bytes.subarray(0, length)))).toBe(refusal());
  }
  expect(await attempt(PREFIX + toBase64Url(new Uint8Array([...bytes, 0])))).toBe(refusal());
  const others = ["", SECRET, "***", PREFIX, `${PREFIX}%%%`, sealed.slice(PREFIX.length), sealed.replace("v1", "v2")];
  for (const other of others) expect(await attempt(other)).toBe(refusal());
});

test("a sealed secret does not open for another tenant, another field or another key", async () => {
  const sealed = await seal(KEYS, "bank", PATH, SECRET);
  expect(await attempt(sealed, KEYS, "bank2")).toBe(refusal("bank2"));
  expect(await attempt(sealed, KEYS, "Bank")).toBe(refusal("Bank"));
  expect(await attempt(sealed, KEYS, "bank", "dolphins.auth.token")).toBe(refusal("bank", "dolphins.auth.token"));
  expect(await attempt(sealed, [keyOf(2)])).toBe(refusal());
  expect(await attempt(sealed, [keyOf(2), keyOf(3)])).toBe(refusal());
  // The two names are bound as a pair: moving the border between them is another pair.
  const joined = await seal(KEYS, 'a","b', "c", SECRET);
  expect(await attempt(joined, KEYS, "a", 'b","c')).toBe(refusal("a", 'b","c'));
});

test("a sealed secret opens under the key before, while that is set", async () => {
  const sealed = await seal(KEYS, "bank", PATH, SECRET);
  expect(await open([keyOf(2), keyOf(1)], "bank", PATH, sealed)).toBe(SECRET);
});

const record = (password: string): Tenant => {
  const parsed = parseTenant(
    "bank",
    {
      dolphins: { baseUrl: "https://bank.example.com", auth: { type: "login", username: "u", password } },
      desk: { type: "native", url: "https://desk.example.com/" },
    },
    false,
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};
const sealedBy = async (keys: MasterKeys, password: string, before?: Tenant) =>
  sealSecrets(keys, record(password), before);

test("a tenant record is sealed, masked and opened in its secrets alone", async () => {
  const { sealed, issues } = await sealedBy(KEYS, SECRET);
  expect(issues).toEqual([]);
  expect(JSON.stringify(sealed)).not.toContain(SECRET);
  expect(await maskSecrets(sealed)).toEqual(record("***"));
  expect(await openSecrets(KEYS, sealed)).toEqual(record(SECRET));
});

test("a tenant record put with *** is sealed anew, under the key in force", async () => {
  const { sealed: before } = await sealedBy(KEYS, SECRET);
  const rotated: MasterKeys = [keyOf(2), keyOf(1)];
  const { sealed, issues } = await sealedBy(rotated, "***", before);
  expect(issues).toEqual([]);
  expect(await openSecrets([keyOf(2)], sealed)).toEqual(record(SECRET));
});

test("a tenant record put with *** names the secret that is not there, or does not open any more", async () => {
  const { sealed: before } = await sealedBy(KEYS, SECRET);
  for (const [keys, stored] of [
    [KEYS, undefined],
    [[keyOf(2)] as const, before],
    [KEYS, { ...before, dolphins: { ...before.dolphins, auth: { type: "none" as const } } }],
  ] as const) {
    expect((await sealedBy(keys, "***", stored)).issues).toMatchObject([{ path: PATH }]);
  }
});

test.each([
  ["", "", true],
  ["a", "a", true],
  ["é", "é", true],
  ["a", "b", false],
  ["a", "ab", false],
  ["ab", "a", false],
  ["", "a", false],
  ["a", "A", false],
  ["é", "e\u0301", false],
  ["\uD800", "\uFFFD", true],
])("equalSecrets of %j and %j is %j: it compares UTF-8", (given, expected, equal) => {
  expect(equalSecrets(given, expected)).toBe(equal);
});
