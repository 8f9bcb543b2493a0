/** Vite's import of many files at once, as far as the tests use it. */
interface ImportMeta {
  glob: <T>(pattern: string, options: { eager: true; import?: string }) => Record<string, T>;
}

/** Vite's import of a file as the text that it is. */
declare module "*?raw" {
  const text: string;
  export default text;
}
