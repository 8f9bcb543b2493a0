/**
 * The rich text of an agent, as a customer reads it. It is the desk's own HTML, already sanitised: nothing here is shown as
 * HTML again, so what is read wrongly is no more than text that looks odd.
 */

const TAG = /<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/gi;
const HREF = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;
const HIDDEN = /<!--[^]*?-->|<(style|script)\b[^]*?<\/\1\s*>/gi;
const LINK = /^(?:https?|mailto|tel):/i;

/** These stand on lines of their own. */
const BLOCK = /^(?:p|div|h[1-6]|ul|ol|li|table|tr|blockquote|pre|hr|br)$/;

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** Where the links of it lead. */
export const linksOf = (html: string): string[] =>
  [...html.matchAll(TAG)].map(([, , name = "", attributes = ""]) => hrefOf(name, attributes)).filter(Boolean);

export function htmlToText(html: string): string {
  const links: { href: string; start: number }[] = [];
  let text = "";
  let last = 0;
  const source = html.replaceAll(HIDDEN, "");
  for (const { index, 0: tag, 1: closes, 2: name = "", 3: attributes = "" } of source.matchAll(TAG)) {
    text += decoded(source.slice(last, index).replaceAll(/\s+/g, " "));
    last = index + tag.length;
    const element = name.toLowerCase();
    if (element === "a" && closes === "") links.push({ href: hrefOf(name, attributes), start: text.length });
    if (element === "a" && closes !== "") text += address(links.pop(), text);
    // A paragraph within an item of a list begins where the item does.
    if (BLOCK.test(element) && !text.endsWith("\n- ")) text += element === "li" && closes === "" ? "\n- " : "\n";
  }
  text += decoded(source.slice(last).replaceAll(/\s+/g, " "));
  return text
    .replaceAll(/ *\n */g, "\n")
    .replaceAll(/\n{2,}/g, "\n")
    .trim();
}

/** Where a link leads, behind its text, unless that says so itself. */
function address(link: { href: string; start: number } | undefined, text: string): string {
  if (!link || link.href === "") return "";
  const label = text.slice(link.start).trim();
  if (link.href.replace(/^(?:mailto|tel):/i, "") === label || link.href === label) return "";
  return label === "" ? link.href : ` (${link.href})`;
}

function hrefOf(name: string, attributes: string): string {
  const [, double, single, bare] = name.toLowerCase() === "a" ? (HREF.exec(attributes) ?? []) : [];
  const href = decoded(double ?? single ?? bare ?? "").trim();
  return LINK.test(href) ? href : "";
}

const decoded = (text: string): string =>
  text.replaceAll(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]+));/gi,
    (whole, hex?: string, decimal?: string, name = "") => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      if (Number.isNaN(code)) return NAMED[String(name).toLowerCase()] ?? whole;
      return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
    },
  );
