import { raw } from "hono/html";
import { Marked } from "marked";

/** Markup of the reference's pages. What is put into `html` from hono is escaped, unless it is one of these. */
export type Html = ReturnType<typeof raw>;

const marked = new Marked({ gfm: true });

/** A heading can be linked to by what it says, as on a code host. */
marked.use({
  renderer: {
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${slugOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
  },
});

export const markdown = (text: string): Html => raw(marked.parse(text, { async: false }));

/** Of one paragraph, what stands inside it. */
export const inline = (text: string): Html => raw(marked.parseInline(text, { async: false }));

export const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
