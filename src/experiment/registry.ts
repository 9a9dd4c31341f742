/** Names and schemas under which experiments and tasks are found. */
import { ConfigError, UsageError } from '../errors.js';
import { didYouMean, isConfig, nearestName, schemaOf } from '../config/index.js';
import type { AnyConfigSchema, ConfigOf } from '../config/index.js';
import type { ExperimentConfig, RuntimeConfig, TaskConfig, TaskSchema, TrainerConfig } from './config.js';
import type { Task } from './task.js';

/**
 * Types of registered experiments by name. Add to it where you register one, then `getExperimentConfig` knows its type:
 *
 * ```ts
 * declare module 'orbit-ts' {
 *   interface Experiments { spam: ReturnType<typeof spamExperiment> }
 * }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is there to be added to
export interface Experiments {}

/** Type of the config of the experiment `Name`, as far as {@link Experiments} tells. */
export type ExperimentConfigNamed<Name extends string> = Name extends keyof Experiments ? Experiments[Name] : ExperimentConfig;

/** The config of an experiment of any kind: of one task, of several, or of one that is evaluated on several. */
export interface AnyExperimentConfig {
  /** What is trained. */
  task: object;
  /** The training and evaluation loops. */
  trainer: TrainerConfig;
  /** Devices, precision and the process as a whole. */
  runtime: RuntimeConfig;
}

/** A registered experiment. */
export interface ExperimentHandle<C> {
  /** The name it is registered under. */
  readonly name: string;
  /** Makes a fresh config with the experiment's values. */
  config(): C;
}

/** What a task's constructor takes besides its config. */
export interface TaskOptions {
  /** Directory of the run; tasks may write summaries below it. Default none. */
  loggingDir?: string | null;
  /** Name of the task in messages. Default: the config's name. */
  name?: string | null;
}

/** A class of tasks with configs of type `C`. */
export type TaskClass<C> = new (config: C, options?: TaskOptions) => Task;

// One registry per process, also when two copies of this module are loaded (the sources and the built package).
const registries = globalThis as { [key: symbol]: unknown };
function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(`orbit-ts ${name}`);
  return (registries[key] ??= make()) as T;
}

const experiments = shared('experiments', () => new Map<string, () => unknown>());
const tasks = shared('tasks', () => new Map<AnyConfigSchema, TaskClass<never>>());

/**
 * Registers an experiment under a name; `/` in names is only a convention.
 * @param factory makes a fresh config each time it is called
 * @returns a handle whose `config()` is typed
 * @throws UsageError when the name is taken or empty
 */
export function registerExperiment<C extends AnyExperimentConfig>(name: string, factory: () => C): ExperimentHandle<C> {
  if (name === '') throw new UsageError('An experiment needs a name that is not empty.');
  if (experiments.has(name)) throw new UsageError(`An experiment named "${name}" is already registered; choose another name.`);
  experiments.set(name, factory);
  return { name, config: factory };
}

/**
 * A fresh, mutable config of a registered experiment.
 * @throws ConfigError for an unknown name, with the nearest known one
 */
export function getExperimentConfig<Name extends string>(name: Name): ExperimentConfigNamed<Name> {
  const factory = experiments.get(name);
  if (factory === undefined) {
    const known = experimentNames();
    throw new ConfigError(
      `No experiment named "${name}" is registered.${didYouMean(nearestName(name, known))} Known: ${known.join(', ') || 'none'}. ` +
        'An experiment of your own must be registered first: import its module, on the command line with --import=./my_tasks.js.',
    );
  }
  const config = factory();
  names.set(config as object, name);
  return config as ExperimentConfigNamed<Name>;
}

const names = shared('experiment names', () => new WeakMap<object, string>());

/** The name of the experiment that a config came from, or null for a config made or copied elsewhere. */
export function experimentNameOf(config: object): string | null {
  return names.get(config) ?? null;
}

/** Names of all registered experiments, sorted. */
export function experimentNames(): string[] {
  return [...experiments.keys()].sort();
}

/**
 * Registers the class of tasks that have configs of `schema`.
 * @throws UsageError when the schema already has a class
 */
export function registerTask<S extends TaskSchema>(schema: S, taskClass: TaskClass<ConfigOf<S>>): void {
  const present = tasks.get(schema);
  if (present !== undefined)
    throw new UsageError(`Tasks of ${schema.schemaName} are already made by ${present.name}; a schema has one task class.`);
  tasks.set(schema, taskClass);
}

/**
 * The task of a config: an instance of the class registered for exactly the config's schema.
 * @throws ConfigError for a plain object or a schema without a registered class
 */
export function getTask(config: TaskConfig, options: TaskOptions = {}): Task {
  if (!isConfig(config)) {
    const given =
      typeof config === 'object' && config !== null ? `a plain object {${Object.keys(config).slice(0, 4).join(', ')}}` : String(config);
    throw new ConfigError(
      `getTask: expected the config of a task, got ${given}. Equal fields do not tell tasks apart: make the config with the task's schema, ` +
        'such as spamTask({ ... }), or take it from an experiment: getTask(getExperimentConfig(name).task).',
    );
  }
  return new (getTaskClass(schemaOf(config)))(config as never, options);
}

/** The class registered for a schema. @throws ConfigError when there is none */
export function getTaskClass(schema: AnyConfigSchema): TaskClass<never> {
  const taskClass = tasks.get(schema);
  if (taskClass !== undefined) return taskClass;
  const known = [...tasks.keys()].map((s) => s.schemaName);
  const near = nearestName(schema.schemaName, known);
  throw new ConfigError(
    `No task is registered for configs of ${schema.schemaName}.${didYouMean(near)} Known: ${known.join(', ') || 'none'}. ` +
      'Register one with registerTask(schema, TaskClass).',
  );
}
