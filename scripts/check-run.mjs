// Checks what a run left behind: check-run.mjs MODEL_DIR --steps=N --accuracy=A (the least accuracy of its evaluation).
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { steps: { type: 'string' }, accuracy: { type: 'string' } } });
const directory = positionals[0];
const problems = [];
const result = JSON.parse(readFileSync(path.join(directory, 'result.json'), 'utf8'));
const accuracy = result.eval_logs?.accuracy;

if (result.global_step !== Number(values.steps)) problems.push(`global_step is ${result.global_step}, not ${values.steps}`);
if (!(accuracy >= Number(values.accuracy))) problems.push(`eval accuracy is ${accuracy}, below ${values.accuracy}`);
if (!Number.isFinite(result.train_logs?.training_loss)) problems.push(`training_loss is ${result.train_logs?.training_loss}`);
for (const file of ['params.yaml', 'checkpoint', `ckpt-${values.steps}`])
  if (!existsSync(path.join(directory, file))) problems.push(`${file} is missing`);
if (!readdirSync(directory, { recursive: true }).some((f) => path.basename(f).startsWith('events.out.tfevents.')))
  problems.push('there are no event files');

if (problems.length > 0) {
  console.error(`${directory}: ${problems.join('; ')}\n${JSON.stringify(result, null, 2)}`);
  process.exitCode = 1;
} else {
  console.log(
    `${result.global_step} steps, accuracy ${accuracy}, ${result.steps_per_second} steps/s, first step after ${result.seconds_to_first_step} s`,
  );
}
