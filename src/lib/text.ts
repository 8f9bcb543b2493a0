/**
 * Where texts are cut. A cut falls between two graphemes, which are what a person takes for one character: an emoji of
 * several code points, or a letter with its accents. Lengths are UTF-16 units, the strictest way to count.
 */

let made: Intl.Segmenter | undefined;

/** The grapheme that this unit of the text belongs to. Made on first use: most texts are short enough to stay whole. */
function graphemeAt(text: string, unit: number): { start: number; end: number } {
  made ??= new Intl.Segmenter();
  const { index = unit, segment = "" } = made.segment(text).containing(unit) ?? {};
  return { start: index, end: index + segment.length };
}

/** A grapheme longer than all that is allowed has to be cut, but no surrogate pair ever is. */
function splitsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}

/** The beginning of a text, at most so many units of it. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const { start } = graphemeAt(text, most);
  return text.slice(0, start > 0 ? start : most - (splitsPair(text, most) ? 1 : 0));
}

/** The end of a text, at most so many units of it. */
export function clipStart(text: string, most: number): string {
  if (text.length <= most) return text;
  const at = text.length - most;
  const { start, end } = graphemeAt(text, at);
  if (start === at) return text.slice(at);
  return text.slice(end < text.length ? end : at + (splitsPair(text, at) ? 1 : 0));
}

const encoder = new TextEncoder();

/** The beginning of a text, at most so many bytes of it in UTF-8. */
export function clipBytes(text: string, most: number): string {
  if (text.length * 3 <= most) return text;
  if (most <= 0) return "";
  return clip(text, encoder.encodeInto(text, new Uint8Array(most)).read);
}

/**
 * A text in pieces of at most so many units. A cut falls behind a line, or else behind a word, if that leaves the piece more
 * than half full. A piece with nothing to read in it is left out, and nothing else: every word is in one of the others.
 */
export function split(text: string, most: number): string[] {
  if (text.length <= most) return [text];
  const pieces: string[] = [];
  for (let rest = text; rest !== "";) {
    const piece = rest.slice(0, cutIn(rest, most));
    rest = rest.slice(piece.length);
    if (piece.trim() !== "") pieces.push(piece);
  }
  return pieces;
}

/** How long the first piece of a text is. A pair that is longer than the limit is a piece all the same, or there is no end. */
function cutIn(text: string, most: number): number {
  if (text.length <= most) return text.length;
  const head = clip(text, most);
  const gap = ["\n", " "]
    .map((mark) => head.lastIndexOf(mark) + 1)
    // An accent may stand on a blank, and belongs to it.
    .find((at) => at > most / 2 && graphemeAt(text, at).start === at);
  return gap ?? (head.length || 2);
}
