import { readFileSync } from "node:fs";

/** What Linux says of a process. */

/** /proc counts CPU time in these, whatever the kernel's own clock (proc(5), `sysconf(_SC_CLK_TCK)`). */
const TICK_MS = 10;

/** CPU time of all its threads so far, in ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold blanks. Behind it: state is the 3rd field, utime the 14th, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Memory that belongs to it now, in bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kib === undefined) throw new Error(`There is no process ${pid}.`);
  return Number(kib) * 1024;
}
