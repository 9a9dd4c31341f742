/** Options of the standard inner loops, with the names and defaults of the original. */
import { UsageError } from '../errors.js';
import { requireKnownOptions } from './options.js';

/**
 * Options of a `StandardTrainer`, fixed once made. Loops and steps are compiled elsewhere (`orbit-ts/function`), so the
 * first has no effect here; it is accepted and checked as in the original.
 */
export class StandardTrainerOptions {
  /** Compile the step. No effect here. Default true. */
  readonly useTfFunction: boolean;
  /** Run exactly the steps asked for: data that end before are an error. False ends the loop early instead. Default true. */
  readonly useTfWhileLoop: boolean;
  /** Let only the first step of a loop record summaries. Default false. */
  readonly useTpuSummaryOptimization: boolean;

  constructor(options: Partial<StandardTrainerOptions> | null = null) {
    requireKnownOptions('StandardTrainerOptions', options, ['useTfFunction', 'useTfWhileLoop', 'useTpuSummaryOptimization']);
    this.useTfFunction = options?.useTfFunction ?? true;
    this.useTfWhileLoop = options?.useTfWhileLoop ?? true;
    this.useTpuSummaryOptimization = options?.useTpuSummaryOptimization ?? false;
    Object.freeze(this);
  }
}

/** Options of a `StandardEvaluator`, fixed once made. */
export class StandardEvaluatorOptions {
  /** Compile the step. No effect here. Default true. */
  readonly useTfFunction: boolean;
  /** Run exactly the steps asked for: data that end before are an error, and so is -1. Default false. */
  readonly useTfWhileLoop: boolean;
  /** Start each evaluation at the first batch; false goes on where the last one stopped. Default true. */
  readonly recreateIteratorForEachEval: boolean;

  constructor(options: Partial<StandardEvaluatorOptions> | null = null) {
    requireKnownOptions('StandardEvaluatorOptions', options, ['useTfFunction', 'useTfWhileLoop', 'recreateIteratorForEachEval']);
    this.useTfFunction = options?.useTfFunction ?? true;
    this.useTfWhileLoop = options?.useTfWhileLoop ?? false;
    this.recreateIteratorForEachEval = options?.recreateIteratorForEachEval ?? true;
    Object.freeze(this);
  }
}

/** Makes full options of what a constructor got and checks that they agree. */
export function checkedTrainerOptions(options?: Partial<StandardTrainerOptions> | null): StandardTrainerOptions {
  const checked = options instanceof StandardTrainerOptions ? options : new StandardTrainerOptions(options);
  requireFunctionForLoop(checked);
  if (checked.useTpuSummaryOptimization && !checked.useTfWhileLoop) {
    throw new UsageError('`useTpuSummaryOptimization: true` needs `useTfWhileLoop: true`.');
  }
  return checked;
}

/** Makes full options of what a constructor got and checks that they agree. */
export function checkedEvaluatorOptions(options?: Partial<StandardEvaluatorOptions> | null): StandardEvaluatorOptions {
  const checked = options instanceof StandardEvaluatorOptions ? options : new StandardEvaluatorOptions(options);
  requireFunctionForLoop(checked);
  return checked;
}

function requireFunctionForLoop(options: { useTfFunction: boolean; useTfWhileLoop: boolean }): void {
  if (options.useTfWhileLoop && !options.useTfFunction) {
    throw new UsageError('`useTfWhileLoop: true` needs `useTfFunction: true`: set both or neither.');
  }
}
