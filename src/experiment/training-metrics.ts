/** The results of one training loop: the task's metrics and the mean loss. */
import { Mean, type Metric } from '../metrics/index.js';
import type { Output } from '../orbit/index.js';
import type { Task } from './task.js';
import { requireMetrics } from './task-checks.js';

/** Metrics that training steps update and that are read once, at the end of a training loop. */
export class TrainingMetrics {
  /** Mean of the training losses. */
  readonly loss = new Mean('training_loss');
  /** The task's metrics of training. */
  readonly metrics: readonly Metric[];

  /** @throws UsageError when the task makes metrics that cannot be logged beside the loss */
  constructor(task: Task) {
    this.metrics = requireMetrics(task.buildMetrics(true), task, this.loss.name);
  }

  /** The task's metrics and the mean loss, in the order of the logs. */
  get all(): readonly Metric[] {
    return [...this.metrics, this.loss];
  }

  /** The results by name; the metrics begin anew. */
  take(): Output {
    const logs: Output = {};
    for (const metric of this.all) {
      logs[metric.name] = metric.result();
      metric.resetState();
    }
    return logs;
  }
}
