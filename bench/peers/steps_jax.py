"""Training steps in JAX with optax: one jitted function whose parameters and optimizer state are donated."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from protocol import serve_steps

random = np.random.default_rng(0)


def normal(*shape, scale=1.0):
    return jnp.array(random.standard_normal(shape) * scale, jnp.float32)


def weight(*shape):
    return normal(*shape, scale=1 / math.sqrt(np.prod(shape[:-1])))


def zeros(n):
    return jnp.zeros(n, jnp.float32)


def ones(n):
    return jnp.ones(n, jnp.float32)


def labels(n):
    return jnp.arange(n) % 10


def tokens(*shape):
    return jnp.array(random.integers(0, 256, shape))


def convolution(x, kernel, stride=1, padding="VALID"):
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def mlp():
    parameters = [(weight(784, 512), zeros(512)), (weight(512, 512), zeros(512)), (weight(512, 10), zeros(10))]

    def forward(parameters, x):
        for w, b in parameters[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = parameters[-1]
        return x @ w + b

    return parameters, forward, normal(128, 784), labels(128)


def cnn():
    parameters = [
        weight(3, 3, 1, 32), zeros(32), weight(3, 3, 32, 64), zeros(64),
        weight(64 * 12 * 12, 128), zeros(128), weight(128, 10), zeros(10),
    ]

    def forward(p, x):
        x = jax.nn.relu(convolution(x, p[0]) + p[1])
        x = jax.nn.relu(convolution(x, p[2]) + p[3])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = jax.nn.relu(x.reshape(x.shape[0], -1) @ p[4] + p[5])
        return x @ p[6] + p[7]

    return parameters, forward, normal(64, 28, 28, 1), labels(64)


def resnet():
    def unit(kernel, channels_in, channels):
        return {"kernel": weight(kernel, kernel, channels_in, channels), "gamma": ones(channels), "beta": zeros(channels)}

    def apply(p, x, stride=1):
        x = convolution(x, p["kernel"], stride, "SAME")
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return (x - mean) * lax.rsqrt(variance + 1e-5) * p["gamma"] + p["beta"]

    blocks, strides, channels = [], [], 16
    for stage in range(3):
        for i in range(3):
            width, stride = 16 << stage, 2 if stage and i == 0 else 1
            block = {"a": unit(3, channels, width), "b": unit(3, width, width)}
            if stride > 1 or channels != width:
                block["shortcut"] = unit(1, channels, width)
            blocks.append(block)
            strides.append(stride)
            channels = width
    parameters = {"stem": unit(3, 3, 16), "blocks": blocks, "w": weight(64, 10), "b": zeros(10)}

    def forward(p, x):
        x = jax.nn.relu(apply(p["stem"], x))
        for block, stride in zip(p["blocks"], strides):
            y = apply(block["b"], jax.nn.relu(apply(block["a"], x, stride)))
            if "shortcut" in block:
                x = apply(block["shortcut"], x, stride)
            x = jax.nn.relu(x + y)
        return x.mean((1, 2)) @ p["w"] + p["b"]

    return parameters, forward, normal(32, 32, 32, 3), labels(32)


def gpt(depth=4, d=128, heads=4, length=128, vocabulary=256, batch=16):
    def norm(n):
        return {"gamma": ones(n), "beta": zeros(n)}

    def dense(a, b):
        return {"w": weight(a, b), "b": zeros(b)}

    parameters = {
        "embedding": normal(vocabulary, d, scale=0.02), "position": normal(length, d, scale=0.02),
        "norm": norm(d), "head": weight(d, vocabulary),
        "blocks": [
            {"norm1": norm(d), "norm2": norm(d), "qkv": dense(d, 3 * d), "out": dense(d, d), "up": dense(d, 4 * d), "down": dense(4 * d, d)}
            for _ in range(depth)
        ],
    }
    mask = jnp.triu(jnp.full((length, length), -1e9), 1)

    def normalize(p, x):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * p["gamma"] + p["beta"]

    def linear(p, x):
        return x @ p["w"] + p["b"]

    def forward(p, ids):
        x = p["embedding"][ids] + p["position"]
        for block in p["blocks"]:
            parts = jnp.split(linear(block["qkv"], normalize(block["norm1"], x)), 3, -1)
            q, k, v = (t.reshape(batch, length, heads, d // heads).transpose(0, 2, 1, 3) for t in parts)
            weights = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) / math.sqrt(d // heads) + mask, -1)
            x = x + linear(block["out"], (weights @ v).transpose(0, 2, 1, 3).reshape(batch, length, d))
            x = x + linear(block["down"], jax.nn.gelu(linear(block["up"], normalize(block["norm2"], x)), approximate=False))
        return (normalize(p["norm"], x) @ p["head"]).reshape(batch * length, vocabulary)

    return parameters, forward, tokens(batch, length), tokens(batch * length)


def lstm(features=32, units=128, steps=64, batch=32):
    parameters = {
        "input": weight(features, 4 * units), "hidden": weight(units, 4 * units), "bias": zeros(4 * units),
        "w": weight(units, 10), "b": zeros(10),
    }

    def forward(p, x):
        def cell(carry, frame):
            hidden, memory = carry
            i, f, g, o = jnp.split(frame @ p["input"] + hidden @ p["hidden"] + p["bias"], 4, -1)
            memory = jax.nn.sigmoid(f) * memory + jax.nn.sigmoid(i) * jnp.tanh(g)
            hidden = jax.nn.sigmoid(o) * jnp.tanh(memory)
            return (hidden, memory), None

        start = jnp.zeros((batch, units), jnp.float32)
        (hidden, _), _ = lax.scan(cell, (start, start), x)
        return hidden @ p["w"] + p["b"]

    return parameters, forward, normal(steps, batch, features), labels(batch)


MODELS = {"mlp": mlp, "cnn": cnn, "resnet": resnet, "gpt": gpt, "lstm": lstm}


def cross_entropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))


def build(name):
    parameters, forward, x, y = MODELS[name]()
    optimizer = optax.adam(1e-3)
    state = {"parameters": parameters, "slots": optimizer.init(parameters)}

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def train_step(parameters, slots, x, y):
        loss, gradients = jax.value_and_grad(lambda p: cross_entropy(forward(p, x), y))(parameters)
        updates, slots = optimizer.update(gradients, slots)
        return optax.apply_updates(parameters, updates), slots, loss

    def step():
        state["parameters"], state["slots"], loss = train_step(state["parameters"], state["slots"], x, y)
        jax.block_until_ready(state["parameters"])
        return float(loss)

    return step


serve_steps(build, versions={"jax": jax.__version__, "optax": optax.__version__})
