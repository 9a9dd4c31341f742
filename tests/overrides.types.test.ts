/** Wrong overrides are compile errors; checked by the compiler, so a wrong expectation fails `npm run typecheck`. */
import { describe, expectTypeOf, it } from 'vitest';
import * as tf from '#tf';
import {
  Controller,
  createCombineFn,
  defineTask,
  experimentConfig,
  extendDataConfig,
  field,
  getTask,
  InputReader,
  NDArray,
  OrbitExperimentRunner,
  registerExperiment,
  registerTask,
  runExperiment,
  StandardEvaluator,
  StandardTrainer,
  Task,
  taskConfig,
  Trainer,
} from '../src/index.js';
import type {
  Action,
  BestCheckpointExporter,
  CheckpointManager,
  DataConfig,
  DataIterator,
  InputContext,
  Metric,
  Model,
  Output,
  SummaryManagerInterface,
} from '../src/index.js';

const spamTask = taskConfig({ units: field.int(3), words: field.list(field.string()) }, { name: 'SpamTaskOfTypes' });

/** A class is only type-checked here, never made. */
const unused = (..._classes: unknown[]): void => {};

describe('a task', () => {
  it('takes the overrides that it has', () => {
    class Spam extends Task<typeof spamTask> {
      override buildModel(): Model {
        expectTypeOf(this.taskConfig.units).toEqualTypeOf<number>();
        expectTypeOf(this.taskConfig.words).toEqualTypeOf<string[]>();
        expectTypeOf(this.taskConfig.train_data).toEqualTypeOf<DataConfig>();
        return tf.sequential();
      }
      override buildInputs(data: DataConfig, inputContext?: InputContext) {
        return new InputReader({ params: data }).read(inputContext);
      }
      override buildLosses(labels: tf.Tensor, outputs: tf.Tensor, auxLosses: tf.Scalar[] = []): tf.Tensor {
        return tf.addN([tf.losses.meanSquaredError(labels, outputs), ...auxLosses]);
      }
      override async initialize(_model: Model): Promise<void> {}
    }
    unused(Spam, () => registerTask(spamTask, Spam));
  });

  it('of functions knows the fields of its data configs', () => {
    const mixedData = extendDataConfig({ weights: field.record(field.float()).optional() }, { name: 'MixedDataOfTypes' });
    const mixed = taskConfig({ train_data: field.config(mixedData), validation_data: field.config(mixedData) }, { name: 'MixedOfTypes' });
    unused(() => {
      defineTask(mixed, {
        buildModel: () => tf.sequential(),
        buildInputs(data) {
          expectTypeOf(data.weights).toEqualTypeOf<Record<string, number> | null>();
          const parserFn = (record: Uint8Array): NDArray<'uint8'> => NDArray.of(record);
          return new InputReader({ params: data, combineFn: createCombineFn(data), parserFn }).read();
        },
        buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
      });
      defineTask(spamTask, {
        buildModel: () => tf.sequential(),
        buildInputs(data) {
          expectTypeOf(data).toEqualTypeOf<DataConfig>();
          // The stages take their types from where records come, whatever combines them.
          const combineFn = createCombineFn({ input_path: data.input_path });
          return new InputReader({ params: data, combineFn, parserFn: (record) => record.length }).read();
        },
        buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
      });
    });
  });

  it('takes no others', () => {
    abstract class Wrong extends Task<typeof spamTask> {
      // @ts-expect-error a model is built at once, not in a promise
      override async buildModel(): Promise<Model> {
        return tf.sequential();
      }
      // @ts-expect-error inputs are a dataset, not a number
      override buildInputs(): number {
        return 3;
      }
      // @ts-expect-error the loss is a tensor, not a promise of one
      override async buildLosses(labels: tf.Tensor, outputs: tf.Tensor): Promise<tf.Tensor> {
        return tf.losses.meanSquaredError(labels, outputs);
      }
      // @ts-expect-error metrics are a list
      override buildMetrics(): Metric {
        return null as never;
      }
      // @ts-expect-error a step is synchronous
      override async trainStep(): Promise<{ loss: tf.Tensor }> {
        return null as never;
      }
      // @ts-expect-error there is no such method
      override buildLoss(): void {}
      wrongField(): void {
        // @ts-expect-error there is no such field
        void this.taskConfig.unit;
        // @ts-expect-error a number is no text
        this.taskConfig.units = 'three';
      }
    }
    unused(Wrong);
  });

  it('belongs to its schema', () => {
    const other = taskConfig({ depth: 2 }, { name: 'OtherTaskOfTypes' });
    abstract class Other extends Task<typeof other> {}
    class Made extends Other {
      override buildModel = (): Model => null as never;
      override buildInputs = (): never => null as never;
    }
    // @ts-expect-error configs of spamTask have no depth
    unused(() => registerTask(spamTask, Made));
    // @ts-expect-error what is no task config has no task
    unused(() => getTask({ units: 3 }));
  });
});

describe('a runner', () => {
  it('takes the hooks that it has, synchronous or not', () => {
    class Sync extends OrbitExperimentRunner {
      protected override buildTrainer(): Trainer {
        return null as never;
      }
      protected override buildBestCheckpointExporter(): null {
        return null;
      }
      protected override maybeBuildCheckpointManager(): CheckpointManager | null {
        return null;
      }
      protected override buildController(): Controller {
        return null as never;
      }
    }
    class Async extends OrbitExperimentRunner {
      protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
        return super.buildTrainer(task, train, evaluate);
      }
      protected override async buildBestCheckpointExporter(): Promise<BestCheckpointExporter | null> {
        return null;
      }
    }
    unused(Sync, Async);
  });

  it('takes no others', () => {
    class Wrong extends OrbitExperimentRunner {
      // @ts-expect-error a trainer must be returned
      protected override buildTrainer(): void {}
      // @ts-expect-error a task is no number
      protected override buildController(_parts: number): Controller {
        return null as never;
      }
      // @ts-expect-error there is no such hook
      protected override buildCheckpointManager(): null {
        return null;
      }
    }
    unused(Wrong);
  });

  it('takes the options that it has', () => {
    const params = experimentConfig();
    const task = null as unknown as Task;
    // @ts-expect-error a misspelt option
    unused(() => runExperiment({ task, mode: 'train', params, modelDir: 'x', trainAction: [] }));
    // @ts-expect-error a text is no action
    unused(() => runExperiment({ task, mode: 'train', params, modelDir: 'x', trainActions: ['save'] }));
    // @ts-expect-error the directory is missing
    unused(() => runExperiment({ task, mode: 'train', params }));
    // @ts-expect-error no summary manager without its methods
    unused(() => ({ flush() {} }) satisfies SummaryManagerInterface);
  });
});

describe('a trainer', () => {
  it('takes the overrides that it has, and no others', () => {
    class Good extends Trainer {
      override nextTrainInputs(iterator: DataIterator) {
        return super.nextTrainInputs(iterator);
      }
      override async trainLoopEnd(): Promise<Output> {
        return { ...(await super.trainLoopEnd()), mine: 1 };
      }
    }
    class Wrong extends Trainer {
      // @ts-expect-error results are a dictionary
      override async trainLoopEnd(): Promise<number> {
        return 3;
      }
      // @ts-expect-error there is no such method
      override trainLoopStart(): void {}
    }
    class Plain extends StandardTrainer<number[]> {
      override trainStep(iterator: { next(): { value: number } }): void {
        expectTypeOf(iterator.next().value).toEqualTypeOf<number>();
      }
    }
    class WrongStep extends StandardTrainer<number[]> {
      // @ts-expect-error the data hold numbers, not texts
      override trainStep(_iterator: { next(): { value: string } }): void {}
    }
    class WrongEnd extends StandardEvaluator {
      override evalStep(): void {}
      // @ts-expect-error results are a dictionary
      override evalEnd(): number {
        return 3;
      }
    }
    unused(Good, Wrong, Plain, WrongStep, WrongEnd);
  });
});

describe('configs and actions', () => {
  it('have no field and no value that is not declared', () => {
    const params = experimentConfig({ task: spamTask({ units: 4 }) });
    expectTypeOf(params.task.units).toEqualTypeOf<number>();
    // @ts-expect-error a misspelt field
    unused(() => (params.trainer.train_step = 3));
    // @ts-expect-error a text is no number
    unused(() => (params.trainer.train_steps = '3'));
    // @ts-expect-error no optimizer of that name
    unused(() => (params.trainer.optimizer_config.optimizer.type = 'adamww'));
    // @ts-expect-error a misspelt field of the task
    unused(() => spamTask({ unit: 4 }));
    // @ts-expect-error an experiment needs a config
    unused(() => registerExperiment('types', () => ({})));
    const action: Action = (output) => expectTypeOf(output).toEqualTypeOf<Output>();
    unused(action);
  });
});
