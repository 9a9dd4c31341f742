"""The MLP on MNIST with Model Garden's OrbitExperimentRunner in `train_and_eval`."""

import garden  # first: it chooses the Keras version
import tensorflow as tf
import tf_keras

import mnist

STEPS = 60000 // mnist.BATCH


def layers():
    dense = tf_keras.layers.Dense
    return [tf_keras.Input((784,)), dense(512, activation="relu"), dense(512, activation="relu"), dense(10)]


def dataset(is_training, batch_size):
    images, labels = mnist.load("train" if is_training else "t10k")
    examples = tf.data.Dataset.from_tensor_slices((images, labels))
    if is_training:
        examples = examples.shuffle(len(images)).repeat()
    return examples.batch(batch_size, drop_remainder=is_training).prefetch(tf.data.AUTOTUNE)


tf_keras.utils.set_random_seed(1)
interval = 1 if mnist.FIRST_STEP_ONLY else STEPS
runner = garden.runner(
    layers, dataset, mnist.BATCH, "adam", mnist.OUT, "train_and_eval",
    actions=[lambda logs: mnist.first_step_done()],
    steps_per_loop=interval, summary_interval=interval, checkpoint_interval=STEPS, validation_interval=STEPS,
    train_steps=STEPS * mnist.EPOCHS, validation_steps=-1,
)
results = {}
evaluate = runner.controller.evaluate


def remember(*args, **kwargs):
    results.update(evaluate(*args, **kwargs))
    return results


runner.controller.evaluate = remember
runner.run()
mnist.done(results["accuracy"])
