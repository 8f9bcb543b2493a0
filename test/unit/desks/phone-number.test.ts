import { expect, test } from "vitest";
import { phoneNumberOf } from "../../../src/desks/chatwoot/phone-number";

test.each([
  ["628128778222", "+628128778222"],
  ["+628128778222", "+628128778222"],
  ["6591234567", "+6591234567"],
  ["60123456789", "+60123456789"],
  ["14155550123", "+14155550123"],
  ["+8613800138000", "+8613800138000"],
])("the WhatsApp account %s is a phone number", (account, number) => {
  expect(phoneNumberOf("whatsapp", account)).toBe(number);
});

test.each([
  ["an id of WhatsApp's own", "235085806727321"],
  ["an Indonesian number without its 0", "8128778222"],
  ["an Indonesian number that reads as one of Hong Kong", "85291234567"],
  ["a number with the trunk 0 in the middle", "62081287782220"],
  ["a number in its national form", "08128778222"],
  ["a number that is too short", "62812345"],
  ["a number that is too long", "628128778222000"],
  ["a name", "farhan"],
  ["nothing", ""],
])("%s is none", (_what, account) => {
  expect(phoneNumberOf("whatsapp", account)).toBeUndefined();
});

test("what looks like a number on a channel of other accounts is none", () => {
  expect(phoneNumberOf("telegrambot", "628128778222")).toBeUndefined();
});
