/**
 * Chatwoot's worker (Sidekiq) as its webhooks see it. An event becomes a job that makes the webhook's body, and that job one
 * that posts it, ten of them at once and none of them twice. So what was done while the worker stood is told of as it is when
 * the worker runs again, in no certain order; and what a killed worker had in hand is told to nobody.
 */
export type Worker = {
  stop: () => void;
  /** It takes up what waits, in this order if one is given. What each of the ten meets on its way is as in life. */
  start: (order?: (jobs: Post[]) => Post[]) => void;
  /** The ten jobs that it has or would have taken up next are gone; the rest waits until it is started. The count of them. */
  kill: () => number;
  /** Resolves once it has nothing in hand. */
  idle: () => Promise<void>;
  /** Resolves with what the far end answered: 0 where nobody asked it. */
  enqueue: (event: Event) => Promise<number>;
};

/** Makes the body, as things are now; undefined where there is nothing to post. */
type Event = () => Post | undefined;
export type Post = { event: string; messageId: number | undefined; send: (signal: AbortSignal) => Promise<number> };

type Job<T> = { what: T; done: (status: number) => void };

const THREADS = 10;

export function startWorker(): Worker {
  let isUp = true;
  let events: Job<Event>[] = [];
  let posts: Job<Post>[] = [];
  const running = new Map<Job<Post>, AbortController>();
  const waiting: (() => void)[] = [];

  const make = ({ what, done }: Job<Event>): Job<Post>[] => {
    const post = what();
    if (post) return [{ what: post, done }];
    done(0);
    return [];
  };
  const run = async (job: Job<Post>) => {
    const abort = new AbortController();
    running.set(job, abort);
    const status = await job.what.send(abort.signal);
    if (running.delete(job)) job.done(status);
    takeUp();
    if (running.size === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  const takeUp = () => {
    const free = isUp ? THREADS - running.size : 0;
    for (const next of posts.splice(0, free)) void run(next);
  };

  return {
    stop: () => {
      isUp = false;
    },
    start: (order = (jobs) => jobs) => {
      const made = events.flatMap(make);
      events = [];
      const jobs = [...posts, ...made];
      posts = order(jobs.map(({ what }) => what)).flatMap((post) => jobs.filter(({ what }) => what === post));
      isUp = true;
      takeUp();
    },
    kill: () => {
      isUp = false;
      const taken = [...running];
      running.clear();
      for (const [{ done }, abort] of taken) {
        abort.abort();
        done(0);
      }
      const lost = posts.splice(0, THREADS - taken.length);
      const unmade = events.splice(0, THREADS - taken.length - lost.length);
      for (const { done } of [...lost, ...unmade]) done(0);
      return taken.length + lost.length + unmade.length;
    },
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
    enqueue: (what) =>
      new Promise((done) => {
        const job = { what, done };
        if (!isUp) events.push(job);
        else posts.push(...make(job));
        takeUp();
      }),
  };
}
