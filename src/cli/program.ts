/** The command line: commands, flags and what becomes of errors. */
import { Command, CommanderError, Option } from 'commander';
import { nearestName } from '../config/index.js';
import { UsageError } from '../errors.js';
import { packageVersion } from '../experiment/versions.js';
import { foreignFlags, type ExperimentFlags } from './experiment-flags.js';
import { describeError, WRONG_USE } from './report-error.js';
import type { ExportFlags } from './export.js';
import type { LrFindFlags } from './lr-find.js';
import type { TrainFlags } from './train.js';

const append = (value: string, previous: string[] = []): string[] => [...previous, value];

/** A flag that may be given once. */
function once(flag: string): (value: string, previous: string | undefined) => string {
  return (value, previous) => {
    if (previous !== undefined) throw new UsageError(`The flag --${flag} was given twice; give it once.`);
    return value;
  };
}

function bool(flag: string): (value: string) => boolean {
  return (value) => {
    const word = value.toLowerCase();
    if (['true', '1', 'yes'].includes(word)) return true;
    if (['false', '0', 'no'].includes(word)) return false;
    throw new UsageError(`--${flag}=${value}: write true or false.`);
  };
}

function number(flag: string): (value: string) => number {
  return (value) => {
    if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
    throw new UsageError(`--${flag}=${value}: write a number.`);
  };
}

/** Flags of Model Garden's programs that are refused or do nothing here: left out of the help. */
function foreign(command: Command): void {
  const hidden = (flag: string, parse: (value: string, previous: never) => unknown): void =>
    void command.addOption(new Option(`--${flag} <value>`).argParser(parse as never).hideHelp());
  for (const flag of ['tpu', 'tf_data_service', ...foreignFlags]) hidden(flag, once(flag) as never);
  for (const flag of ['gin_file', 'gin_params']) hidden(flag, append as never);
}

function experimentFlags(command: Command): Command {
  foreign(command);
  return command
    .option('--experiment <name>', 'name of a registered experiment', once('experiment'))
    .option('--config_file <file>', 'YAML file over the experiment’s values; may be repeated, later files count', append)
    .option(
      '--params_override <text>',
      'overrides such as trainer.train_steps=100,runtime.seed=3 (or YAML, or a file); count last',
      once('params_override'),
    );
}

function commonFlags(command: Command): Command {
  return command
    .option('--import <module>', 'module that registers experiments, imported first; may be repeated', append)
    .option('--verbose', 'print stack traces');
}

/** `orbit checkpoint …`: looking at checkpoints and converting them. */
function checkpointCommands(orbit: Command, done: (status: number) => void): void {
  const run = async (use: (commands: typeof import('./checkpoint.js')) => Promise<number>): Promise<void> =>
    done(await use(await import('./checkpoint.js')));
  const group = orbit.command('checkpoint').description('list, inspect, verify, compare and convert checkpoints');
  group
    .command('list <directory>')
    .description('the checkpoints of a directory')
    .option('--json', 'print them as JSON')
    .action((directory: string, flags: { json?: boolean }) => run((c) => c.listCheckpoints(directory, flags)));
  group
    .command('inspect <checkpoint>')
    .description('what a checkpoint, or the newest one of a directory, holds')
    .option('--json', 'print its manifest as JSON')
    .action((checkpoint: string, flags: { json?: boolean }) => run((c) => c.inspectCheckpoint(checkpoint, flags)));
  group
    .command('verify <path>')
    .description('read every byte of a checkpoint, or of all in a directory, and compare the checksums')
    .action((directory: string) => run((c) => c.verifyCheckpoints(directory)));
  group
    .command('diff <a> <b>')
    .description('what differs between two checkpoints or .safetensors files')
    .action((a: string, b: string) => run((c) => c.diffCheckpoints(a, b)));
  group
    .command('convert <source> <target>')
    .description('weights from and to a checkpoint, .safetensors, .npz (NumPy) or .json (weights of tfjs)')
    .action((source: string, target: string) => run((c) => c.convertWeights(source, target)));
}

/** `orbit data …`: looking at data files. */
function dataCommands(orbit: Command, done: (status: number) => void): void {
  orbit
    .command('data')
    .description('look at data files')
    .command('inspect [paths...]')
    .description('show format, schema, count and first records of files, patterns or a folder')
    .option('--rows <n>', 'records to show', once('rows'))
    .option('--json', 'print one line of JSON')
    .option('--verbose', 'print stack traces')
    .action(async (paths: string[], flags: { rows?: string; json?: boolean }) =>
      done(await (await import('./data-inspect.js')).inspect(paths, flags)),
    );
}

/** Builds the program; `done` gets the exit status of the command that ran. */
function program(done: (status: number) => void): Command {
  const orbit = new Command('orbit')
    .description('Train machine-learning models from TypeScript.')
    .version(packageVersion())
    .showSuggestionAfterError(true);
  const train = orbit.command('train').description('run an experiment');
  experimentFlags(train)
    .option('--mode <mode>', 'train, eval, train_and_eval, train_and_post_eval, continuous_eval or continuous_train_and_eval', once('mode'))
    .option('--pretrain_steps <step>', 'step at which the training ends that continuous_train_and_eval follows', number('pretrain_steps'))
    .option('--model_dir <dir>', 'directory for checkpoints, summaries and results', once('model_dir'))
    .option('--enable_async_checkpointing <bool>', 'write checkpoints in the background', bool('enable_async_checkpointing'), true)
    .option('--json', 'print the result as one line of JSON; all else goes to standard error');
  commonFlags(train).action(async (flags: TrainFlags) => done(await (await import('./train.js')).train(flags)));
  const config = orbit.command('config').description('print the final config of an experiment as YAML');
  experimentFlags(config).option('--schema', 'print its JSON Schema instead');
  commonFlags(config).action(async (flags: ExperimentFlags & { schema?: boolean }) =>
    done(await (await import('./config.js')).printConfig(flags)),
  );
  const lrFind = orbit.command('lr-find').description('search a learning rate for an experiment');
  experimentFlags(lrFind)
    .option('--min <rate>', 'learning rate of the first step', number('min'), 1e-7)
    .option('--max <rate>', 'learning rate of the last step', number('max'), 10)
    .option('--steps <count>', 'training steps', number('steps'), 100)
    .option('--json', 'print the result as one line of JSON');
  commonFlags(lrFind).action(async (flags: LrFindFlags) => done(await (await import('./lr-find.js')).lrFind(flags)));
  const exporting = orbit.command('export').description('write the model of a run as an ONNX file, or its weights');
  experimentFlags(exporting)
    .option('--model_dir <dir>', 'directory of the run, whose newest checkpoint is taken, or a checkpoint', once('model_dir'))
    .option('--out <path>', 'directory for everything, or a file that ends in .onnx, .safetensors or .json', once('out'))
    .option('--batch_size <count>', 'examples in a batch of the ONNX file', number('batch_size'), 1)
    .option('--task <name>', 'the task whose model is exported, where several were trained', once('task'));
  commonFlags(exporting).action(async (flags: ExportFlags) => done(await (await import('./export.js')).exportRun(flags)));
  const experiments = commonFlags(orbit.command('experiments').description('list the registered experiments'));
  experiments.action(async (flags: { import?: string[] }) => done(await (await import('./experiments.js')).listExperiments(flags)));
  checkpointCommands(orbit, done);
  dataCommands(orbit, done);
  for (const command of [orbit, ...orbit.commands, ...orbit.commands.flatMap((c) => c.commands)]) {
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .showHelpAfterError(false)
      .allowExcessArguments(false);
  }
  return orbit;
}

/**
 * Runs the command line.
 * @param args arguments after the program's name
 * @returns the exit status: 0, 2 for wrong use or config, 1 for a failed run, 143 or 130 after a signal
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let status = 0;
  try {
    await program((s) => (status = s)).parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (error.code === 'commander.help') return WRONG_USE; // no command: the help was printed
      process.stderr.write(`orbit: ${explain(error, args)}\n`);
      return WRONG_USE;
    }
    const { text, status: failed } = describeError(error, { verbose: args.includes('--verbose') });
    process.stderr.write(`orbit: ${text}\n`);
    return failed;
  }
}

/** What the parser of flags has to say, in our words. */
function explain({ code, message }: CommanderError, args: readonly string[]): string {
  switch (code) {
    case 'commander.unknownOption':
      return unknownFlag(message, args);
    case 'commander.optionMissingArgument': {
      const [, flag = '', value = 'value'] = /'(--\w+) <(\w+)>/.exec(message) ?? [];
      return `The flag ${flag} needs a value: ${flag}=${value.toUpperCase()}.`;
    }
    case 'commander.unknownCommand': {
      const [, name = ''] = /'([^']*)'/.exec(message) ?? [];
      const known = program(() => {}).commands.map((c) => c.name());
      const near = nearestName(name, known);
      return `There is no command "${name}".${near === null ? '' : ` Did you mean "${near}"?`} Commands: ${known.join(', ')}.`;
    }
    case 'commander.excessArguments':
      return excessWord(args);
    default:
      return oneParagraph(message);
  }
}

/** A word that belongs to no flag. */
function excessWord(args: readonly string[]): string {
  const orbit = program(() => {});
  const command = orbit.commands.find((c) => args.includes(c.name())) ?? orbit;
  const takesValue = (flag: string | undefined): boolean =>
    flag !== undefined && !flag.includes('=') && command.options.some((o) => o.long === flag && o.required);
  const word = args.find((arg, i) => !arg.startsWith('-') && arg !== command.name() && !takesValue(args[i - 1])) ?? '';
  const hint = /^[a-z][\w.]*=/i.test(word)
    ? ` To change a parameter write --params_override='${word}'.`
    : ' Values follow a flag: --flag=value.';
  return `"${word}" belongs to no flag.${hint}`;
}

/** The flag without its value, and the nearest one of the command. */
function unknownFlag(message: string, args: readonly string[]): string {
  const flag = /'(--?[^'=]*)/.exec(message)?.[1] ?? message;
  const orbit = program(() => {});
  const command = orbit.commands.find((c) => args.includes(c.name())) ?? orbit;
  const known = command.options.filter((o) => !o.hidden).map((o) => o.long ?? o.flags);
  const near = nearestName(flag, known);
  return `There is no flag ${flag}${command === orbit ? '' : ` of orbit ${command.name()}`}.${near === null ? ` Flags: ${known.join(', ')}.` : ` Did you mean ${near}?`}`;
}

function oneParagraph(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return /[.?)]$/.test(text) ? text : `${text}.`;
}
