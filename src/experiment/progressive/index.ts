/** Training in stages. */
export * from './config.js';
export { type ProgressivePolicy, type ProgressiveTask, Stages } from './policy.js';
export { ProgressiveRunner, runProgressiveExperiment } from './runner.js';
export { ProgressiveTrainer, type ProgressiveTrainerOptions } from './trainer.js';
