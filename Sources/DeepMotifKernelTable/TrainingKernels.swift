// TrainingKernels: the part of the kernel table that only training needs.

/// Constants of one step of a rule other than Adam's.
package struct OptimizerStep: Sendable {
    package var learningRate: Float
    /// Of RMSProp's and Adadelta's running means.
    package var rho: Float
    package var momentum: Float
    package var epsilon: Float
    /// Element-wise clamp of the gradient; infinity for none.
    package var clip: Float
    /// Times the parameters: added to the clamped gradient.
    package var decay: Float

    package init(
        learningRate: Float, rho: Float = 0, momentum: Float = 0, epsilon: Float = 0, clip: Float = .infinity,
        decay: Float = 0
    ) {
        self.learningRate = learningRate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.clip = clip
        self.decay = decay
    }
}

/// The training kernels of one instruction level.
package struct TrainingKernels: Sendable {
    package typealias MomentumKernel = @Sendable (MutableFloats, Floats, MutableFloats?, Int, OptimizerStep) -> Void
    package typealias RMSPropKernel =
        @Sendable (MutableFloats, Floats, MutableFloats, MutableFloats?, Int, OptimizerStep) -> Void
    package typealias AdadeltaKernel =
        @Sendable (MutableFloats, Floats, MutableFloats, MutableFloats, Int, OptimizerStep) -> Void
    package typealias AddScaledKernel = @Sendable (Floats, Float, MutableFloats, Int) -> Void
    package typealias ColumnMomentsKernel =
        @Sendable (
            Floats, Floats, Floats, Floats, Int, Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>
        ) -> Void
    package typealias NormalizeColumnsKernel =
        @Sendable (Floats, Int, Int, Floats, Floats, Floats, MutableFloats) -> Void
    package typealias NormalizeColumnsGradientKernel =
        @Sendable (Floats, Floats, Int, Int, Floats, Floats, Floats, Floats, MutableFloats) -> Void

    /// b = momentum b + g, p -= learningRate b: (parameters, gradient, b, count, constants); b nil for p -= learningRate g.
    package var momentum: MomentumKernel

    /// s = rho s + (1 - rho) g^2, u = g / (sqrt(s) + epsilon), then b = momentum b + u, p -= learningRate b (b nil: u
    /// itself): (parameters, gradient, s, b, count, constants).
    package var rmsProp: RMSPropKernel

    /// s = rho s + (1 - rho) g^2, d = sqrt(a + epsilon) / sqrt(s + epsilon) g, p -= learningRate d, a = rho a + (1 - rho)
    /// d^2: (parameters, gradient, s, a, count, constants).
    package var adadelta: AdadeltaKernel

    /// y += scale x: (x, scale, y, count).
    package var addScaled: AddScaledKernel

    /// Adds to sums (columns) those of a - c, and to products those of (a - c) (b - d), for A and B (rows x columns) and
    /// c, d (columns): (a, c, b, d, rows, columns, sums, products). Runs of 64 rows are added up in Float.
    package var columnMoments: ColumnMomentsKernel

    /// y = (x - mean) scale + shift by columns: (x, rows, columns, mean, scale, shift, y).
    package var normalizeColumns: NormalizeColumnsKernel

    /// dx = scale dy + slope (x - mean) + shift by columns: (dy, x, rows, columns, scale, mean, slope, shift, dx). dx may
    /// be dy.
    package var normalizeColumnsGradient: NormalizeColumnsGradientKernel

    package init(
        momentum: @escaping MomentumKernel, rmsProp: @escaping RMSPropKernel, adadelta: @escaping AdadeltaKernel,
        addScaled: @escaping AddScaledKernel, columnMoments: @escaping ColumnMomentsKernel,
        normalizeColumns: @escaping NormalizeColumnsKernel,
        normalizeColumnsGradient: @escaping NormalizeColumnsGradientKernel
    ) {
        self.momentum = momentum
        self.rmsProp = rmsProp
        self.adadelta = adadelta
        self.addScaled = addScaled
        self.columnMoments = columnMoments
        self.normalizeColumns = normalizeColumns
        self.normalizeColumnsGradient = normalizeColumnsGradient
    }
}
