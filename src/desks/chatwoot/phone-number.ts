/**
 * The mobile numbers of a country behind its calling code, as its national numbering plan (ITU-T E.129) has them: only the
 * countries that are written to from Indonesia in any number. A library that knows all of them is half as large as the relay.
 */
const MOBILE: Record<string, RegExp> = {
  "1": /^[2-9]\d{2}[2-9]\d{6}$/,
  "7": /^9\d{9}$/,
  "20": /^1[0125]\d{8}$/,
  "27": /^[678]\d{8}$/,
  "31": /^6\d{8}$/,
  "32": /^4\d{8}$/,
  "33": /^[67]\d{8}$/,
  "34": /^[67]\d{8}$/,
  "39": /^3\d{8,9}$/,
  "41": /^7[5-9]\d{7}$/,
  "44": /^7\d{9}$/,
  "49": /^1[5-7]\d{8,9}$/,
  "55": /^[1-9]\d9\d{8}$/,
  "60": /^1(1\d{8}|[02-9]\d{7})$/,
  "61": /^4\d{8}$/,
  "62": /^8[1-9]\d{7,10}$/,
  "63": /^9\d{9}$/,
  "64": /^2\d{7,9}$/,
  "65": /^[89]\d{7}$/,
  "66": /^[689]\d{8}$/,
  "81": /^[789]0\d{8}$/,
  "82": /^10\d{8}$/,
  "84": /^[35789]\d{8}$/,
  "86": /^1[3-9]\d{9}$/,
  "90": /^5\d{9}$/,
  "91": /^[6-9]\d{9}$/,
  "92": /^3\d{9}$/,
  "94": /^7\d{8}$/,
  "95": /^9\d{7,9}$/,
  "234": /^[789][01]\d{8}$/,
  "254": /^[17]\d{8}$/,
  "670": /^7[2-8]\d{6}$/,
  "673": /^[78]\d{6}$/,
  "852": /^[4-9]\d{7}$/,
  "853": /^6\d{7}$/,
  "856": /^20\d{8}$/,
  "880": /^1[3-9]\d{8}$/,
  "886": /^9\d{8}$/,
  "965": /^[569]\d{7}$/,
  "966": /^5\d{8}$/,
  "968": /^[79]\d{7}$/,
  "971": /^5\d{8}$/,
  "973": /^[36]\d{7}$/,
  "974": /^[3567]\d{7}$/,
  "977": /^9[78]\d{8}$/,
};

const LONGEST_CALLING_CODE = 3;

/**
 * The account as E.164, where it surely is a phone number: none is better than a stranger's. An account of another channel may
 * look like one, and so may an id of WhatsApp's own. Without a plus, what begins with 8 may be an Indonesian number that has
 * lost its 0.
 */
export function phoneNumberOf(channel: string, account: string): string | undefined {
  if (!/whatsapp|sms|phone|call/i.test(channel)) return undefined;
  const [, plus, digits = ""] = /^(\+?)([1-9]\d{7,14})$/.exec(account) ?? [];
  if (plus === "" && digits.startsWith("8")) return undefined;
  for (let length = 1; length <= LONGEST_CALLING_CODE; length++) {
    if (MOBILE[digits.slice(0, length)]?.test(digits.slice(length))) return `+${digits}`;
  }
  return undefined;
}
