/** Stages of a training: what each trains, and which one a step belongs to. */
import { UsageError } from '../../errors.js';
import { notice } from '../../notice.js';
import type { Optimizer } from '../../optimization/index.js';
import type { DatasetLike, MaybePromise } from '../../orbit/index.js';
import type { Model } from '../model.js';
import type { Task } from '../task.js';

/** What a task that is trained in stages implements besides. Stages count from 0. */
export interface ProgressivePolicy {
  /** Number of stages, at least 1. */
  numStages(): number;
  /** Training steps of a stage. */
  numSteps(stage: number): number;
  /**
   * The model of a stage.
   * @param oldModel that of the stage before, to take weights from; null for the first stage and when a run is resumed, where the
   * weights come from the checkpoint
   */
  getModel(stage: number, oldModel: Model | null): Model;
  /** The optimizer of a stage; its schedule begins with the stage. */
  getOptimizer(stage: number): Optimizer;
  /** The training data of a stage. */
  getTrainDataset(stage: number): MaybePromise<DatasetLike>;
  /** The evaluation data of a stage. */
  getEvalDataset(stage: number): MaybePromise<DatasetLike>;
}

/** A task that is trained in stages. */
export type ProgressiveTask = Task & ProgressivePolicy;

const methods = ['numStages', 'numSteps', 'getModel', 'getOptimizer', 'getTrainDataset', 'getEvalDataset'] as const;

/** Whether a task says how it is trained in stages. @throws UsageError that names what is missing */
export function requireProgressive(task: Task): asserts task is ProgressiveTask {
  const missing = methods.filter((method) => typeof (task as Partial<ProgressivePolicy>)[method] !== 'function');
  if (missing.length === 0) return;
  throw new UsageError(
    `${task.name} cannot be trained in stages: it has no ${missing.join(', ')}. A task that is trained in stages implements ProgressivePolicy.`,
  );
}

/** The stage that a training is in, with its model, optimizer and data. */
export class Stages {
  readonly #policy: ProgressivePolicy;
  readonly #warn: (message: string) => void;
  #stage = 0;
  #model: Model;
  #optimizer: Optimizer;
  #trainData: MaybePromise<DatasetLike> | null = null;
  #evalData: MaybePromise<DatasetLike> | null = null;

  /** Makes optimizer and model of the first stage. @param warn hears of steps after the last stage */
  constructor(policy: ProgressivePolicy, warn: (message: string) => void = notice) {
    this.#policy = policy;
    this.#warn = warn;
    requireCount(policy.numStages(), 1, 'numStages()');
    for (let stage = 0; stage < policy.numStages(); stage++) requireCount(policy.numSteps(stage), 0, `numSteps(${stage})`);
    this.#optimizer = policy.getOptimizer(0);
    this.#model = policy.getModel(0, null);
  }

  /** The current stage. */
  get stage(): number {
    return this.#stage;
  }

  /** Model of the current stage. */
  get model(): Model {
    return this.#model;
  }

  /** Optimizer of the current stage. */
  get optimizer(): Optimizer {
    return this.#optimizer;
  }

  /** Training data of the current stage: made at first use and kept until the stage ends. */
  get trainDataset(): MaybePromise<DatasetLike> {
    return (this.#trainData ??= this.#policy.getTrainDataset(this.#stage));
  }

  /** Evaluation data of the current stage: made at first use and kept until the stage ends. */
  get evalDataset(): MaybePromise<DatasetLike> {
    return (this.#evalData ??= this.#policy.getEvalDataset(this.#stage));
  }

  /** Whether the current stage is the last one. */
  get isLastStage(): boolean {
    return this.#stage >= this.#policy.numStages() - 1;
  }

  /** The stage of a step: the first i with step < n₀ + … + nᵢ; the last one, with a warning, for steps after all of them. */
  stageOf(step: number): number {
    const count = this.#policy.numStages();
    let end = 0;
    for (let stage = 0; stage < count; stage++) {
      end += this.#policy.numSteps(stage);
      if (step < end) return stage;
    }
    if (step > end) this.#warn(`Step ${step} is after the ${end} steps of all stages; the last stage goes on.`);
    return count - 1;
  }

  /** Whether a step belongs to another stage than the current one. */
  isStageAdvancing(step: number): boolean {
    return this.stageOf(step) !== this.#stage;
  }

  /** Goes to a stage: new optimizer, then new model, data at their first use. @param passOldModel give the present model to the policy */
  enter(stage: number, passOldModel = true): void {
    if (!(Number.isInteger(stage) && stage >= 0 && stage < this.#policy.numStages()))
      throw new UsageError(
        `There is no stage ${stage}: the task has ${this.#policy.numStages()}. Was the checkpoint made with more stages?`,
      );
    this.#stage = stage;
    this.#trainData = null;
    this.#evalData = null;
    this.#optimizer = this.#policy.getOptimizer(stage);
    this.#model = this.#policy.getModel(stage, passOldModel ? this.#model : null);
  }
}

function requireCount(count: number, least: number, what: string): void {
  if (Number.isInteger(count) && count >= least) return;
  throw new UsageError(`${what} of a task that is trained in stages should be a whole number of at least ${least}, but is ${count}.`);
}
