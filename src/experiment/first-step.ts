/** What follows the first training step: only then do all variables exist. */
import type { CheckpointManager } from '../checkpoint/index.js';
import type { Trainer } from './trainer.js';

/** Makes the trainer prepare saves in the background, if there are any, and warn of state that no checkpoint holds. */
export function afterFirstStep(trainer: Trainer, background: CheckpointManager | null, warn: (message: string) => void): void {
  const next = trainer.onFirstStep;
  trainer.onFirstStep = () => {
    next?.();
    void background?.prepareBackgroundSaves();
    const names = trainer.unsavedVariables().map((v) => v.name);
    if (names.length === 0) return;
    const some = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
    warn(
      `The training step changes variables that checkpoints do not hold: ${some}. A run that is resumed begins with new ones. ` +
        'Return what they belong to, such as a second optimizer, from checkpointItems() of the task.',
    );
  };
}
