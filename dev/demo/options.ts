import { parseArgs } from "node:util";

export const usage = `npm start                    plays a conversation between a pretend 3Dolphins and a pretend desk, then stays up
npm start -- --once          plays it and ends
npm start -- --desk <url>    stays up with your own desk in place of the pretend one, and prints its token and secret
npm start -- --engine <url>  stays up with your own 3Dolphins server in place of the pretend one
npm start -- --help          says this

Everything runs on this machine, with secrets made for this one run. --desk and --engine may be given together.`;

export type Options =
  | { do: "play"; once: boolean }
  | { do: "serve"; desk: string | undefined; engine: string | undefined }
  | { do: "help" };

/** What the command line asks for. Throws an Error whose message says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: "boolean", default: false },
      desk: { type: "string" },
      engine: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { once, desk, engine, help } = values;
  if (help) return { do: "help" };
  if (desk === undefined && engine === undefined) return { do: "play", once };
  if (once) throw new Error("--once ends after the sample conversation, which needs both pretend ends: leave it out.");
  return { do: "serve", desk: urlOf("--desk", desk), engine: urlOf("--engine", engine) };
}

function urlOf(option: string, given: string | undefined): string | undefined {
  if (given === undefined || ["http:", "https:"].includes(URL.parse(given)?.protocol ?? "")) return given;
  throw new Error(`${option} takes an http or https URL, such as http://127.0.0.1:3000/; "${given}" is none.`);
}
