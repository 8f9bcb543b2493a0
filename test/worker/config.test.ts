import { describe, expect, test } from "vitest";
import { operatorNamed, operatorWith, readConfig, type Config } from "../../src/config";
import { AppError } from "../../src/model/errors";
import { reaches, roleOf, ROLES } from "../../src/model/operator";

/** Who operates the relay, as the settings say it. */

const ADMIN_TOKEN = "a".repeat(32);
const [SITI, BUDI] = ["s".repeat(32), "b".repeat(40)];

const configOf = (settings: Record<string, string>): Config =>
  readConfig({ ADMIN_TOKEN, ...settings } as unknown as Env);
const faultOf = ({ operators, access }: Config) =>
  (operators.ok ? undefined : operators.error) ?? (access.ok ? undefined : access.error);

describe("OPERATORS", () => {
  test("OPERATORS that is not set names nobody, and ADMIN_TOKEN is the admin", () => {
    const config = configOf({});
    expect(operatorWith(config, ADMIN_TOKEN)).toEqual({ name: "admin", role: "admin", token: ADMIN_TOKEN });
    expect(operatorWith(config, SITI)).toBeUndefined();
  });

  test("OPERATORS names operators with their role, found by token and by name", () => {
    const config = configOf({ OPERATORS: ` siti.n:viewer=${SITI}, budi:operator=${BUDI}= ,` });
    expect(operatorWith(config, SITI)).toEqual({ name: "siti.n", role: "viewer", token: SITI });
    expect(operatorNamed(config, "budi")).toEqual({ name: "budi", role: "operator", token: `${BUDI}=` });
    expect([operatorWith(config, SITI.slice(1)), operatorNamed(config, "SITI.N")]).toEqual([undefined, undefined]);
  });

  test.each([
    ["nothing", ""],
    ["a token of 31 characters", `siti:viewer=${SITI.slice(1)}`],
    ["no role", `siti=${SITI}`],
    ["a role that there is not", `siti:owner=${SITI}`],
    ["no name", `:viewer=${SITI}`],
    ["a name like an address", `siti@bank.example:viewer=${SITI}`],
    ["one good entry and one that is not", `siti:viewer=${SITI},budi`],
    ["a name twice", `siti:viewer=${SITI},siti:admin=${BUDI}`],
    ["a token twice", `siti:viewer=${SITI},budi:admin=${SITI}`],
    ["the admin's name", `admin:viewer=${SITI}`],
    ["the admin's token", `siti:viewer=${ADMIN_TOKEN}`],
  ])("OPERATORS with %s is refused by its name, and shuts out all but ADMIN_TOKEN", (_, OPERATORS) => {
    const config = configOf({ OPERATORS });
    expect(faultOf(config)).toMatch(/^OPERATORS /);
    expect(faultOf(config)).not.toContain(SITI);
    expect(operatorWith(config, ADMIN_TOKEN)?.role).toBe("admin");
    expect(operatorNamed(config, "admin")?.role).toBe("admin");
    for (const ask of [() => operatorWith(config, SITI), () => operatorNamed(config, "siti")])
      expect(ask).toThrow(AppError);
  });
});

const ACCESS = {
  ACCESS_TEAM_DOMAIN: "bank.cloudflareaccess.com",
  ACCESS_AUD: "a1, b2",
  ACCESS_ROLES: "*@bank.example:viewer",
};

describe("the settings of Cloudflare Access", () => {
  test("the settings of Cloudflare Access are all there or none", () => {
    expect(configOf({}).access).toEqual({ ok: true, value: undefined });
    expect(configOf(ACCESS).access).toEqual({
      ok: true,
      value: {
        origin: "https://bank.cloudflareaccess.com",
        audiences: ["a1", "b2"],
        rules: [{ address: "*@bank.example", role: "viewer" }],
      },
    });
    for (const name of Object.keys(ACCESS)) {
      const { [name as keyof typeof ACCESS]: _, ...rest } = ACCESS;
      expect(faultOf(configOf(rest as Record<string, string>))).toBe(`${name} is not set`);
    }
  });

  test.each([
    ["ACCESS_TEAM_DOMAIN", "bank"],
    ["ACCESS_TEAM_DOMAIN", "bank.cloudflareaccess.com/cdn-cgi"],
    ["ACCESS_TEAM_DOMAIN", "bank cloudflareaccess.com"],
    ["ACCESS_AUD", " , "],
    ["ACCESS_ROLES", ""],
    ["ACCESS_ROLES", "siti@bank.example"],
    ["ACCESS_ROLES", "siti@bank.example:owner"],
    ["ACCESS_ROLES", "*:viewer"],
    ["ACCESS_ROLES", "*@*:viewer"],
    ["ACCESS_ROLES", "s*@bank.example:viewer"],
    ["ACCESS_ROLES", "siti@bank.example:viewer, Siti@bank.example:admin"],
  ])("%s of %o is refused by its name", (name, value) => {
    expect(faultOf(configOf({ ...ACCESS, [name]: value }))).toMatch(new RegExp(`^${name} `));
  });
});

describe("roles", () => {
  const rules = [
    { address: "*@bank.example", role: "viewer" },
    { address: "siti@bank.example", role: "admin" },
    { address: "budi@other.example", role: "operator" },
  ] as const;

  test.each([
    ["siti@bank.example", "admin"],
    ["SITI@Bank.Example", "admin"],
    ["dewi@bank.example", "viewer"],
    ["budi@other.example", "operator"],
    ["dewi@other.example", undefined],
    ["dewi@sub.bank.example", undefined],
    ["dewi@notbank.example", undefined],
    ["siti@bank.example@other.example", undefined],
    ["bank.example", undefined],
    ["", undefined],
  ])("roles by e-mail: %o has %o, for the rule that names the address goes first, whatever its case", (email, role) => {
    expect(roleOf([...rules], email)).toBe(role);
  });

  test("roles reach as far as themselves and those below", () => {
    const reach = ROLES.map((role) => ROLES.map((needed) => reaches(role, needed)));
    expect(reach).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});
