import { Routes } from "../http/routes";
import type { HomeAnswer } from "../model/answers";

/** The relay's bare address: a person is led to the console, and a program is told where to read on. */
export const frontDoor = new Routes();

frontDoor.get("/", (c) => {
  c.header("vary", "accept");
  if (/\btext\/html\b/i.test(c.req.header("accept") ?? "")) return c.redirect("/console/");
  return c.json<HomeAnswer>({
    status: "success",
    apiReference: "/docs",
    openapi: "/openapi.json",
    console: "/console/",
  });
});
