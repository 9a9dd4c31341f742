/** The controller of a run, from the run's parts and config. */
import path from 'node:path';
import type { CheckpointManager } from '../checkpoint/index.js';
import { Controller, LineReporter } from '../orbit/index.js';
import type { Action, ControllerReporter } from '../orbit/index.js';
import type { ExperimentConfig } from './config.js';
import { combineReporters } from './reporters.js';
import { joinCheckpoint } from './resume.js';
import { makeLoggers } from './run-loggers.js';
import type { ControllerParts, RunnerOptions } from './runner-options.js';
import { samplesPerStep } from './samples.js';
import type { Trainer } from './trainer.js';

/** What a controller is made of beside the parts that its hook gets. */
export interface RunControllerContext {
  readonly params: ExperimentConfig;
  readonly modelDir: string;
  readonly trainer: Trainer;
  readonly checkpointManager: CheckpointManager | null;
  /** The runner's own actions, which follow the user's. */
  readonly trainActions: readonly Action[];
  readonly evalActions: readonly Action[];
  /** What the user gave. */
  readonly options: Pick<RunnerOptions, 'reporter' | 'summaryManager' | 'evalSummaryManager' | 'loggers'>;
  /** Whether nothing is logged to files. */
  readonly isTrial: boolean;
  /** Hears everything first. */
  readonly listener: ControllerReporter;
}

/** What the hook `buildController` gets in a run with these options. */
export function controllerParts(options: RunnerOptions, trainer: Trainer, isTrial: boolean): ControllerParts {
  return {
    trainer: options.mode.includes('train') ? trainer : null,
    evaluator: trainer,
    saveSummary: (options.saveSummary ?? true) && !isTrial,
    trainActions: options.trainActions ?? [],
    evalActions: options.evalActions ?? [],
    controllerClass: options.controllerClass ?? Controller,
    enableAsyncCheckpointing: options.enableAsyncCheckpointing ?? false,
  };
}

/** Makes the controller, which restores the newest checkpoint. */
export async function makeController(parts: ControllerParts, context: RunControllerContext): Promise<Controller> {
  const { params, modelDir, trainer, checkpointManager, options, isTrial } = context;
  const { saveSummary } = parts;
  const eventFiles = saveSummary ? await import('../summary/index.js') : null;
  const trainActions = [...parts.trainActions, ...context.trainActions];
  const evalActions = [...parts.evalActions, ...context.evalActions];
  joinCheckpoint(trainer, [...trainActions, ...evalActions]);
  return parts.controllerClass.create({
    globalStep: trainer.globalStep,
    trainer: parts.trainer,
    evaluator: parts.evaluator,
    stepsPerLoop: params.trainer.steps_per_loop,
    checkpointManager,
    enableAsyncCheckpointing: parts.enableAsyncCheckpointing,
    summaryDir: saveSummary ? path.join(modelDir, 'train') : null,
    evalSummaryDir: saveSummary ? path.join(modelDir, params.trainer.validation_summary_subdir) : null,
    summaryInterval: saveSummary ? params.trainer.summary_interval : null,
    summaryWriterFactory: eventFiles?.eventFileWriter,
    summaryManager: options.summaryManager,
    evalSummaryManager: options.evalSummaryManager,
    loopClock: trainer.loopClock,
    loggers: isTrial ? [] : [...(await makeLoggers(params.trainer, modelDir)), ...(options.loggers ?? [])],
    samplesPerStep: samplesPerStep(params) || null,
    trainActions,
    evalActions,
    reporter: combineReporters(context.listener, options.reporter ?? new LineReporter()),
  });
}
