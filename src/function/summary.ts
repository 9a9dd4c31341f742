/** Summaries recorded inside compiled functions. */
import type * as tf from '#tf';
import { UsageError } from '../errors.js';
import type { TypedArray } from './dtype.js';
import { traceBackend } from './trace/backend.js';

/** What a summary shows. */
export type SummaryKind = 'scalar' | 'histogram';

/** Where summaries go. The runner connects it to the event files of the loop that runs. */
export interface SummaryRecorder {
  /** Whether what is recorded now would be written. Asked once per step that has summaries. */
  due(): boolean;
  /** Takes one number. */
  scalar(name: string, value: number): void;
  /** Takes all elements of a tensor. */
  histogram(name: string, values: TypedArray): void;
}

let recorder: SummaryRecorder | undefined;

/** Sets where summaries go; null drops them. */
export function setSummaryRecorder(to: SummaryRecorder | null): void {
  recorder = to ?? undefined;
}

/** True when summaries recorded now would be written. */
export function summariesDue(): boolean {
  return recorder?.due() ?? false;
}

/** Hands a summary's values to the recorder. */
export function writeSummary(kind: SummaryKind, name: string, values: TypedArray): void {
  if (kind === 'scalar') recorder?.scalar(name, values[0]!);
  else recorder?.histogram(name, values);
}

function record(kind: SummaryKind, name: string, tensor: tf.Tensor): void {
  if (kind === 'scalar' && tensor.size !== 1) {
    throw new UsageError(
      `summary.scalar("${name}") got a tensor of shape [${tensor.shape.join(',')}]; it takes one number. Use summary.histogram for many.`,
    );
  }
  const { trace } = traceBackend();
  if (trace !== undefined) trace.summary(kind, name, tensor);
  else if (summariesDue()) writeSummary(kind, name, tensor.dataSync() as TypedArray);
}

/**
 * Records numbers of a step: `summary.scalar('gradient_norm', norm)`. Inside a compiled function they become outputs of a
 * second variant of the step, which runs only when recording is due (`trainer.summary_interval`), so that they cost
 * nothing otherwise. Elsewhere they are recorded directly. Without a recorder they are dropped.
 */
export const summary = {
  /** Records one number under a name. */
  scalar(name: string, tensor: tf.Tensor): void {
    record('scalar', name, tensor);
  },
  /** Records the distribution of a tensor's elements under a name. */
  histogram(name: string, tensor: tf.Tensor): void {
    record('histogram', name, tensor);
  },
};
