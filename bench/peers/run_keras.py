"""The MLP on MNIST with Keras 3's `fit` on TensorFlow."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("TF_USE_LEGACY_KERAS", None)

import keras
import tensorflow as tf
from keras import layers

import mnist

tf.config.threading.set_intra_op_parallelism_threads(mnist.THREADS)
tf.config.threading.set_inter_op_parallelism_threads(mnist.THREADS)
keras.utils.set_random_seed(1)


class FirstStep(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])
        mnist.first_step_done()


images, labels = mnist.load("train")
model = keras.Sequential(
    [keras.Input((784,)), layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu"), layers.Dense(10)]
)
model.compile(
    keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
)
if mnist.FIRST_STEP_ONLY:
    model.fit(images, labels, batch_size=mnist.BATCH, verbose=0, callbacks=[FirstStep()])
history = model.fit(
    images, labels, batch_size=mnist.BATCH, epochs=mnist.EPOCHS, validation_data=mnist.load("t10k"),
    validation_batch_size=1000, verbose=0, callbacks=[keras.callbacks.ModelCheckpoint(mnist.OUT + "/{epoch}.keras")],
)
mnist.done(history.history["val_accuracy"][-1])
