import { prose, table, title } from "../harness/print.ts";
import { VIOLATIONS, type ViolationName } from "./audit.ts";
import { FATES, type Fate } from "./faults.ts";
import type { ChaosResult } from "./result.ts";

/** Of each kind of wrong, shown in words. */
const SHOWN = 10;

/** One table for a reader, and the same as one line of JSON. */
export function showResult(result: ChaosResult, passed: boolean): void {
  const { repeats, violations } = result;
  const repeated = repeats.fault + repeats.timeout + repeats.kill + repeats.unexplained;
  const explained = `lost by a fault ${repeats.fault}, a timeout ${repeats.timeout}, a kill ${repeats.kill}`;
  const refused = Object.entries(result.refused).map(([code, count]) => `${count} ${code}`);
  title(`Chaos, seed ${result.seed}: ${passed ? "every guarantee held" : "GUARANTEES WERE BROKEN"}`);
  table(
    ["What", "Count", "Of these"],
    [
      ["accepted (answered 200)", result.accepted, `in ${result.lanes} lanes of ${result.tickets} tickets`],
      ["unknown (the answer was lost)", result.unknown, `${result.unknownStored} turned out to be stored`],
      ["refused", refused.length === 0 ? 0 : refused.join(", "), ""],
      ["delivered (received by a far end)", result.delivered, "each counted once"],
      ["dead", result.dead, ""],
      ["repeated", repeated, `the outcome before: ${explained}`],
      ["Close", result.closes, `${result.fenced} replies after it refused`],
      ["kill -9 and orderly stops", result.killed + result.stopped, `${result.killed} and ${result.stopped}`],
      ["requests to the relay", result.requests, `in ${result.seconds} s`],
      ["attempts by the relay", result.attempts, ""],
      ...(Object.keys(FATES) as Fate[]).map((fate) => [`  ${fate}`, result.fates[fate] ?? 0, FATES[fate]]),
    ].map((row) => row.map(String)),
  );
  prose("");
  const names = Object.keys(VIOLATIONS) as ViolationName[];
  table(
    ["Violation (guarantee)", "Count", "Meaning"],
    names.map((name) => [name, String(violations[name].length), VIOLATIONS[name]]),
  );
  for (const name of names.filter((one) => violations[one].length > 0)) {
    prose("", `${name}:`, ...violations[name].slice(0, SHOWN).map((words) => `  ${words}`));
  }
  const counts = Object.fromEntries(names.map((name) => [name, violations[name].length]));
  prose("", JSON.stringify({ ...result, violations: counts, passed }));
}
