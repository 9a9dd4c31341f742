/** What a run is made of. */
import type {
  Action,
  Controller,
  ControllerOptions,
  ControllerReporter,
  Output,
  RunLogger,
  SummaryManagerInterface,
} from '../orbit/index.js';
import type { CheckpointManager } from '../checkpoint/index.js';
import { didYouMean, nearestName } from '../config/index.js';
import { NotImplementedModeError, UsageError } from '../errors.js';
import type { DistributionStrategy } from '../distribute/index.js';
import type { ExperimentConfig } from './config.js';
import type { Model } from './model.js';
import type { Task } from './task.js';
import type { Trainer } from './trainer.js';

/** The modes of a run. */
export const runModes = ['train', 'eval', 'train_and_eval', 'train_and_post_eval', 'continuous_eval'] as const;
/** One of {@link runModes}. */
export type RunMode = (typeof runModes)[number];

const otherModes: readonly string[] = ['train_and_validate'];

/** Rejects what is no mode. @throws NotImplementedModeError with the nearest mode */
export function requireMode(mode: string): asserts mode is RunMode {
  if ((runModes as readonly string[]).includes(mode)) return;
  if (mode === 'continuous_train_and_eval')
    throw new NotImplementedModeError(
      'The mode "continuous_train_and_eval" is a series of runs: runContinuousFinetune(options) makes it, and so does orbit train.',
    );
  throw new NotImplementedModeError(
    `The mode "${mode}" is ${otherModes.includes(mode) ? "one of Model Garden's that is not implemented" : 'not known'}.` +
      `${otherModes.includes(mode) ? '' : didYouMean(nearestName(mode, runModes))} Modes: ${runModes.join(', ')}.`,
  );
}

/** A class of controllers. */
export type ControllerClass = { create(options: ControllerOptions): Promise<Controller> };

/** Options of `OrbitExperimentRunner` and `runExperiment`. Null means the same as leaving an option out. */
export interface RunnerOptions {
  /** What is trained; `getTask(params.task)` makes it. */
  task: Task;
  /** One of {@link runModes}. */
  mode: RunMode | (string & {});
  /** The experiment's config. */
  params: ExperimentConfig;
  /** Directory of checkpoints, summaries and results; made if missing. */
  modelDir: string;
  /** Default: the strategy of `params.runtime`. */
  distributionStrategy?: DistributionStrategy | null;
  /** Evaluate once more at the end and return its logs. Default false. */
  runPostEval?: boolean | null;
  /** Write TensorBoard summaries. Default true. */
  saveSummary?: boolean | null;
  /** Called after every training loop, before the runner's own actions. */
  trainActions?: readonly Action[] | null;
  /** Called after every evaluation, before the runner's own actions. */
  evalActions?: readonly Action[] | null;
  /** A trainer made elsewhere, instead of `buildTrainer`'s. It gets no exporter of best checkpoints. */
  trainer?: Trainer | null;
  /** Class of the controller. Default `Controller`. */
  controllerClass?: ControllerClass | null;
  /** Writes the training summaries, in place of the default one for `<modelDir>/train`. */
  summaryManager?: SummaryManagerInterface | null;
  /** Writes the evaluation summaries, in place of the default one. */
  evalSummaryManager?: SummaryManagerInterface | null;
  /** Write checkpoints in the background. Default false. */
  enableAsyncCheckpointing?: boolean | null;
  /** Further places for the results, beside those of `trainer.loggers`; closed at the end of the run. */
  loggers?: readonly RunLogger[] | null;
  /** Name of the experiment in `result.json`. Default: the name it was registered under, if the config came from there. */
  experiment?: string | null;
  /** Hears what the controller does. Default: it prints lines. */
  reporter?: ControllerReporter | null;
  /** Stops training at the next step boundary when aborted: a checkpoint is saved and `TrainingStopped` thrown. */
  signal?: AbortSignal | null;
  /** Takes lines of text about the run as a whole. Default: standard output. */
  log?: ((line: string) => void) | null;
}

/** The names of all options; the type makes sure that none is forgotten. */
const optionNames: { readonly [K in keyof Required<RunnerOptions>]: true } = {
  task: true,
  mode: true,
  params: true,
  modelDir: true,
  distributionStrategy: true,
  runPostEval: true,
  saveSummary: true,
  trainActions: true,
  evalActions: true,
  trainer: true,
  controllerClass: true,
  summaryManager: true,
  evalSummaryManager: true,
  enableAsyncCheckpointing: true,
  loggers: true,
  experiment: true,
  reporter: true,
  signal: true,
  log: true,
};

/** Rejects options without a task or a config, and a misspelt one, which would otherwise do nothing. @throws UsageError */
export function requireOptions(options: RunnerOptions): void {
  if (typeof (options.task as Partial<Task> | null)?.buildModel !== 'function')
    throw new UsageError('OrbitExperimentRunner needs a task: getTask(params.task) makes it.');
  if (!options.params?.trainer) throw new UsageError('OrbitExperimentRunner needs params, the config of an experiment.');
  if (typeof options.mode !== 'string') throw new UsageError(`OrbitExperimentRunner needs a mode, one of ${runModes.join(', ')}.`);
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(optionNames, key)) continue;
    const known = Object.keys(optionNames);
    const near = nearestName(key, known);
    throw new UsageError(
      `OrbitExperimentRunner has no option "${key}".${near === null ? ` It has: ${known.join(', ')}.` : didYouMean(near)}`,
    );
  }
}

/** What each hook makes, and a member that it has. */
const hookParts = {
  buildTrainer: ['trainer', 'trainStep'],
  maybeBuildCheckpointManager: ['manager or null', 'save'],
  buildController: ['controller', 'train'],
} as const;

/** What a hook made. @throws UsageError when an override forgot to return it, or returned something else */
export function requireMade<T extends object>(made: T | null | undefined, hook: keyof typeof hookParts): T {
  const [what, member] = hookParts[hook];
  if (typeof made === 'object' && made !== null) {
    if (member in made) return made;
    throw new UsageError(
      `${hook}() returned ${made.constructor === Object ? 'a plain object' : `a ${made.constructor.name}`}, not a ${what}.`,
    );
  }
  throw new UsageError(
    `${hook}() returned ${made === undefined ? 'nothing' : String(made)}; it should return the ${what}. Is a \`return\` missing in its override?`,
  );
}

/** What `maybeBuildCheckpointManager` made; null only in modes that do not train. @throws UsageError */
export function requireManager(made: CheckpointManager | null, mode: string): CheckpointManager | null {
  if (made !== null) return requireMade(made, 'maybeBuildCheckpointManager');
  if (!mode.includes('train')) return null;
  throw new UsageError(`Mode "${mode}" trains and needs a checkpoint manager, but maybeBuildCheckpointManager returned null.`);
}

/** What the hook `buildController` gets. */
export interface ControllerParts {
  /** The trainer if the mode trains, else null. */
  trainer: Trainer | null;
  /** The evaluator: always the trainer object. */
  evaluator: Trainer;
  /** Whether summaries are written. */
  saveSummary: boolean;
  /** The user's train actions; the runner's own follow them. */
  trainActions: readonly Action[];
  /** The user's eval actions; the runner's own follow them. */
  evalActions: readonly Action[];
  /** Class of the controller. */
  controllerClass: ControllerClass;
  /** Whether checkpoints are written in the background. */
  enableAsyncCheckpointing: boolean;
}

/** What a run gives back. */
export interface RunOutcome {
  /** The trained or evaluated model. */
  model: Model;
  /** Logs of the final evaluation with `runPostEval` or in mode `train_and_post_eval`, else empty. */
  evalLogs: Output;
}

/** A part was read before its hook made it. */
export function tooEarly(part: string, hook: string): never {
  throw new UsageError(
    `runner.${part} is not there yet: it is made by ${hook}(). Call \`await runner.build()\` or \`await runner.run()\` first.`,
  );
}
