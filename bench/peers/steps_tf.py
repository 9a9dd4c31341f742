"""Training steps in TensorFlow with Keras 3 layers, in a tf.function; `--xla` compiles it with XLA."""

import math
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("TF_USE_LEGACY_KERAS", None)

import numpy as np
import tensorflow as tf

from protocol import THREADS, serve_steps

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)

import keras
from keras import layers

keras.utils.set_random_seed(0)


def normal(*shape):
    return tf.constant(np.random.standard_normal(shape).astype(np.float32))


def labels(n):
    return tf.constant(np.arange(n) % 10)


def mlp():
    return keras.Sequential([
        keras.Input((784,)), layers.Dense(512, "relu"), layers.Dense(512, "relu"), layers.Dense(10),
    ])


def cnn():
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPool2D(), layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10),
    ])


def resnet20():
    def convolution(x, channels, kernel, stride):
        return layers.BatchNormalization()(layers.Conv2D(channels, kernel, stride, "same", use_bias=False)(x))

    inputs = keras.Input((32, 32, 3))
    x, channels = layers.ReLU()(convolution(inputs, 16, 3, 1)), 16
    for stage in range(3):
        for i in range(3):
            width, stride = 16 << stage, 2 if stage and i == 0 else 1
            y = convolution(layers.ReLU()(convolution(x, width, 3, stride)), width, 3, 1)
            if stride > 1 or channels != width:
                x = convolution(x, width, 1, stride)
            x, channels = layers.ReLU()(layers.Add()([x, y])), width
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


class GPT(keras.Model):
    def __init__(self, depth=4, width=128, heads=4, length=128, vocabulary=256, batch=16):
        super().__init__()
        self.sizes = batch, length, heads, width, vocabulary
        self.embedding = layers.Embedding(vocabulary, width)
        self.position = self.add_weight(shape=(length, width))
        self.blocks = [
            (layers.LayerNormalization(), layers.LayerNormalization(), layers.Dense(3 * width), layers.Dense(width),
             layers.Dense(4 * width, "gelu"), layers.Dense(width))
            for _ in range(depth)
        ]
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(vocabulary, use_bias=False)
        self.mask = tf.constant(np.triu(np.full((length, length), -1e9, np.float32), 1))

    def call(self, tokens, training=False):
        b, t, h, d, v = self.sizes
        x = self.embedding(tokens) + self.position
        for norm1, norm2, qkv, out, up, down in self.blocks:
            parts = tf.split(qkv(norm1(x)), 3, -1)
            q, k, u = (tf.transpose(tf.reshape(p, (b, t, h, d // h)), (0, 2, 1, 3)) for p in parts)
            weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / math.sqrt(d // h) + self.mask)
            x = x + out(tf.reshape(tf.transpose(weights @ u, (0, 2, 1, 3)), (b, t, d)))
            x = x + down(up(norm2(x)))
        return tf.reshape(self.head(self.norm(x)), (b * t, v))


def lstm():
    return keras.Sequential([keras.Input((64, 32)), layers.LSTM(128), layers.Dense(10)])


def random_tokens(*shape):
    return tf.constant(np.random.randint(0, 256, shape))


MODELS = {
    "mlp": lambda: (mlp(), normal(128, 784), labels(128)),
    "cnn": lambda: (cnn(), normal(64, 28, 28, 1), labels(64)),
    "resnet": lambda: (resnet20(), normal(32, 32, 32, 3), labels(32)),
    "gpt": lambda: (GPT(), random_tokens(16, 128), random_tokens(16 * 128)),
    "lstm": lambda: (lstm(), normal(32, 64, 32), labels(32)),
}


def build(name):
    model, x, y = MODELS[name]()
    model(x, training=True)  # creates the weights
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile="--xla" in sys.argv)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return lambda: float(train_step(x, y))


serve_steps(build, versions={"tensorflow": tf.__version__, "keras": keras.__version__})
