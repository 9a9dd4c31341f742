/* Written by `node scripts/config-docs.mjs` from the comments in the config schemas; do not edit. */
/* eslint-disable max-lines -- one line for each documented field */

/** What each schema and each of its fields mean, by schema name. */
// prettier-ignore
export const configDocs: Readonly<Record<string, { readonly doc: string; readonly fields: Readonly<Record<string, string>> }>> = {
  "AdafactorConfig": {
    "doc": "Adafactor: squared means kept as row and column sums.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "factored": "Keep the squared means of matrices as row and column sums.",
      "multiply_by_parameter_scale": "Scale the learning rate by the size of the weights.",
      "beta1": "Decay of the running mean of gradients; null: no mean is kept.",
      "decay_rate": "Exponent with which the decay of squared means approaches 1.",
      "step_offset": "Steps taken before this run, as the decay counts them.",
      "clipping_threshold": "Updates whose root mean square is greater are scaled down to this.",
      "min_dim_size_to_factor": "Only dimensions of at least this size are factored.",
      "epsilon1": "Added to squared gradients.",
      "epsilon2": "Smallest size of weights that the scaling assumes.",
      "weight_decay": "Share of a weight that is taken off per update; null: no decay.",
      "include_in_weight_decay": "Pattern of variable names that decay; null: all."
    }
  },
  "AdafactorKerasConfig": {
    "doc": "Adafactor of the newer optimizer family.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "learning_rate": "Replaced by the schedule of `learning_rate`.",
      "beta_2_decay": "Exponent with which the decay of squared means approaches 1.",
      "epsilon_1": "Added to squared gradients.",
      "epsilon_2": "Smallest size of weights that the scaling assumes.",
      "clip_threshold": "Updates whose root mean square is greater are scaled down to this.",
      "relative_step": "Bound the learning rate by a value that falls with the step."
    }
  },
  "AdagradConfig": {
    "doc": "Adagrad.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "initial_accumulator_value": "Start value of the sums of squared gradients.",
      "epsilon": "Added to the root of the sum, against division by zero."
    }
  },
  "AdamConfig": {
    "doc": "Adam.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "amsgrad": "Divide by the greatest squared mean so far instead of the present one."
    }
  },
  "AdamExperimentalConfig": {
    "doc": "Adam of the newer optimizer family.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "amsgrad": "Divide by the greatest squared mean so far instead of the present one.",
      "jit_compile": "Compile the update for an accelerator."
    }
  },
  "AdamWeightDecayConfig": {
    "doc": "Adam with decoupled weight decay.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "amsgrad": "Divide by the greatest squared mean so far instead of the present one.",
      "weight_decay_rate": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "include_in_weight_decay": "Patterns of variable names that decay although `exclude_from_weight_decay` matches them; null: none.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay, such as `bias`; null: none.",
      "gradient_clip_norm": "All gradients together are scaled down to this norm before the update; 0 or null: not clipped."
    }
  },
  "AdamWeightDecayExperimentalConfig": {
    "doc": "Adam with decoupled weight decay of the newer optimizer family.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "amsgrad": "Divide by the greatest squared mean so far instead of the present one.",
      "weight_decay": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "jit_compile": "Compile the update for an accelerator."
    }
  },
  "AdamaxConfig": {
    "doc": "Adamax: Adam by the largest recent gradient.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the largest gradient, per step.",
      "epsilon": "Added to the largest gradient, against division by zero."
    }
  },
  "AnnealingSampleConfig": {
    "doc": "Tasks are chosen with probabilities ∝ weight^alpha, where alpha falls as training goes on.",
    "fields": {
      "steps_per_epoch": "Steps of an epoch, within which alpha is constant.",
      "total_steps": "Steps of the whole training: alpha is 1 in the second epoch and 0.2 after them."
    }
  },
  "CnnConfig": {
    "doc": "Convolutional model.",
    "fields": {
      "filters": "Channels after each 3×3 convolution.",
      "dense_units": "Width of the dense layer before the last one.",
      "dropout_rate": "Share of values that each training step sets to zero after pooling; twice as much after the dense layer.",
      "l2": "Factor of the squared weights added to the loss."
    }
  },
  "ConstantLrConfig": {
    "doc": "The same learning rate at every step.",
    "fields": {
      "name": "Name of the schedule.",
      "learning_rate": "The learning rate."
    }
  },
  "CosineLrConfig": {
    "doc": "Learning rate that falls along half a cosine.",
    "fields": {
      "name": "Name of the schedule.",
      "initial_learning_rate": "Learning rate at the first step.",
      "decay_steps": "Steps until the end value is reached.",
      "alpha": "End value as a share of the initial learning rate.",
      "offset": "Step at which the schedule begins."
    }
  },
  "DataConfig": {
    "doc": "Where the examples come from and how they become batches.",
    "fields": {
      "input_path": "Files or patterns to read: one text (commas separate several), a list of texts, or a mapping of names to either.",
      "tfds_name": "Name of a registered dataset (`mnist`, `iris`, `sonnets`, or one's own) to read instead of files, or a mapping of names; empty: files.",
      "tfds_split": "Split of the registered dataset, such as `train[:90%]`.",
      "global_batch_size": "Examples in one batch over all replicas.",
      "is_training": "Whether the data are for training, that is shuffled and repeated; null: not said.",
      "drop_remainder": "Drop the last batch of an epoch when it is not full.",
      "shuffle_buffer_size": "Examples from which the next one is drawn at random, where data are read as a stream; data with known positions are shuffled as a whole.",
      "cache": "Keep decoded and parsed examples in memory after the first epoch; they are shuffled after that.",
      "cycle_length": "Files read in turn at the same time; null: all, 16 at most.",
      "block_length": "Records taken from one file before the next file's turn.",
      "ram_budget": "Memory that automatic tuning may use, in GB; null: not limited.",
      "deterministic": "Keep the order of examples the same in every run; null: yes.",
      "sharding": "Let every input pipeline read its own share of the data.",
      "enable_tf_data_service": "Make batches in a separate data service.",
      "tf_data_service_address": "Address of the data service.",
      "tf_data_service_job_name": "Name of a job that several readers of the data service share.",
      "tfds_data_dir": "Directory of the registered dataset; empty: wherever it has its data.",
      "tfds_as_supervised": "Read (input, label) pairs instead of mappings from a registered dataset.",
      "tfds_skip_decoding_feature": "Comma-separated features of a registered dataset that stay encoded.",
      "enable_shared_tf_data_service_between_parallel_trainers": "Share one data service between several trainers.",
      "apply_tf_data_service_before_batching": "Apply the data service before batching.",
      "trainer_id": "Name of this trainer at a shared data service.",
      "seed": "Seed of the shuffling; null: that of the run.",
      "prefetch_buffer_size": "Batches made ahead of their use; null or 0: two.",
      "autotune_algorithm": "Name of the algorithm of automatic tuning."
    }
  },
  "DifferentialPrivacyConfig": {
    "doc": "Differential privacy of the gradients of a batch (not of its examples one by one).",
    "fields": {
      "clipping_norm": "Largest L2 norm of all gradients of a batch together; they are scaled down to it.",
      "noise_multiplier": "Standard deviation of the normal noise that is added to every gradient, as a multiple of `clipping_norm`; 0: no noise."
    }
  },
  "DirectPowerLrConfig": {
    "doc": "Learning rate proportional to a power of the step.",
    "fields": {
      "name": "Name of the schedule.",
      "initial_learning_rate": "Learning rate at step 1.",
      "power": "Exponent of the step."
    }
  },
  "EMAConfig": {
    "doc": "Exponential moving average of the weights; evaluated and exported in place of the raw weights.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the averaging wrapper.",
      "trainable_weights_only": "Average only the variables that training changes; false: all variables of the model.",
      "average_decay": "Share of the old average that an update keeps, from 0 to 1.",
      "start_step": "Optimizer step from which on averages are kept apart from the weights.",
      "dynamic_decay": "Let the decay grow from a small value to `average_decay` in the first steps, so that early weights are forgotten."
    }
  },
  "EarlyStoppingConfig": {
    "doc": "Ending the training when a result no longer gets better.",
    "fields": {
      "metric": "Result of the evaluation that is watched; names inside nested results are joined with `|`.",
      "metric_comp": "Whether a higher or a lower value is better.",
      "patience": "Evaluations in a row without a better value that are waited for.",
      "min_delta": "A change smaller than this does not count as better.",
      "begin_steps": "Evaluations before this step do not count."
    }
  },
  "ExperimentConfig": {
    "doc": "A whole experiment; see experimentConfig, which makes one with the task's own type.",
    "fields": {
      "task": "What is trained, on which data.",
      "trainer": "The training and evaluation loops.",
      "runtime": "Devices, precision and the process as a whole."
    }
  },
  "ExponentialLrConfig": {
    "doc": "Learning rate that is multiplied by the same factor over every `decay_steps` steps.",
    "fields": {
      "name": "Name of the schedule.",
      "initial_learning_rate": "Learning rate at the first step.",
      "decay_steps": "Steps over which the rate is multiplied by `decay_rate` once.",
      "decay_rate": "Factor of the decay.",
      "staircase": "Decay in jumps at multiples of `decay_steps` instead of smoothly; null: smoothly.",
      "offset": "Step at which the schedule begins."
    }
  },
  "InverseSqrtLrConfig": {
    "doc": "Linear rise, then in proportion to one over the root of the step.",
    "fields": {
      "name": "Name of the schedule.",
      "max_learning_rate": "Learning rate at the end of the rise.",
      "warmup_steps": "Length of the rise in steps.",
      "offset": "Step at which the schedule begins."
    }
  },
  "LAMBConfig": {
    "doc": "LAMB: Adam with layer-wise scaling, for large batches.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "weight_decay_rate": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay; null: none.",
      "exclude_from_layer_adaptation": "Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`."
    }
  },
  "LARSConfig": {
    "doc": "LARS: momentum with layer-wise scaling, for large batches.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "momentum": "Share of the last update that is added to the next one.",
      "eeta": "Coefficient of the layer-wise scaling.",
      "weight_decay_rate": "Weight of the squared-weights penalty; 0: none.",
      "nesterov": "Use Nesterov's form of momentum.",
      "classic_momentum": "Apply the learning rate to the update before momentum, as in the paper; false: after it.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay; null: none.",
      "exclude_from_layer_adaptation": "Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`."
    }
  },
  "LearningRateMultiplierConfig": {
    "doc": "The learning rate of some variables, as a multiple of the schedule's.",
    "fields": {
      "pattern": "Regular expression, searched anywhere in the names of variables: `embedding`, `^backbone/`.",
      "multiplier": "What the learning rate is multiplied by; 0: the variables stay as they are."
    }
  },
  "LinearWarmupConfig": {
    "doc": "Straight line from a start value to the schedule's value at the end of the warm-up.",
    "fields": {
      "name": "Name of the warm-up.",
      "warmup_learning_rate": "Learning rate at step 0.",
      "warmup_steps": "Length of the warm-up in steps; 0 or null: no warm-up."
    }
  },
  "LionConfig": {
    "doc": "Lion: every weight moves by the learning rate, in the direction of the momentum.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Share of the running mean in the direction of a step; the rest is the gradient.",
      "beta_2": "Decay of the running mean of gradients, per step.",
      "weight_decay_rate": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "include_in_weight_decay": "Patterns of variable names that decay although `exclude_from_weight_decay` matches them; null: none.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay, such as `bias`; null: none."
    }
  },
  "LrConfig": {
    "doc": "The learning-rate schedule: `type` selects one, its block holds the parameters.",
    "fields": {
      "constant": "The same rate at every step.",
      "stepwise": "Changes at given steps.",
      "exponential": "Exponential decay.",
      "polynomial": "Polynomial decay.",
      "cosine": "Cosine decay.",
      "power": "Power of the step.",
      "power_linear": "Power of the step with a linear end.",
      "power_with_offset": "Plateau, then power of the step.",
      "step_cosine_with_offset": "Cosines between values.",
      "one_cycle": "Up to the largest rate and down again.",
      "inverse_sqrt": "Rise, then one over the root of the step.",
      "warmup_stable_decay": "Rise, plateau, fall."
    }
  },
  "MlpConfig": {
    "doc": "Fully connected model.",
    "fields": {
      "hidden_units": "Width of each hidden layer.",
      "dropout_rate": "Share of hidden values that each training step sets to zero.",
      "l2": "Factor of the squared weights added to the loss."
    }
  },
  "MnistModelConfig": {
    "doc": "",
    "fields": {
      "mlp": "Fully connected.",
      "cnn": "Convolutional."
    }
  },
  "MnistTask": {
    "doc": "Config of the MNIST task: the base fields and the model.",
    "fields": {
      "model": "The model: `type` selects one, its block holds the parameters."
    }
  },
  "MultiEvalExperimentConfig": {
    "doc": "",
    "fields": {
      "eval_tasks": "The tasks that the trained model is evaluated on."
    }
  },
  "MultiTaskConfig": {
    "doc": "Several tasks that are trained together.",
    "fields": {
      "init_checkpoint": "Checkpoint, or directory of checkpoints, from which a fresh model is initialised; empty: none.",
      "model": "The model that the tasks share; its fields depend on the experiment.",
      "task_routines": "The tasks.",
      "differential_privacy_config": "Clips the gradients of each update and adds noise to them; null: neither."
    }
  },
  "MultiTaskExperimentConfig": {
    "doc": "The schema behind multiTaskExperimentConfig.",
    "fields": {
      "task": "The tasks and the model that they share.",
      "trainer": "The training and evaluation loops.",
      "runtime": "Devices, precision and the process as a whole."
    }
  },
  "MultiTaskMultiEvalExperimentConfig": {
    "doc": "",
    "fields": {
      "eval_tasks": "The tasks that the trained model is evaluated on."
    }
  },
  "MultiTaskTrainerConfig": {
    "doc": "The training and evaluation loops of several tasks.",
    "fields": {
      "trainer_type": "`interleaving`: every step trains one task, chosen by `task_sampler`. `joint`: every step trains all, on the weighted sum of their losses.",
      "task_sampler": "How interleaved training chooses the task of a step."
    }
  },
  "MuonConfig": {
    "doc": "Muon: orthogonalised momentum for matrices, Adam for the rest.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "momentum": "Decay of the running mean of the gradients of matrices, per step.",
      "nesterov": "Use Nesterov's form of momentum.",
      "newton_schulz_steps": "Iterations of the orthogonalisation.",
      "scaling": "Size of a matrix's step: as that of Adam (`match_adam`), or as first published (`original`), for rates of about 0.02.",
      "use_adam_for": "Patterns of names of matrices that Adam updates, such as embeddings; null: none.",
      "beta_1": "Adam: decay of the running mean of gradients, per step.",
      "beta_2": "Adam: decay of the running mean of squared gradients, per step.",
      "epsilon": "Adam: added to the root of the squared mean, against division by zero.",
      "weight_decay_rate": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "include_in_weight_decay": "Patterns of variable names that decay although `exclude_from_weight_decay` matches them; null: none.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay, such as `bias`; null: none."
    }
  },
  "NadamConfig": {
    "doc": "Nadam: Adam with Nesterov's momentum.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "momentum_decay": "How fast the momentum grows from half of `beta_1` to `beta_1`."
    }
  },
  "OneCycleLrConfig": {
    "doc": "Up to the largest rate and down again, along two half cosines.",
    "fields": {
      "name": "Name of the schedule.",
      "max_learning_rate": "The largest learning rate.",
      "total_steps": "Length of the cycle in steps.",
      "warmup_fraction": "Share of the steps in which the rate rises.",
      "initial_divisor": "The first rate is the largest divided by this.",
      "final_divisor": "The last rate is the first divided by this.",
      "offset": "Step at which the schedule begins."
    }
  },
  "OptimizationConfig": {
    "doc": "How the weights are updated.",
    "fields": {
      "optimizer": "The optimizer and its parameters.",
      "ema": "Averaging of the weights; null: none, an empty mapping: with its defaults.",
      "learning_rate": "The learning-rate schedule.",
      "warmup": "The warm-up before the schedule.",
      "learning_rate_multipliers": "Learning rates of some variables, as multiples of the schedule's; of several patterns that are found in a name the first counts."
    }
  },
  "OptimizerConfig": {
    "doc": "The optimizer: `type` selects one, its block holds the parameters.",
    "fields": {
      "sgd": "Stochastic gradient descent with momentum.",
      "sgd_experimental": "Stochastic gradient descent of the newer family.",
      "adam": "Adam.",
      "adam_experimental": "Adam of the newer family.",
      "adamw": "Adam with decoupled weight decay.",
      "adamw_experimental": "Adam with decoupled weight decay of the newer family.",
      "lamb": "Adam with layer-wise scaling.",
      "rmsprop": "RMSprop.",
      "lars": "Momentum with layer-wise scaling.",
      "adagrad": "Adagrad.",
      "slide": "Layer-wise scaling for sparse layers.",
      "adafactor": "Adafactor as the paper has it.",
      "adafactor_keras": "Adafactor of the newer family.",
      "lion": "Sign of the momentum, with decoupled weight decay.",
      "adamax": "Adam by the largest recent gradient.",
      "nadam": "Adam with Nesterov's momentum.",
      "muon": "Orthogonalised momentum for matrices, Adam for the rest.",
      "schedule_free_adamw": "Adam with averaged weights in place of a schedule."
    }
  },
  "PolynomialLrConfig": {
    "doc": "Learning rate that falls by a power of the remaining share of steps.",
    "fields": {
      "name": "Name of the schedule.",
      "initial_learning_rate": "Learning rate at the first step.",
      "decay_steps": "Steps until the end value is reached.",
      "end_learning_rate": "Learning rate at the end.",
      "power": "Exponent of the decay; 1: a straight line.",
      "cycle": "Start again with a longer decay when the end is reached.",
      "offset": "Step at which the schedule begins."
    }
  },
  "PolynomialWarmupConfig": {
    "doc": "Power of the share of warm-up steps done, times the schedule's value at the end of the warm-up.",
    "fields": {
      "name": "Name of the warm-up.",
      "power": "Exponent; 1: a straight line from zero.",
      "warmup_steps": "Length of the warm-up in steps; 0 or null: no warm-up."
    }
  },
  "PowerAndLinearLrConfig": {
    "doc": "Power of the step, then a straight line to zero.",
    "fields": {
      "name": "Name of the schedule.",
      "initial_learning_rate": "Learning rate at step 1.",
      "total_decay_steps": "Step at which the rate reaches zero.",
      "power": "Exponent of the step.",
      "linear_decay_fraction": "Share of the steps, at the end, in which the rate also falls linearly to zero.",
      "offset": "Step at which the schedule begins."
    }
  },
  "PowerDecayWithOffsetLrConfig": {
    "doc": "A plateau, then a power of the step.",
    "fields": {
      "name": "Name of the schedule.",
      "initial_learning_rate": "Learning rate one step after the offset.",
      "power": "Exponent of the step.",
      "offset": "Step at which the schedule begins.",
      "pre_offset_learning_rate": "Learning rate before the offset, and upper bound after it."
    }
  },
  "ProgressiveTrainerConfig": {
    "doc": "The training and evaluation loops of training in stages.",
    "fields": {
      "progressive": "Settings of the stages, for the task to read; null: none.",
      "export_checkpoint": "Export checkpoints of model and optimizer that other tasks can load, to `exported_ckpts`.",
      "export_checkpoint_interval": "Training steps between two exports; null: `checkpoint_interval`.",
      "export_max_to_keep": "Exports kept; null: `max_to_keep`.",
      "export_only_final_stage_ckpt": "Export in the last stage only."
    }
  },
  "ProportionalSampleConfig": {
    "doc": "Tasks are chosen with probabilities ∝ weight^alpha.",
    "fields": {
      "alpha": "Exponent of the weights: 1 as they are, 0 uniform."
    }
  },
  "RMSPropConfig": {
    "doc": "RMSprop.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "rho": "Decay of the running mean of squared gradients, per step.",
      "momentum": "Share of the last update that is added to the next one; 0: none.",
      "epsilon": "Added to the squared mean, against division by zero.",
      "centered": "Divide by the variance of gradients instead of their squared mean."
    }
  },
  "ReduceOnPlateauConfig": {
    "doc": "Lowering the learning rate when a result no longer gets better.",
    "fields": {
      "metric": "Result of the evaluation that is watched; names inside nested results are joined with `|`.",
      "metric_comp": "Whether a higher or a lower value is better.",
      "patience": "Evaluations in a row without a better value that are waited for.",
      "min_delta": "A change smaller than this does not count as better.",
      "begin_steps": "Evaluations before this step do not count.",
      "factor": "The learning rate is multiplied by this, between 0 and 1.",
      "cooldown": "Evaluations after a reduction that do not count.",
      "min_learning_rate": "The learning rate is not lowered below this."
    }
  },
  "RuntimeConfig": {
    "doc": "Devices, precision and the process as a whole.",
    "fields": {
      "distribution_strategy": "How the work is spread over devices; `off`, `one_device` and `mirrored` with `num_gpus: 0` use one replica on the CPU.",
      "enable_xla": "Compile further with XLA.",
      "gpu_thread_mode": "Mode of the thread pool of GPU kernels.",
      "dataset_num_private_threads": "Threads of the input pipeline alone.",
      "per_gpu_thread_count": "Threads of each GPU.",
      "tpu": "Address of the TPU.",
      "num_gpus": "GPUs to use.",
      "worker_hosts": "Comma-separated host:port of every worker.",
      "task_index": "Index of this worker.",
      "all_reduce_alg": "Algorithm that sums gradients over replicas.",
      "num_packs": "Packs into which gradients are split to be summed.",
      "mixed_precision_dtype": "Type of the computation; null: float32.",
      "loss_scale": "Factor of the loss in float16: `dynamic` or a number; null: dynamic.",
      "run_eagerly": "Run steps uncompiled, on the interpreter: slow, for debugging.",
      "batchnorm_spatial_persistent": "Faster batch normalisation on GPUs.",
      "tpu_enable_xla_dynamic_padder": "Compiler option; null: the compiler's default.",
      "num_cores_per_replica": "Cores over which one replica is spread.",
      "default_shard_dim": "Dimension along which tensors are spread; -1: none.",
      "use_tpu_mp_strategy": "Use the TPU strategy with model parallelism.",
      "device": "Device on which compiled steps run.",
      "num_threads": "Threads of compiled steps; 0: chosen automatically.",
      "graph_optimization_level": "How much ONNX Runtime rewrites compiled steps: less starts faster and runs slower. Null: `ORBIT_GRAPH_OPTIMIZATION_LEVEL` if set, else `extended`.",
      "native_kernels": "Compute convolutions and chains of elementwise kernels by native kernels, where their package is installed; results differ by rounding.",
      "seed": "Seed of everything random in a run: initial weights, dropout, shuffling."
    }
  },
  "SGDConfig": {
    "doc": "Stochastic gradient descent with momentum.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "decay": "The learning rate is divided by 1 + decay · step; 0: not at all.",
      "nesterov": "Use Nesterov's form of momentum.",
      "momentum": "Share of the last update that is added to the next one; 0: none."
    }
  },
  "SGDExperimentalConfig": {
    "doc": "Stochastic gradient descent of the newer optimizer family.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "nesterov": "Use Nesterov's form of momentum.",
      "momentum": "Share of the last update that is added to the next one; 0: none.",
      "jit_compile": "Compile the update for an accelerator."
    }
  },
  "SLIDEConfig": {
    "doc": "SLIDE: layer-wise scaling for sparse layers.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Decay of the running mean of gradients, per step.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "weight_decay_rate": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "weight_decay_type": "Where the decay is applied: `inner`, before the scaling, or `outer`, after it.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay; null: none.",
      "exclude_from_layer_adaptation": "Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`.",
      "include_in_sparse_layer_adaptation": "Patterns of variable names that are treated as sparse layers; null: none.",
      "sparse_layer_learning_rate": "Learning rate of the sparse layers.",
      "do_gradient_rescaling": "Rescale gradients by their norm before the update.",
      "norm_type": "Norm that the scaling uses.",
      "ratio_clip_norm": "Upper bound of the scaling ratio."
    }
  },
  "ScheduleFreeAdamWConfig": {
    "doc": "Schedule-free AdamW: averaged weights in place of a schedule. Use a constant rate, at most with a warm-up.",
    "fields": {
      "clipnorm": "Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped.",
      "clipvalue": "Gradient elements are cut to the range from minus to plus this value; null: not clipped.",
      "global_clipnorm": "All gradients together are scaled down when their common norm is greater than this; null: not clipped.",
      "name": "Name of the optimizer.",
      "beta_1": "Share of the averaged weights in those where gradients are taken.",
      "beta_2": "Decay of the running mean of squared gradients, per step.",
      "epsilon": "Added to the root of the squared mean, against division by zero.",
      "weight_decay_rate": "Share of a weight that is taken off per unit of learning rate; 0: no decay.",
      "include_in_weight_decay": "Patterns of variable names that decay although `exclude_from_weight_decay` matches them; null: none.",
      "exclude_from_weight_decay": "Patterns of variable names that do not decay, such as `bias`; null: none."
    }
  },
  "StepCosineLrConfig": {
    "doc": "A cosine from each value to the next.",
    "fields": {
      "name": "Name of the schedule.",
      "boundaries": "Steps between which each cosine runs, ascending; as many as values.",
      "values": "Learning rates at the boundaries.",
      "offset": "Step at which the schedule begins."
    }
  },
  "StepwiseLrConfig": {
    "doc": "Learning rate that changes at given steps.",
    "fields": {
      "name": "Name of the schedule.",
      "boundaries": "Steps after which the next value holds, ascending.",
      "values": "Learning rates; one more than there are boundaries.",
      "offset": "Step at which the schedule begins."
    }
  },
  "StochasticWeightAveragingConfig": {
    "doc": "Averaging of the weights of many steps, each with the same share.",
    "fields": {
      "start_step": "Step of the first weights that are averaged.",
      "every_n_steps": "Steps between two weights that are averaged; each is taken at the end of the training loop that reaches its step.",
      "trainable_weights_only": "Average trainable variables only, not statistics such as those of batch normalisation."
    }
  },
  "TaskConfig": {
    "doc": "The fields that every task has. Own tasks add theirs with taskConfig.",
    "fields": {
      "init_checkpoint": "Checkpoint, or directory of checkpoints, from which a fresh model is initialised; empty: none.",
      "model": "The model; its fields depend on the task.",
      "train_data": "Data for training.",
      "validation_data": "Data for evaluation.",
      "name": "Name of the task; null: the name of its class.",
      "differential_privacy_config": "Clips the gradients of each batch and adds noise to them; null: neither.",
      "allow_image_summary": "Write images as well when evaluation summaries are written."
    }
  },
  "TaskRoutine": {
    "doc": "One task of several.",
    "fields": {
      "task_name": "Name of the task; empty: that of `task_config`.",
      "task_config": "Config of the task, made by the task's own schema.",
      "eval_steps": "Batches of each evaluation of the task; null: `trainer.validation_steps`.",
      "task_weight": "Weight of the task's loss in joint training, or of the task among those to choose from in interleaved training."
    }
  },
  "TaskSamplingConfig": {
    "doc": "How interleaved training chooses the task of a step.",
    "fields": {
      "uniform": "Every task equally often.",
      "proportional": "As often as the weights say.",
      "annealing": "First as the weights say, later more uniformly."
    }
  },
  "TrainerConfig": {
    "doc": "The training and evaluation loops.",
    "fields": {
      "optimizer_config": "Optimizer, learning rate, warm-up and averaging.",
      "train_tf_while_loop": "Make every training loop as long as asked for: data that end inside one are an error. False ends the loop early instead.",
      "train_tf_function": "Compile the training step.",
      "eval_tf_function": "Compile the evaluation step.",
      "eval_tf_while_loop": "Make every evaluation as long as `validation_steps`, which must then be a number: data that end before are an error.",
      "allow_tpu_summary": "Let only the first step of a training loop write summaries.",
      "steps_per_loop": "Training steps between two returns to the outer loop, where logs, summaries and checkpoints are made.",
      "summary_interval": "Training steps between two summaries; a multiple of `steps_per_loop`.",
      "checkpoint_interval": "Training steps between two checkpoints.",
      "max_to_keep": "Checkpoints kept; the oldest is removed when there are more.",
      "continuous_eval_timeout": "Seconds that continuous evaluation waits for a new checkpoint before it ends; null: for ever.",
      "train_steps": "Step at which training ends, counted from the very first run.",
      "validation_steps": "Evaluation steps; -1: the whole validation set.",
      "validation_interval": "Training steps between two evaluations.",
      "best_checkpoint_export_subdir": "Sub-directory of the model directory that keeps the best checkpoint; empty: none is kept.",
      "best_checkpoint_eval_metric": "Metric that decides which checkpoint is best; nested names are joined with `|`.",
      "best_checkpoint_metric_comp": "Whether a higher or a lower value of the metric is better.",
      "loss_upper_bound": "Training loss above which a run counts as blown up.",
      "recovery_begin_steps": "Step from which on the bound holds.",
      "recovery_max_trials": "Returns to the last checkpoint that are allowed after a blow-up; 0: the first one ends the run, negative: losses are not watched.",
      "validation_summary_subdir": "Sub-directory of the model directory for evaluation summaries.",
      "resume_data": "Where the training data of a resumed run start: after the last batch of the checkpoint (`continue`), or anew (`restart`).",
      "recovery_data": "Where the training data go on after a roll-back: with the next batch (`continue`), or where the checkpoint was (`rewind`).",
      "preemption_on_demand_checkpoint": "Save a checkpoint when the process is told to end.",
      "preemption_grace_seconds": "Seconds from the signal to end until the process ends, whatever it has reached; 0: as long as it takes.",
      "preemption_file": "File whose appearance tells the run to end, as SIGTERM does; empty: none.",
      "checkpoint_interval_seconds": "Save as well when this many seconds have passed since the last checkpoint; 0: never.",
      "checkpoint_interval_epochs": "Save as well when this many epochs have ended since the last checkpoint; 0: never.",
      "checkpoint_on_exception": "Save a checkpoint when training ends with an error other than a blown-up loss.",
      "keep_checkpoint_every_n_hours": "Keep one checkpoint for every so many hours, besides the newest `max_to_keep`; null: none.",
      "keep_checkpoint_every_n_steps": "Keep the checkpoints of every so many steps, besides the newest `max_to_keep`; null: none.",
      "grad_accumulation_steps": "Batches whose gradients make one update: a step takes so many, and equals one with a batch of them all. Steps count updates.",
      "early_stopping": "End the training when a result of the evaluations no longer gets better; null: no.",
      "reduce_on_plateau": "Lower the learning rate when a result of the evaluations no longer gets better; null: no.",
      "stochastic_weight_averaging": "Average the weights of many steps, to be evaluated in place of the last ones; null: no.",
      "eval_at_start": "Evaluate before the first step as well, in mode train_and_eval.",
      "sanity_check_batches": "Batches of validation data that are tried before training begins, so that a mistake in the evaluation shows at once; 0: none.",
      "max_wall_seconds": "Seconds after which training ends at the next step with a checkpoint; the next run goes on from there. null: no limit.",
      "fast_dev_run": "A trial run of so many training and evaluation steps that leaves no files behind; 0: no.",
      "overfit_batches": "Train on the first so many batches over and over, and evaluate on the same; 0: on all data.",
      "loggers": "Write results also to `<model_dir>/logs`: as `csv`, `json_lines` or both.",
      "replay_non_finite": "When a loss is not a number, make the steps since the last checkpoint again to find the first bad tensor.",
      "keep_best_checkpoints": "Keep so many checkpoints with the best `best_checkpoint_eval_metric`, besides the newest `max_to_keep`; 0: none."
    }
  },
  "WarmupConfig": {
    "doc": "The warm-up: `type` selects one, null none.",
    "fields": {
      "linear": "Straight line from a start value.",
      "polynomial": "Power of the share of steps done."
    }
  },
  "WarmupStableDecayLrConfig": {
    "doc": "Linear rise, plateau, fall.",
    "fields": {
      "name": "Name of the schedule.",
      "max_learning_rate": "Learning rate of the plateau.",
      "warmup_steps": "Length of the rise in steps.",
      "stable_steps": "Length of the plateau in steps.",
      "decay_steps": "Length of the fall in steps.",
      "end_learning_rate": "Learning rate at the end.",
      "decay_shape": "Form of the fall; `sqrt`: fast first, by one less the root of the share done.",
      "offset": "Step at which the schedule begins."
    }
  }
};
