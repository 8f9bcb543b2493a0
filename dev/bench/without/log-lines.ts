export * from "../../../src/lib/log";
export const log = (): void => undefined;
