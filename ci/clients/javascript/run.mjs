// Runs the checks of a client: one line a check, then `N passed, N failed`; the exit code is 1 when any failed. With CHECKS
// in the environment, only those whose line contains it.

import { Bench, ServerFactory } from "./bench.mjs";

/**
 * The command `check URL [SERVER]`. Each lane is a way to be connected, as `Bench` wants it, with its `checks`.
 * `restarts` are those for every lane that need the executable of the reference server.
 */
export async function main({ lanes, restarts, ...client }) {
  const [url, server] = process.argv.slice(2);
  if (!url) {
    console.error("usage: check URL [SERVER]");
    process.exit(2);
  }
  process.on("uncaughtException", (error) => {
    console.log(`FAIL  the client threw: ${error.stack}`);
    process.exit(1);
  });

  const lanesAtOnce = Object.entries(lanes).map(async ([name, { checks, ...lane }]) => {
    const all = server ? { ...checks, ...restarts } : checks;
    const outcomes = [];
    for (const [title, check] of Object.entries(all)) {
      const whole = `${name}: ${title}`;
      if (!whole.includes(process.env.CHECKS ?? "")) continue;
      const bench = new Bench(url, { name, ...client, ...lane }, new ServerFactory(server));
      outcomes.push(await passes(whole, check, bench));
    }
    return outcomes;
  });
  const outcomes = (await Promise.all(lanesAtOnce)).flat();
  if (outcomes.length === 0) {
    console.error(`no check's line contains ${process.env.CHECKS}`);
    process.exit(2);
  }
  const failed = outcomes.filter((passed) => !passed).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

async function passes(title, check, bench) {
  try {
    await check(bench);
    console.log(`ok    ${title}`);
    return true;
  } catch (error) {
    console.log(`FAIL  ${title}\n      ${String(error?.message ?? error).replaceAll("\n", "\n      ")}`);
    return false;
  } finally {
    bench.tidy();
  }
}
