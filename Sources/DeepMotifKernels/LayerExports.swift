// LayerExports: this copy's part of the table for the layers of LayerKernels.

import DeepMotifKernelTable

func layerKernels() -> LayerKernels {
    LayerKernels(
        leakyReLU: leakyReLU, leakyReLUGradient: leakyReLUGradient, elu: elu, eluGradient: eluGradient, gelu: gelu,
        geluGradient: geluGradient, exponential: exponential, exponentialGradient: exponentialGradient,
        softmax: softmax, softmaxGradient: softmaxGradient, layerNorm: layerNorm, layerNormGradient: layerNormGradient,
        gruGates: gruGates, gruState: gruState, gruStateGradient: gruStateGradient, gruResetGradient: gruResetGradient)
}
