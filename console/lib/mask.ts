/**
 * What the console keeps covered until somebody asks: numbers of payment cards, and one-time codes. It is for the eyes of
 * those who pass by, and says nothing of what is stored. Pure.
 */

/** 13 to 19 digits, in groups or not (ISO/IEC 7812). */
const CARD = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.]\d|\w)/g;

/** A word that speaks of a code, and behind it within a few words the code; or the code first. */
const WORD = String.raw`(?:otp|one[- ]time|kode|code|pin|token|verifikasi|verification|sandi|passcode)`;
const CODE_AFTER = new RegExp(String.raw`(?<=\b${WORD}\b[^\d\n]{0,40})\d(?:[ -]?\d){3,7}\b`, "giu");
const CODE_BEFORE = new RegExp(String.raw`\b\d(?:[ -]?\d){3,7}(?=[^\d\n]{1,40}\b${WORD}\b)`, "giu");

const covered = (text: string): string => text.replaceAll(/\d/g, "•");

/** The last four digits of a card stay, as on a receipt. */
const coveredCard = (card: string): string => {
  const digits = card.replaceAll(/\D/g, "");
  return isCard(digits) ? covered(card.slice(0, -4)) + card.slice(-4) : card;
};

export const masked = (text: string): string =>
  text.replaceAll(CARD, coveredCard).replaceAll(CODE_AFTER, covered).replaceAll(CODE_BEFORE, covered);

/** The check digit of every card's number (Luhn, ISO/IEC 7812-1, annex B). */
function isCard(digits: string): boolean {
  const sum = digits
    .split("")
    .toReversed()
    .reduce((total, digit, at) => {
      const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}
