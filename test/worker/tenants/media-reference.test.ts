import { expect, test } from "vitest";
import { readMediaReference, writeMediaReference } from "../../../src/tenants/media-reference";

const keys = [new Uint8Array(32)] as const;
const reference = { owner: "owner-1", url: "https://acme.zendesk.com/sc/a.txt", endsAtMs: 1_800_000_000_000 };

test("a link to a file is read until its end, and from then on leads to nothing", async () => {
  const link = await writeMediaReference(keys, reference);
  expect(await readMediaReference(keys, link, reference.endsAtMs - 1)).toEqual(reference);
  expect(await readMediaReference(keys, link, reference.endsAtMs)).toBeUndefined();
});
