import { expect, test } from "vitest";
import { readOptions } from "../../../dev/demo/options.ts";

test("without options npm start plays the conversation and stays up", () => {
  expect(readOptions([])).toEqual({ do: "play", once: false });
  expect(readOptions(["--once"])).toEqual({ do: "play", once: true });
});

test("a desk or an engine of one's own takes the place of the pretend one", () => {
  const desk = "http://127.0.0.1:3000/";
  const engine = "https://bank.example:9443";
  expect(readOptions(["--desk", desk])).toEqual({ do: "serve", desk, engine: undefined });
  expect(readOptions(["--engine", engine, "--desk", desk])).toEqual({ do: "serve", desk, engine });
});

test("an option that is unknown, has no URL or does not fit another is refused with its name", () => {
  expect(() => readOptions(["--dsk", "http://127.0.0.1/"])).toThrow("--dsk");
  expect(() => readOptions(["desk"])).toThrow("desk");
  expect(() => readOptions(["--desk"])).toThrow("--desk");
  expect(() => readOptions(["--desk", "localhost:3000"])).toThrow('"localhost:3000" is none');
  expect(() => readOptions(["--engine", "ftp://bank.example/"])).toThrow("--engine");
  expect(() => readOptions(["--once", "--desk", "http://127.0.0.1/"])).toThrow("--once");
});
