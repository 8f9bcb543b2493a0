/** FC_SEED repeats the schedules of a run that failed: fast-check prints the seed. */
const seed = process.env["FC_SEED"];

export const RUN = seed === undefined ? {} : { seed: Number(seed) };
