/** What a run does in each of its modes. */
import type { RunParts } from './run-ends.js';

/** Does what the mode says, without the final evaluation. */
export async function performMode({ mode, params, controller, trainer }: RunParts): Promise<void> {
  const { train_steps, validation_steps, validation_interval, continuous_eval_timeout } = params.trainer;
  switch (mode) {
    case 'train':
    case 'train_and_post_eval':
      return controller.train(train_steps);
    case 'train_and_eval':
      await controller.trainAndEvaluate({ trainSteps: train_steps, evalSteps: validation_steps, evalInterval: validation_interval });
      return;
    case 'eval':
      await controller.evaluate(validation_steps);
      return;
    default:
      await controller.evaluateContinuously({
        steps: validation_steps,
        timeout: continuous_eval_timeout,
        timeoutFn: () => trainer.globalStep.value >= train_steps,
      });
  }
}
