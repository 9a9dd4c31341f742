/** The names that users and docs rely on exist, and a test uses each. (That all are documented is checked by scripts/check-exports.mjs.) */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as orbitTs from '../src/index.js';
import * as orbit from '../src/orbit/index.js';
import { Controller, OrbitExperimentRunner, Task } from '../src/index.js';
import type { Action, DataConfig, ExperimentConfig, InputContext, Output, RunnerOptions, SummaryManagerInterface } from '../src/index.js';

/** Types have no value; a name that is gone does not compile. */
type Types = [Action, DataConfig, ExperimentConfig, InputContext, Output, RunnerOptions, SummaryManagerInterface];

const running = ['runExperiment', 'OrbitExperimentRunner', 'getExperimentConfig', 'getTask', 'Controller'];
const defining = [
  ...['taskConfig', 'modelConfig', 'registerExperiment', 'registerTask', 'experimentConfig', 'Task', 'defineTask'],
  ...['InputReader', 'SparseCategoricalAccuracy', 'Trainer', 'BestCheckpointExporter', 'ExportModule', 'exportModel'],
  ...['resolveExperimentConfig', 'register', 'lookup', 'configureCluster', 'configureOptimizer', 'setMixedPrecisionPolicy'],
];
const alone = [
  ...['Controller', 'AbstractTrainer', 'AbstractEvaluator', 'StandardTrainer', 'StandardTrainerOptions', 'StandardEvaluator'],
  ...['StandardEvaluatorOptions', 'StepTimer', 'createGlobalStep', 'ConditionalAction', 'NewBestMetric', 'JSONPersistedValue'],
  ...['ExportFileManager', 'ExportSavedModel', 'SaveCheckpointIfPreempted', 'EpochHelper', 'getValue', 'makeDistributedDataset'],
  ...[
    'createLoopFn',
    'createTfWhileLoopFn',
    'createTfWhileLoopFnWithState',
    'LoopFnWithSummaries',
    'OptionalSummariesFunction',
    'SummaryManager',
  ],
];
const config = [
  ...[
    'defineConfig',
    'overrideParams',
    'parseOverrideText',
    'validateConfig',
    'lockConfig',
    'cloneConfig',
    'toYaml',
    'fromYaml',
    'toJsonSchema',
  ],
  ...['oneOf', 'field', 'extendConfig'],
];
const errors = [
  ...['OrbitError', 'ConfigError', 'UsageError', 'CheckpointError', 'DataError', 'TraceError', 'TrainingError', 'NotImplementedModeError'],
];

const taskMembers = [
  ...['createOptimizer', 'initialize', 'buildModel', 'buildInputs', 'buildLosses', 'buildMetrics', 'processMetrics', 'trainStep'],
  ...['validationStep', 'inferenceStep', 'aggregateLogs', 'reduceAggregatedLogs'],
];
const runnerMembers = [
  ...['run', 'build', 'buildTrainer', 'buildBestCheckpointExporter', 'maybeBuildCheckpointManager', 'buildController'],
  ...['trainer', 'checkpointManager', 'controller'],
];
const controllerMembers = [
  ...['train', 'evaluate', 'trainAndEvaluate', 'evaluateContinuously', 'saveCheckpoint', 'restoreCheckpoint', 'stepsPerLoop'],
];

const root = path.resolve(import.meta.dirname, '..');
const own = path.join(root, 'tests/public-names.test.ts');

/** The text of all other tests, of what they share and of the examples that a test runs. */
const tested = ['src', 'tests', 'examples']
  .flatMap((room) => readdirSync(path.join(root, room), { recursive: true, withFileTypes: true }))
  .filter(
    (entry) => entry.isFile() && /\.(test|testing)\.ts$|[/\\](tests|examples)[/\\].*\.m?ts$/.test(path.join(entry.parentPath, entry.name)),
  )
  .map((entry) => path.join(entry.parentPath, entry.name))
  .filter((file) => file !== own)
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

const isTested = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(tested);

/** Methods and accessors of a class that is abstract or not; abstract ones are only in its type. */
function hasMember(made: abstract new (...args: never[]) => object, name: string): boolean {
  return Object.getOwnPropertyDescriptor(made.prototype, name) !== undefined;
}

describe('public names', () => {
  it.each([...running, ...defining, ...alone, ...config, ...errors])('%s exists and a test uses it', (name) => {
    expect(Object.keys(orbitTs)).toContain(name);
    expect(isTested(name)).toBe(true);
  });

  it.each(alone)('%s is offered by orbit-ts/orbit', (name) => expect(Object.keys(orbit)).toContain(name));

  it.each(taskMembers)('Task.%s exists and a test uses it', (name) => {
    const isAbstract = name === 'buildModel' || name === 'buildInputs';
    expect(hasMember(Task, name)).toBe(!isAbstract);
    expect(isTested(name)).toBe(true);
  });

  it.each(runnerMembers)('OrbitExperimentRunner.%s exists and a test uses it', (name) => {
    expect(hasMember(OrbitExperimentRunner, name)).toBe(true);
    expect(isTested(name)).toBe(true);
  });

  it.each(controllerMembers)('Controller.%s exists and a test uses it', (name) => {
    expect(hasMember(Controller, name)).toBe(true);
    expect(isTested(name)).toBe(true);
  });

  it('are also types', () => {
    const types: Types | null = null;
    expect(types).toBeNull();
  });

  it('have errors that callers can tell apart and catch together', () => {
    for (const name of errors) {
      const made = new (orbitTs as unknown as Record<string, new (message: string) => Error>)[name]!('what');
      expect(made).toBeInstanceOf(orbitTs.OrbitError);
      expect([made.name, made.message]).toEqual([name, 'what']);
    }
  });
});
