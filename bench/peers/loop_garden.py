"""Model Garden's loop on a tiny model (one 10×10 dense, batch 1, SGD), 100 steps per loop, and the same step in a bare loop."""

import os
import time

import garden  # first: it chooses the Keras version
import tensorflow as tf
import tf_keras

from protocol import serve

X, Y = tf.random.normal((1, 10)), tf.zeros(1, tf.int64)
NEVER = 10**9


def dataset(is_training, batch_size):
    return tf.data.Dataset.from_tensors((X, Y)).repeat(None if is_training else 1)


runner = garden.runner(
    lambda: [tf_keras.Input((10,)), tf_keras.layers.Dense(10)], dataset, 1, "sgd", os.environ["BENCH_OUT"] + "/garden", "train",
    steps_per_loop=100, summary_interval=100, checkpoint_interval=NEVER, validation_interval=NEVER, train_steps=NEVER,
)


def train(steps):
    target = runner.trainer.global_step.numpy() + steps
    start = time.perf_counter()
    runner.controller.train(target, checkpoint_at_completion=False)
    return {"ms": (time.perf_counter() - start) * 1e3}


W, B = tf.Variable(tf.random.normal((10, 10))), tf.Variable(tf.zeros(10))


@tf.function
def loop(count):
    for _ in tf.range(count):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(Y, X @ W + B))
        for variable, gradient in zip((W, B), tape.gradient(loss, (W, B))):
            variable.assign_sub(1e-3 * gradient)


def bare(steps):
    start = time.perf_counter()
    for _ in range(steps // 100):
        loop(tf.constant(100))
    return {"ms": (time.perf_counter() - start) * 1e3}


serve({"train": train, "bare": bare}, versions={"tensorflow": tf.__version__})
