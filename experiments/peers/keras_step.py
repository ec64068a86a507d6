"""One training step of ResNet-20 (projection shortcuts, 32x32) in Keras on TensorFlow on the CPU, timed: forward,
backward and SGD, as one graph or compiled by XLA.

    python experiments/peers/keras_step.py --setting graph --threads 2 --interop 1 --batch 2,32

The step is a `tf.function` of its own, which costs less a step than `train_on_batch`. Keras' own weight decay is
decoupled from the rate's schedule; the one here is in the gradient, as in the paper.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from measurement import LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, arguments, report

SETTINGS = ["graph", "xla"]
NORMALIZERS = {
    "batch": lambda: layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
    "group": lambda: layers.GroupNormalization(8, epsilon=1e-5),
    "none": lambda: layers.Identity(),
}


def resnet20(norm):
    def convolution(x, width, size, stride):
        # Explicit padding: TensorFlow's "same" pads unevenly at stride 2.
        if size == 3 and stride == 2:
            x = layers.ZeroPadding2D(1)(x)
        padding = "same" if stride == 1 else "valid"
        return layers.Conv2D(width, size, stride, padding, use_bias=False)(x)

    def block(x, width, stride):
        y = layers.ReLU()(norm()(convolution(x, width, 3, stride)))
        y = norm()(convolution(y, width, 3, 1))
        if x.shape[-1] != width:
            x = norm()(convolution(x, width, 1, stride))
        return layers.ReLU()(layers.Add()([y, x]))

    images = keras.Input((32, 32, 3))
    x = layers.ReLU()(norm()(convolution(images, 16, 3, 1)))
    for stage, width in enumerate([16, 32, 64]):
        for index in range(3):
            x = block(x, width, 2 if index == 0 and stage > 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, layers.Dense(10, dtype="float32")(x))


def make_step(setting, norm, batch, precision):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    model = resnet20(NORMALIZERS[norm])
    optimizer = keras.optimizers.SGD(LEARNING_RATE, momentum=MOMENTUM, nesterov=True)
    optimizer.build(model.trainable_variables)
    generator = np.random.default_rng(1)
    images = tf.constant(generator.standard_normal((batch, 32, 32, 3)), tf.float32)
    labels = tf.constant(generator.integers(10, size=batch), tf.int32)

    @tf.function(jit_compile=setting == "xla")
    def train(images, labels):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        weights = [variable.value for variable in model.trainable_variables]
        gradients = tape.gradient(loss, weights)
        decayed = [gradient + WEIGHT_DECAY * weight for gradient, weight in zip(gradients, weights)]
        optimizer.apply(decayed, model.trainable_variables)
        return loss

    return lambda: float(train(images, labels)), sum(weight.numpy().size for weight in model.trainable_variables)


if __name__ == "__main__":
    options = arguments(__doc__, SETTINGS)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.interop)
    report(
        options,
        make_step,
        framework="keras",
        model="resnet20",
        version=f"{keras.__version__}/{tf.__version__}",
        interopThreads=options.interop,
    )
