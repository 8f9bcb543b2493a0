import { Lexer, type MarkedToken, type Token, type Tokens } from "marked";

/** What agents write in an editor of markdown, in the marks of the customer's channel. */

export type Marks = "whatsapp" | "plain";

/** WhatsApp has marks of its own. Elsewhere there is no telling, and a mark that is not known is noise. */
export const marksOf = (channel: string): Marks => (/whatsapp/i.test(channel) ? "whatsapp" : "plain");

/** A single line break stays one, as the editor shows it. HTML that was typed is said as typed. */
export const markdownText = (markdown: string, marks: Marks): string =>
  blocks(new Lexer({ gfm: true, breaks: true }).lex(markdown), marks, "\n\n");

/** The parser's own kinds of tokens; there are no others without an extension. */
const known = (tokens: readonly Token[] | undefined) => (tokens ?? []) as MarkedToken[];

/** Where a list or a quote follows with no empty line before it, none comes between. */
function blocks(tokens: readonly Token[], marks: Marks, between: string): string {
  let [text, gap] = ["", ""];
  for (const token of known(tokens)) {
    if (token.type === "space") gap += token.raw;
    if (token.type === "space" || token.type === "checkbox") continue;
    if (text !== "") text += /\n\s*\n/.test(gap) ? between : "\n";
    text += block(token, marks);
    gap = /\n*$/.exec(token.raw)?.[0] ?? "";
  }
  return text.trimEnd();
}

function block(token: MarkedToken, marks: Marks): string {
  switch (token.type) {
    case "paragraph":
      return inline(token.tokens, marks);
    case "text":
      return token.tokens ? inline(token.tokens, marks) : token.text;
    case "heading":
      return marked(inline(token.tokens, marks), "*", marks);
    case "list":
      return list(token, marks);
    case "blockquote":
      return prefixed(blocks(token.tokens, marks, "\n\n"), "> ", "> ");
    case "code":
      return marks === "whatsapp" && token.codeBlockStyle !== "indented" ? `\`\`\`${token.text}\`\`\`` : token.text;
    default:
      return token.raw.trimEnd();
  }
}

function list({ items, ordered, start }: Tokens.List, marks: Marks): string {
  const lines = items.map((item, index) => {
    const sign = ordered ? `${Number(start) + index}. ` : "- ";
    const box = item.task ? `[${item.checked ? "x" : " "}] ` : "";
    return prefixed(blocks(item.tokens, marks, "\n"), sign + box, " ".repeat(sign.length));
  });
  return lines.join("\n");
}

const prefixed = (text: string, first: string, rest: string) =>
  text
    .split("\n")
    .map((line, index) => `${index === 0 ? first : rest}${line}`.trimEnd())
    .join("\n");

const inline = (tokens: readonly Token[] | undefined, marks: Marks): string =>
  known(tokens)
    .map((token) => span(token, marks))
    .join("");

function span(token: MarkedToken, marks: Marks): string {
  switch (token.type) {
    case "strong":
      return marked(inline(token.tokens, marks), "*", marks);
    case "em":
      return marked(inline(token.tokens, marks), "_", marks);
    case "del":
      return marked(inline(token.tokens, marks), "~", marks);
    case "codespan":
      return marked(token.text, "`", marks);
    case "br":
      return "\n";
    case "link":
      return link(inline(token.tokens, marks), token.href);
    case "image":
      return link(token.text, token.href);
    case "escape":
    case "text":
      return token.text;
    default:
      return token.raw;
  }
}

const link = (text: string, href: string): string =>
  text === "" || text === href
    ? href
    : href === `mailto:${text}` || href === `http://${text}`
      ? text
      : `${text} (${href})`;

/** A mark of WhatsApp's ends with its line, and has no blank inside of it. */
const marked = (text: string, mark: string, marks: Marks): string =>
  marks === "plain" ? text : text.replaceAll(/\S.*\S|\S/g, (words) => `${mark}${words}${mark}`);
