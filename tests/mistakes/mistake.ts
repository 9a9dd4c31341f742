/** Making mistakes on purpose and reading what is printed: the machinery behind docs/errors.md. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { runCommandLine } from '../../src/cli/program.js';
import { diskFull } from './faults.js';
import * as orbit from '../../src/index.js';

/** One mistake: files that are there, then a command that is typed or code that is run. */
export interface Mistake {
  /** What was done wrong. */
  readonly title: string;
  /** Files in the working directory by path, shown above the mistake. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Arguments of `orbit`, as typed. */
  readonly command?: string;
  /** JavaScript, run with all names of the package and `tf` in scope. */
  readonly code?: string;
  /** Prepares what cannot be shown as a file: a full disk, a directory, a lock. Returns what undoes it. */
  readonly prepare?: () => (() => void) | void;
  /** Told beside the mistake, where code or command do not say it all. */
  readonly note?: string;
}

/** A chapter of the page. */
export interface Chapter {
  readonly title: string;
  readonly mistakes: readonly Mistake[];
}

/** The task of the examples, shown at the top of the page. */
export const example = `const lineTask = taskConfig({ units: 1 }, { name: 'LineTask' });
const x = NDArray.of(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), [32, 2]);
const y = NDArray.of(Float32Array.from({ length: 32 }, (_, i) => Math.sin(2 * i)), [32, 1]);

class LineTask extends Task {
  buildModel() {
    return tf.sequential({ layers: [tf.layers.dense({ units: this.taskConfig.units, inputShape: [2] })] });
  }
  buildInputs(data) {
    const batches = fromArrays([x, y]).batch(data.global_batch_size);
    return data.is_training ? batches.repeat() : batches;
  }
  buildLosses(labels, outputs) {
    return tf.losses.meanSquaredError(labels, outputs);
  }
}
registerTask(lineTask, LineTask);

registerExperiment('line', () =>
  experimentConfig({
    task: lineTask({ train_data: { is_training: true, global_batch_size: 8 }, validation_data: { is_training: false, global_batch_size: 8 } }),
    trainer: {
      train_steps: 4, steps_per_loop: 2, summary_interval: 2, checkpoint_interval: 2, validation_interval: 4,
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.1 } } },
    },
  }, { restrictions: ['trainer.train_steps <= 1000'] }),
);

function train(TaskClass = LineTask, override = {}, options = {}) {
  const params = overrideParams(getExperimentConfig('line'), override);
  return runExperiment({ task: new TaskClass(params.task), mode: 'train_and_eval', params, modelDir: 'runs/line', ...options });
}
`;

const names: Record<string, unknown> = { ...orbit, tf, diskFull, readFileSync, writeFileSync };
const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...values: unknown[]) => Promise<unknown>;

function evaluate(code: string): Promise<unknown> {
  return new AsyncFunction(...Object.keys(names), code)(...Object.values(names));
}

/** Makes the example's names available to code. */
export async function defineExample(): Promise<void> {
  Object.assign(names, await evaluate(`${example}return { lineTask, LineTask, train, x, y };`));
}

/** Splits a command as a shell would: blanks between words, single quotes around words. */
export function words(command: string): string[] {
  return [...command.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''));
}

/** Runs with standard output and error captured. */
async function quietly(run: () => Promise<unknown>): Promise<{ out: string; err: string; result?: unknown; error?: unknown }> {
  const captured = { out: '', err: '' };
  const { write: writeOut } = process.stdout;
  const { write: writeErr } = process.stderr;
  const warn = console.warn;
  process.stdout.write = ((text: string) => ((captured.out += text), true)) as typeof writeOut;
  process.stderr.write = ((text: string) => ((captured.err += text), true)) as typeof writeErr;
  console.warn = (text: unknown) => void (captured.err += `${String(text)}\n`);
  try {
    const result = await run();
    return { ...captured, result };
  } catch (error) {
    return { ...captured, error };
  } finally {
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
    console.warn = warn;
  }
}

/** Makes a mistake in a fresh working directory; resolves to what is printed. */
export async function make(mistake: Mistake): Promise<string> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'mistake-')));
  const before = process.cwd();
  process.chdir(directory);
  let undo: (() => void) | void = undefined;
  try {
    for (const [file, content] of Object.entries(mistake.files ?? {})) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    undo = mistake.prepare?.();
    return everywhere(await said(mistake), directory);
  } finally {
    undo?.();
    process.chdir(before);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The text as it is on every machine, at every time. */
function everywhere(text: string, directory: string): string {
  return text
    .replaceAll(directory, '/home/me')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-01-31T12:00:00.000Z')
    .replace(/\.tmp-(ckpt-\d+)\.[\w.-]+/g, '.tmp-$1.host.1234.5a5a5a5a.1')
    .replace(/\b([a-z]+_[A-Z][A-Za-z0-9]*?)\d+\b/g, (_, name: string) => `${name}1`)
    .replace(/checksum [0-9a-f]{8}, written was [0-9a-f]{8}/, 'checksum 12ab34cd, written was 98fe76dc')
    .replace(/(training_loss is )\d{9,}/, (_, text: string) => `${text}1800000000000000000`)
    .replace(/<anonymous>:(\d+):/g, (_, line: string) => `my_tasks.mjs:${Number(line) - 2}:`); // two lines come before the code
}

async function said({ title, command, code }: Mistake): Promise<string> {
  if (command !== undefined) {
    let err = '';
    const { write } = process.stderr;
    const outcome = await quietly(async () => {
      process.stderr.write = ((text: string) => ((err += text), true)) as typeof write;
      return runCommandLine(words(command));
    });
    if (outcome.error !== undefined) throw outcome.error as Error;
    if (outcome.result === 0 || err === '') throw new Error(`"${title}" is no mistake: the command ended with ${String(outcome.result)}.`);
    return `${err}(exit status ${String(outcome.result)})`;
  }
  const { error } = await quietly(() => evaluate(code!));
  if (error === undefined) throw new Error(`"${title}" is no mistake: the code ran without an error.`);
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
