"""What the Model Garden peers share: a task over (features, labels) datasets and its experiment config."""

import dataclasses
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow as tf
import tf_keras
from official.common import distribute_utils
from official.core import base_task, config_definitions, task_factory, train_lib
from official.modeling import optimization

THREADS = int(os.environ.get("BENCH_THREADS", "2"))
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)


@dataclasses.dataclass
class BenchTask(config_definitions.TaskConfig):
    pass


@task_factory.register_task_cls(BenchTask)
class Task(base_task.Task):
    """A classifier with sparse labels; `layers` and `dataset(is_training, batch_size)` are set by the script."""

    layers = None
    dataset = None
    with_metrics = True

    def build_model(self):
        return tf_keras.Sequential(type(self).layers())

    def build_inputs(self, params, input_context=None):
        return type(self).dataset(params.is_training, params.global_batch_size)

    def build_losses(self, labels, model_outputs, aux_losses=None):
        return tf.reduce_mean(
            tf_keras.losses.sparse_categorical_crossentropy(labels, model_outputs, from_logits=True)
        )

    def build_metrics(self, training=True):
        return [tf_keras.metrics.SparseCategoricalAccuracy(name="accuracy")]


def runner(layers, dataset, batch_size, optimizer, model_dir, mode, actions=(), **trainer):
    """An OrbitExperimentRunner for this task; `optimizer` is 'adam' or 'sgd', other arguments are TrainerConfig fields."""
    Task.layers, Task.dataset = staticmethod(layers), staticmethod(dataset)
    config = optimization.OptimizationConfig({
        "optimizer": {"type": optimizer},
        "learning_rate": {"type": "constant", "constant": {"learning_rate": 1e-3}},
    })
    data = config_definitions.DataConfig
    params = config_definitions.ExperimentConfig(
        task=BenchTask(
            train_data=data(is_training=True, global_batch_size=batch_size),
            validation_data=data(is_training=False, global_batch_size=1000),
        ),
        trainer=config_definitions.TrainerConfig(optimizer_config=config, **trainer),
    )
    strategy = distribute_utils.get_distribution_strategy(
        distribution_strategy=params.runtime.distribution_strategy, num_gpus=0
    )
    with strategy.scope():
        task = task_factory.get_task(params.task, logging_dir=model_dir)
    return train_lib.OrbitExperimentRunner(
        distribution_strategy=strategy, task=task, mode=mode, params=params, model_dir=model_dir, train_actions=list(actions)
    )
