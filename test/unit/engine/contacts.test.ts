import { expect, test } from "vitest";
import { contactIn } from "../../../src/engine/contacts";

const contact = { id: "c", name: "Farhan" };

test.each<[string, unknown]>([
  ["bare", contact],
  ["under data", { data: contact }],
  ["in a list under data", { status: "success", data: [contact], totalResults: 1 }],
  ["in a list", [contact]],
])("the contact in the engine's answer is found %s", (_where, answer) => {
  expect(contactIn(answer)).toEqual(contact);
});

test("a contact that has a field called data is not taken for what stands in it", () => {
  const odd = { ...contact, data: { any: 1 } };
  expect(contactIn(odd)).toEqual(odd);
});

test.each<[unknown]>([
  [{ data: [] }],
  [{ data: null, hasMore: false }],
  [{ data: {} }],
  [{ status: "success" }],
  [{}],
  [[]],
  [null],
  ["c"],
  [undefined],
])("an answer of the engine without a contact has none: %j", (answer) => {
  expect(contactIn(answer)).toBeUndefined();
});
