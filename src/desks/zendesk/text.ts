/** The beginning of a text, at most so many UTF-16 units of it, with no character cut in two. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  return text.slice(0, isHighSurrogate(text, most - 1) ? most - 1 : most);
}

/**
 * A text in pieces of at most so many UTF-16 units, cut after a line, or else a word, in their second half; put
 * together they are the text.
 */
export function split(text: string, most: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > most) {
    const head = clip(rest, most);
    const gap = ["\n", " "].map((mark) => head.lastIndexOf(mark) + 1).find((at) => at > most / 2);
    const piece = head.slice(0, gap);
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}

const isHighSurrogate = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
};
