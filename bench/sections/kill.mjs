// kill -9 at random moments, until there were enough: what is left behind each time, and whether the resumed run ends with the same bits.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { nodeCommand, ROOT } from '../lib/contenders.mjs';

const STEPS = 120;
/** One process in so many is killed while it starts, at any moment of this; the others after a while of training. */
const STARTING = { oneIn: 5, milliseconds: 600 };
/** Longest time from the end of the first inner loop to the kill. */
const TRAINING_MILLISECONDS = 500;

/** Counts torn and lost checkpoints, leftovers, and runs that end with other bits than one that was never killed. */
export async function measureKills(context) {
  const { surveyCheckpoints, compareCheckpoints } = await import(path.join(ROOT, 'dist/checkpoint/index.js'));
  const count = context.options.kills;
  const results = { kills: 0, torn: 0, lost: 0, leftovers: 0, runs: 0, different: 0 };
  const incidents = [];
  const note = (kind, text) => {
    results[kind]++;
    incidents.push(`${kind} after kill ${results.kills}: ${text}`);
  };
  const whole = mkdtempSync(path.join(context.scratch, 'whole-'));
  await train(context, whole, null);
  let directory = null;
  let reported = 0;
  while (results.kills < count) {
    context.progress(`kill ${results.kills + 1} of ${count}`);
    directory ??= mkdtempSync(path.join(context.scratch, 'killed-'));
    const isStarting = Math.random() < 1 / STARTING.oneIn;
    const after = Math.random() * (isStarting ? STARTING.milliseconds : TRAINING_MILLISECONDS);
    const ended = await train(context, directory, { isStarting, after });
    reported = Math.max(reported, ...ended.saved);
    if (ended.wasKilled) {
      results.kills++;
      const found = existsSync(directory)
        ? await surveyCheckpoints(directory, { verify: 'checksum' }).catch((error) => (note('torn', error.message), []))
        : [];
      // Torn is what looks complete and is not. One that was deleted just now may still be listed: it has no bytes.
      const torn = found.filter((c) => c.problem !== null && c.bytes > 0);
      if (torn.length > 0) note('torn', torn.map((c) => c.problem).join(' '));
      const newest = Math.max(0, ...found.filter((c) => c.problem === null).map((c) => c.step ?? 0));
      if (newest < reported) note('lost', `step ${reported} was reported as saved, step ${newest} is there`);
      continue;
    }
    if (ended.status !== 0) throw new Error(`the run ended with status ${ended.status}: ${ended.errors}`);
    results.runs++;
    const { tensors, values } = await compareCheckpoints(path.join(directory, `ckpt-${STEPS}`), path.join(whole, `ckpt-${STEPS}`));
    if (tensors.length + values.length > 0) note('different', [...tensors.map((t) => t.name), ...values].join(', '));
    const left = readdirSync(directory, { recursive: true }).filter((name) => name.includes('.tmp') || name.includes('replaced'));
    if (left.length > 0) note('leftovers', left.join(', '));
    rmSync(directory, { recursive: true, force: true });
    directory = null;
    reported = 0;
  }
  const bad = results.torn + results.lost + results.leftovers + results.different;
  return {
    title: `kill -9 at ${results.kills} random moments of runs of ${STEPS} steps, resumed to their ends ${results.runs} times`,
    results: { ...results, incidents },
    facts: [
      ...Object.entries(results).map(([name, value]) => ({ name, value })),
      ...incidents.map((value) => ({ name: 'incident', value })),
    ],
    goals: [{ name: 'torn, lost, left over or different', value: bad, limit: 0, unit: '' }],
  };
}

/** Runs the child; kills it, if asked, so long after its start or after the end of its first inner loop. */
function train(context, directory, kill) {
  const { command, args, env } = nodeCommand(context, [path.join(ROOT, 'bench/workers/kill-child.mjs'), directory, String(STEPS)]);
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, errors, timer] = ['', '', null];
    const arm = () => (timer ??= setTimeout(() => child.kill('SIGKILL'), kill.after));
    if (kill?.isStarting) arm();
    child.stdout.on('data', (text) => {
      out += text;
      if (kill !== null) arm();
    });
    child.stderr.on('data', (text) => (errors += text));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const saved = [...out.matchAll(/^saved (\d+)$/gm)].map((m) => Number(m[1]));
      resolve({ status, wasKilled: signal === 'SIGKILL', saved, errors: errors.slice(-500) });
    });
  });
}
