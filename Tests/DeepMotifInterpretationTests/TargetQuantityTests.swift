// TargetQuantityTests: values and gradients by definition, and near certainty.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifTestSupport
import Testing

@Suite struct TargetQuantityTests {
    private let scores: [Float] = [0.3, -1.2, 2.5]

    @Test(arguments: TargetQuantityCase.all)
    func valueAndGradientByDefinition(item: TargetQuantityCase) throws {
        let quantity = try TargetQuantity(
            target: item.target, quantity: item.quantity, output: item.output, classes: 3)
        // A handful of Double operations on numbers of order one.
        #expect(abs(quantity.value(scores) - item.value(scores.map(Double.init))) < 1e-14)
        let gradient = filled(3) { quantity.writeGradient(scores, to: $0) }
        for c in 0..<3 {
            var moved = scores.map(Double.init)
            moved[c] += 1e-6
            let above = item.value(moved)
            moved[c] -= 2e-6
            // Rounding of the result to Float and of the difference quotient.
            #expect(abs(Double(gradient[c]) - (above - item.value(moved)) / 2e-6) < 1e-7)
        }
    }

    /// At score differences of 40 and 80 the probability rounds to 1 in Float and Double; its log and gradient do not
    /// vanish: both are exp(-difference) to first order.
    @Test(arguments: [40, 80] as [Float])
    func certaintyKeepsItsDigits(difference: Float) throws {
        for output in [DM_OUTPUT_SOFTMAX, DM_OUTPUT_SIGMOID] {
            let quantity = try TargetQuantity(
                target: 1, quantity: DM_TARGET_LOG_PROBABILITY, output: output, classes: 2)
            let expected = Twin.exponential(-Double(difference))
            let gradient = filled(2) { quantity.writeGradient([0, difference], to: $0) }
            // One rounding to Float.
            #expect(abs(Double(gradient[1]) / expected - 1) < 1e-6)
            if output == DM_OUTPUT_SIGMOID {
                #expect(abs(quantity.value([0, difference]) / -expected - 1) < 1e-12)
            }
        }
    }

    @Test func refusesWhatMakesNoSense() {
        #expect(throws: DeepMotifError.self) {
            try TargetQuantity(target: 2, quantity: DM_TARGET_SCORE, output: DM_OUTPUT_SOFTMAX, classes: 2)
        }
        #expect(throws: DeepMotifError.self) {
            try TargetQuantity(target: -1, quantity: DM_TARGET_SCORE, output: DM_OUTPUT_SOFTMAX, classes: 2)
        }
        #expect(throws: DeepMotifError.self) {
            try TargetQuantity(target: 0, quantity: 7, output: DM_OUTPUT_SOFTMAX, classes: 2)
        }
        #expect(throws: DeepMotifError.self) {
            try TargetQuantity(target: 0, quantity: DM_TARGET_SCORE, output: 7, classes: 2)
        }
        #expect(throws: DeepMotifError.self) {
            try TargetQuantity(target: 0, quantity: DM_TARGET_LOG_PROBABILITY, output: DM_OUTPUT_LINEAR, classes: 2)
        }
    }
}
