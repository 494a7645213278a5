// TrainerOptions: what a trainer is told once. Networks room.

import CDeepMotif
import DeepMotifCore

/// Options of a trainer; mirrors dm_trainer_options of the C header.
package struct TrainerOptions: Sendable, Equatable {
    /// DM_OUTPUT_...
    package var output: Int32
    /// DM_LOSS_...
    package var loss: Int32
    /// DM_OPTIMIZER_...
    package var optimizer: Int32
    /// DM_STRANDS_...
    package var strands: Int32
    package var learningRate: Float
    package var beta1: Float
    package var beta2: Float
    /// RMSProp's alpha, Adadelta's rho.
    package var rho: Float
    package var epsilon: Float
    package var momentum: Float
    package var weightDecay: Float
    /// Penalty on the squared weights of matrices.
    package var l2: Float
    /// Longest vector of weights into one output unit; 0 = none.
    package var maxNorm: Float
    /// Element-wise clamp of the gradient to +- this; 0 = none.
    package var gradientClip: Float
    /// Seed of dropout.
    package var seed: UInt64

    /// The defaults are PyTorch's, but for the learning rate; nil: the optimizer's.
    package init(
        output: Int32 = DM_OUTPUT_SOFTMAX, loss: Int32 = DM_LOSS_DEFAULT, optimizer: Int32 = DM_OPTIMIZER_ADAM,
        strands: Int32 = DM_STRANDS_NONE, learningRate: Float? = nil, beta1: Float = 0.9, beta2: Float = 0.999,
        rho: Float? = nil, epsilon: Float? = nil, momentum: Float = 0, weightDecay: Float? = nil, l2: Float = 0,
        maxNorm: Float = 0, gradientClip: Float = 5, seed: UInt64 = 0
    ) {
        let isAdadelta = optimizer == DM_OPTIMIZER_ADADELTA
        self.output = output
        self.loss = loss
        self.optimizer = optimizer
        self.strands = strands
        self.learningRate = learningRate ?? (isAdadelta ? 1 : 0.01)
        self.beta1 = beta1
        self.beta2 = beta2
        self.rho = rho ?? (isAdadelta ? 0.9 : 0.99)
        self.epsilon = epsilon ?? (isAdadelta ? 1e-6 : 1e-8)
        self.momentum = momentum
        self.weightDecay = weightDecay ?? (optimizer == DM_OPTIMIZER_ADAMW ? 0.01 : 0)
        self.l2 = l2
        self.maxNorm = maxNorm
        self.gradientClip = gradientClip
        self.seed = seed
    }

    /// Sequences that the network runs for each one of the caller's.
    var copies: Int { strands == DM_STRANDS_AVERAGE || strands == DM_STRANDS_MAXIMUM ? 2 : 1 }

    /// Throws where an option is out of its range or does not go with another; the optimizer and the learning rate are
    /// checked where they are used.
    func validate() throws(DeepMotifError) {
        guard [DM_OUTPUT_SOFTMAX, DM_OUTPUT_SIGMOID, DM_OUTPUT_LINEAR].contains(output) else {
            throw .invalidArgument("output must be a DM_OUTPUT_ constant; got \(output)")
        }
        guard [DM_LOSS_DEFAULT, DM_LOSS_MSE, DM_LOSS_POISSON, DM_LOSS_CORRELATION].contains(loss) else {
            throw .invalidArgument("loss must be a DM_LOSS_ constant; got \(loss)")
        }
        guard loss == DM_LOSS_DEFAULT || output == DM_OUTPUT_LINEAR else {
            throw .invalidArgument("loss \(loss) needs a linear output; got output \(output)")
        }
        guard (DM_STRANDS_NONE...DM_STRANDS_SHARED).contains(strands) else {
            throw .invalidArgument("strands must be a DM_STRANDS_ constant; got \(strands)")
        }
        guard beta1 >= 0, beta1 < 1, beta2 >= 0, beta2 < 1 else {
            throw .invalidArgument("betas must be in [0, 1); got \(beta1) and \(beta2)")
        }
        guard rho >= 0, rho < 1 else { throw .invalidArgument("rho must be in [0, 1); got \(rho)") }
        guard momentum >= 0, momentum < 1 else {
            throw .invalidArgument("momentum must be in [0, 1); got \(momentum)")
        }
        for (name, value) in [("epsilon", epsilon), ("weight_decay", weightDecay), ("l2", l2), ("max_norm", maxNorm)] {
            guard value >= 0, value.isFinite else {
                throw .invalidArgument("\(name) must be finite and not negative; got \(value)")
            }
        }
        guard gradientClip >= 0 else {
            throw .invalidArgument("gradient_clip must not be negative; got \(gradientClip)")
        }
    }
}
