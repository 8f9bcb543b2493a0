import { expect, test } from "vitest";
import { routes } from "../../../src/app";
import { isDeclared } from "../../../src/http/operators";
import { OPEN_FROM } from "../../e2e/support/roles";

const served = routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/admin"));
const named = ({ method, path }: (typeof served)[number]) => `${method} ${path}`;

test("the table of roles, which is tried over HTTP, has every route under /admin and no other", () => {
  expect(Object.keys(OPEN_FROM).toSorted()).toEqual([...new Set(served.map(named))].toSorted());
});

test("every route under /admin says from which role on it is open", () => {
  const declared = new Set(served.filter(({ handler }) => isDeclared(handler)).map(named));
  expect([...new Set(served.map(named))].filter((route) => !declared.has(route))).toEqual([]);
  expect(declared.size).toBeGreaterThan(10);
});
