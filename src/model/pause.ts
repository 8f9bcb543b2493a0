/** A lane in which nothing is attempted until an operator resumes it. */
export type Pause = Readonly<{ sinceMs: number; reason: string }>;

/**
 * What a tenant's index says of a lane: it is paused, or it is not. Two may overtake each other on their way to a ticket. The
 * later `atMs` counts.
 */
export type PauseState = Readonly<{ atMs: number; pause?: Pause }>;
