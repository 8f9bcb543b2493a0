/** Who operates the relay, and how far that goes. */

/** From the least to the most: each may do what those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** `by` is how they have shown who they are. */
export type Operator = { name: string; role: Role; by: "token" | "session" | "access" };

export const reaches = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** `*@bank.example` or `siti@bank.example`, in lower case. */
export type RoleRule = { address: string; role: Role };

/** What the rules make of an e-mail address: the rule that names it whole goes before the one for its domain. */
export function roleOf(rules: RoleRule[], email: string): Role | undefined {
  const address = email.toLowerCase();
  const anyAt = `*${address.slice(address.lastIndexOf("@"))}`;
  const rule = rules.find((each) => each.address === address) ?? rules.find((each) => each.address === anyAt);
  return rule?.role;
}
