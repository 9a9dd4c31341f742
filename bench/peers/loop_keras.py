"""Keras' `fit` on a tiny model (one 10×10 dense, batch 1, SGD), 100 steps per call, and the same step in a bare loop."""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("TF_USE_LEGACY_KERAS", None)

import keras
import tensorflow as tf

from protocol import THREADS, serve

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)
X, Y = tf.random.normal((1, 10)), tf.zeros(1, tf.int64)


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.milliseconds = (time.perf_counter() - self.start) * 1e3


model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(10)])
model.compile(
    keras.optimizers.SGD(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
    steps_per_execution=100,
)
dataset = tf.data.Dataset.from_tensors((X, Y)).repeat()


def train(steps):
    clock = Clock()
    board = keras.callbacks.TensorBoard(os.environ["BENCH_OUT"] + "/keras", write_graph=False)
    model.fit(dataset, steps_per_epoch=steps, verbose=0, callbacks=[clock, board])
    return {"ms": clock.milliseconds}


W, B = tf.Variable(tf.random.normal((10, 10))), tf.Variable(tf.zeros(10))


@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(Y, X @ W + B))
    for variable, gradient in zip((W, B), tape.gradient(loss, (W, B))):
        variable.assign_sub(1e-3 * gradient)
    return loss


@tf.function
def loop(count):
    for _ in tf.range(count):
        step()


def bare(steps):
    start = time.perf_counter()
    for _ in range(steps // 100):
        loop(tf.constant(100))
    return {"ms": (time.perf_counter() - start) * 1e3}


serve({"train": train, "bare": bare}, versions={"tensorflow": tf.__version__, "keras": keras.__version__})
