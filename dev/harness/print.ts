import { stripVTControlCharacters, styleText } from "node:util";

/** Whoever a line is about. The colours appear on a terminal alone: styleText asks stdout. */
export type Who = "customer" | "3Dolphins" | "relay" | "desk" | "agent" | "operator";

const colours = {
  customer: "cyan",
  "3Dolphins": "blue",
  relay: "yellow",
  desk: "magenta",
  agent: "green",
  operator: "gray",
} as const satisfies Record<Who, Parameters<typeof styleText>[0]>;

const nameWidth = 11;
const indent = " ".repeat(nameWidth + 3);

let afterGap = false;

export function title(text: string): void {
  gap();
  say(styleText("bold", text));
  gap();
}

export function prose(...lines: string[]): void {
  for (const line of lines) say(line);
}

/** What a person writes, and what it means in English. */
export function speech(who: Who, text: string, meaning: string): void {
  say(`${name(who)}   ${styleText("bold", text)}`);
  say(indent + styleText("gray", `(${meaning})`));
}

/** What a machine did with it. */
export function action(who: Who, text: string, mood: "good" | "bad" = "good"): void {
  say(`${name(who)}   ${mood === "bad" ? styleText("red", text) : text}`);
}

/** An empty line, and never two. */
export function gap(): void {
  if (!afterGap) say("");
}

export function fields(rows: [string, string][]): void {
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, value] of rows) say(`  ${label.padEnd(width)}   ${value}`);
}

export function table(header: string[], rows: string[][]): void {
  const widths = header.map((cell, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? cell).length)),
  );
  const line = (row: string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ")}`.trimEnd();
  say(styleText("bold", line(header)));
  say(`  ${widths.map((width) => "─".repeat(width)).join("   ")}`);
  for (const row of rows) say(line(row));
}

export function quoted(text: string, limit = 60): string {
  const plain = stripVTControlCharacters(text).replaceAll(/\s+/g, " ");
  return `"${plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain}"`;
}

export function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function name(who: Who): string {
  return styleText(colours[who], who.padStart(nameWidth));
}

function say(line: string): void {
  console.log(line);
  afterGap = line === "";
}
