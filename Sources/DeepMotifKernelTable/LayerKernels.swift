// LayerKernels: the part of the kernel table for layers beside convolution, LSTM, pools and the simplest activations.

/// One step of one direction of a GRU over `rows` sequences. Every array has its own distance from row to row.
///
/// A row of `gates` holds r, z, n and a fourth quantity, H each: the recurrent product of the candidate (reset behind
/// the product) or r times the previous state (reset before it).
package struct GRUStep: Sendable {
    package var rows: Int
    package var units: Int
    /// The reset gate is applied behind the recurrent product of the candidate.
    package var resetsAfter: Bool
    /// Input products with their bias, gates r z n: (rows, 3H).
    nonisolated(unsafe) package var inputs: Floats
    package var inputStride: Int
    /// Recurrent products with their bias, where there is one: (rows, 3H) without gaps.
    nonisolated(unsafe) package var sums: Floats
    /// State behind the step before; a stride of 0 for zeros.
    nonisolated(unsafe) package var previous: Floats
    package var previousStride: Int
    nonisolated(unsafe) package var gates: MutableFloats
    package var gateStride: Int

    package init(
        rows: Int, units: Int, resetsAfter: Bool, inputs: Floats, inputStride: Int, sums: Floats, previous: Floats,
        previousStride: Int, gates: MutableFloats, gateStride: Int
    ) {
        self.rows = rows
        self.units = units
        self.resetsAfter = resetsAfter
        self.inputs = inputs
        self.inputStride = inputStride
        self.sums = sums
        self.previous = previous
        self.previousStride = previousStride
        self.gates = gates
        self.gateStride = gateStride
    }
}

/// The kernels of these layers at one instruction level.
package struct LayerKernels: Sendable {
    package typealias SlopeKernel = @Sendable (Floats, MutableFloats, Int, Float) -> Void
    package typealias SlopeGradientKernel = @Sendable (Floats, Floats, MutableFloats, Int, Float) -> Void
    package typealias GELUKernel = @Sendable (Floats, MutableFloats, Int, Bool) -> Void
    package typealias GELUGradientKernel = @Sendable (Floats, Floats, MutableFloats, Int, Bool) -> Void
    package typealias RowsKernel = @Sendable (Floats, Int, Int, MutableFloats) -> Void
    package typealias RowsGradientKernel = @Sendable (Floats, Floats, Int, Int, MutableFloats) -> Void
    package typealias LayerNormKernel = @Sendable (Floats, Int, Int, Floats, Float, MutableFloats) -> Void
    package typealias LayerNormGradientKernel =
        @Sendable (Floats, Floats, Int, Int, Floats, Float, MutableFloats?, MutableFloats?) -> Void
    package typealias GRUGatesKernel = @Sendable (GRUStep) -> Void
    package typealias GRUStateKernel = @Sendable (GRUStep, MutableFloats, Int) -> Void
    package typealias GRUStateGradientKernel = @Sendable (GRUStep, Floats, Int, MutableFloats) -> Void
    package typealias GRUResetGradientKernel = @Sendable (GRUStep, Floats, MutableFloats) -> Void

    // MARK: Element by element; in place is allowed everywhere

    /// y = x above 0, else slope x: (x, y, count, slope), slope >= 0.
    package var leakyReLU: SlopeKernel
    /// dx = dy where y > 0, else slope dy: (y, dy, dx, count, slope).
    package var leakyReLUGradient: SlopeGradientKernel
    /// y = x above 0, else alpha (exp(x) - 1): (x, y, count, alpha), alpha >= 0.
    package var elu: SlopeKernel
    /// dx = dy where y > 0, else dy (y + alpha): (y, dy, dx, count, alpha).
    package var eluGradient: SlopeGradientKernel
    /// y = x times the normal distribution function of x: (x, y, count, approximate). Exact: relative error of the
    /// distribution function at most (6 + x^2) 2^-24, which holds in the left tail too, down to 10^-38; approximate: by
    /// tanh (Hendrycks and Gimpel 2016, section 2).
    package var gelu: GELUKernel
    /// dx from the layer's input: (x, dy, dx, count, approximate).
    package var geluGradient: GELUGradientKernel
    /// y = exp(x), 1.8e-38 below -86.9: (x, y, count).
    package var exponential: KernelTable.MapKernel
    /// dx = dy y: (y, dy, dx, count).
    package var exponentialGradient: KernelTable.MapGradientKernel

    // MARK: Row by row

    /// y = exp(x) / sum of exp(x) over each row: (x, rows, columns, y). In place is allowed.
    package var softmax: RowsKernel
    /// dx = y (dy - sum of dy y): (y, dy, rows, columns, dx). In place is allowed.
    package var softmaxGradient: RowsGradientKernel
    /// y = (x - mean) / sqrt(variance + epsilon) weight + bias: (x, rows, columns, weight and bias (2, columns), epsilon,
    /// y).
    package var layerNorm: LayerNormKernel
    /// Writes dx and adds to the gradient of weight and bias: (x, dy, rows, columns, weight, epsilon, dx, gradient), both
    /// or one of them.
    package var layerNormGradient: LayerNormGradientKernel

    // MARK: GRU

    /// Writes r and z, and r times the previous state where the reset comes before the product.
    package var gruGates: GRUGatesKernel
    /// Writes n, the recurrent product where the reset comes behind it, and the state: (step, state, stateStride). With
    /// reset before the product, the last H of each row of `sums` are the product of the candidate.
    package var gruState: GRUStateKernel
    /// From the gradient of the state, dy + carry: (step, dy, dyStride, carry (rows, H)). z and n become the gradients
    /// of their sums and carry the direct part of the previous state's gradient. With reset behind the product, r becomes
    /// the gradient of its sum, and the fourth quantity that of the candidate's recurrent product.
    package var gruStateGradient: GRUStateGradientKernel
    /// Reset before the product, from the gradient (rows, H) of r times the previous state: (step, gradient, carry). r
    /// becomes the gradient of its sum; carry += r gradient.
    package var gruResetGradient: GRUResetGradientKernel

    package init(
        leakyReLU: @escaping SlopeKernel, leakyReLUGradient: @escaping SlopeGradientKernel,
        elu: @escaping SlopeKernel, eluGradient: @escaping SlopeGradientKernel, gelu: @escaping GELUKernel,
        geluGradient: @escaping GELUGradientKernel, exponential: @escaping KernelTable.MapKernel,
        exponentialGradient: @escaping KernelTable.MapGradientKernel, softmax: @escaping RowsKernel,
        softmaxGradient: @escaping RowsGradientKernel, layerNorm: @escaping LayerNormKernel,
        layerNormGradient: @escaping LayerNormGradientKernel, gruGates: @escaping GRUGatesKernel,
        gruState: @escaping GRUStateKernel, gruStateGradient: @escaping GRUStateGradientKernel,
        gruResetGradient: @escaping GRUResetGradientKernel
    ) {
        self.leakyReLU = leakyReLU
        self.leakyReLUGradient = leakyReLUGradient
        self.elu = elu
        self.eluGradient = eluGradient
        self.gelu = gelu
        self.geluGradient = geluGradient
        self.exponential = exponential
        self.exponentialGradient = exponentialGradient
        self.softmax = softmax
        self.softmaxGradient = softmaxGradient
        self.layerNorm = layerNorm
        self.layerNormGradient = layerNormGradient
        self.gruGates = gruGates
        self.gruState = gruState
        self.gruStateGradient = gruStateGradient
        self.gruResetGradient = gruResetGradient
    }
}
