// LSTMTests: both passes of one LSTM direction against the definition.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

/// One direction's inputs in natural order, and their blocked form for the kernels.
private struct Case {
    var kernels: KernelTable
    var geometry: LSTMGeometry
    var weights: [Float]
    var codes: [UInt8]?
    /// Table (5, 4H) with codes, else (rows, length, 4H).
    var gateInputs: [Float]

    init(level: Int32, rows: Int, length: Int, units: Int, isReversed: Bool, withCodes: Bool, gap: Int = 0) {
        kernels = .table(level: level)
        geometry = LSTMGeometry(
            rows: rows, length: length, units: units, paddedUnits: kernels.paddedUnits(units), isReversed: isReversed,
            outputStride: units + gap)
        let bound = 1 / Float(units).squareRoot()
        weights = testFloats(4 * units * units, seed: 1, bound: bound)
        codes = withCodes ? testCodes(rows * length, seed: 2) : nil
        gateInputs = testFloats((withCodes ? 5 : rows * length) * 4 * units, seed: 3, bound: 2)
    }

    var positions: Int { geometry.rows * geometry.length }

    /// Index of gate g of unit u in a row of gates.
    func blocked(_ gate: Int, _ unit: Int) -> Int {
        let lanes = kernels.lstmLanes
        return (unit / lanes * 4 + gate) * lanes + unit % lanes
    }

    func block(_ rows: [Float]) -> [Float] {
        let (h, padded) = (geometry.units, geometry.paddedUnits)
        var result = [Float](repeating: 0, count: rows.count / max(4 * h, 1) * 4 * padded)
        for i in rows.indices {
            let (row, gate, unit) = (i / (4 * h), i / h % 4, i % h)
            result[row * 4 * padded + blocked(gate, unit)] = rows[i]
        }
        return result
    }

    func unblock(_ rows: [Float]) -> [Float] {
        let (h, padded) = (geometry.units, geometry.paddedUnits)
        return (0..<rows.count / (4 * padded) * 4 * h).map { i in
            rows[i / (4 * h) * 4 * padded + blocked(i / h % 4, i % h)]
        }
    }

    var twin: LSTMTrace {
        let h4 = 4 * geometry.units
        let expanded =
            codes.map { $0.flatMap { code in gateInputs[(Int(code) * h4)..<((Int(code) + 1) * h4)] } } ?? gateInputs
        return Twin.lstmForward(gateInputs: expanded.doubles, weights: weights.doubles, geometry: geometry)
    }

    /// A step adds at most (H + 16) u of the magnitude of a gate's sum, which is at most 2 + H * H^-1/2; the slopes of
    /// the activation functions and the forget gates are at most 1, and the recurrent weights' rows have a norm below
    /// 1, so errors of earlier steps do not grow: they add up over the steps.
    var allowed: Double {
        let h = Double(geometry.units)
        return (h + 16) * unitRoundoff * (2 + h.squareRoot()) * Double(max(geometry.length, 1))
    }

    /// Runs the kernel; `output` keeps its gaps.
    func forward(keepsGates: Bool) -> (
        output: GuardedBuffer<Float>, gates: GuardedBuffer<Float>, cells: GuardedBuffer<Float>
    ) {
        let inputs = Inputs()
        let padded = geometry.paddedUnits
        let packed = GuardedBuffer<Float>(count: geometry.units * 4 * padded)
        kernels.packRecurrent(inputs(weights), geometry.units, padded, packed.pointer)
        #expect(packed.isIntact)
        let output = GuardedBuffer<Float>(count: positions * geometry.outputStride)
        let gates = GuardedBuffer<Float>(count: keepsGates ? positions * 4 * padded : 0)
        let cells = GuardedBuffer<Float>(count: keepsGates ? positions * padded : 0)
        let scratch = GuardedBuffer<Float>(count: kernels.lstmScratchCount(padded))
        let codeMemory = GuardedBuffer(codes ?? [])
        kernels.lstmForward(
            codes == nil ? nil : codeMemory.readOnly, inputs(block(gateInputs)), packed.readOnly,
            output.pointer, keepsGates ? gates.pointer : nil, keepsGates ? cells.pointer : nil, scratch.pointer,
            geometry)
        #expect(output.isIntact && gates.isIntact && cells.isIntact && scratch.isIntact)
        #expect(inputs.areUnchanged)
        return (output, gates, cells)
    }

    func hidden(_ output: GuardedBuffer<Float>) -> [Float] {
        (0..<positions * geometry.units).map {
            output.pointer[$0 / geometry.units * geometry.outputStride + $0 % geometry.units]
        }
    }
}

#if DEBUG
    private let sizes: [(rows: Int, length: Int, units: Int)] = [
        (0, 5, 8), (1, 0, 8), (1, 1, 1), (2, 3, 17), (7, 3, 5), (13, 2, 16), (3, 4, 33),
    ]
#else
    private let sizes: [(rows: Int, length: Int, units: Int)] = [
        (0, 5, 8), (1, 0, 8), (1, 1, 1), (1, 7, 32), (2, 5, 32), (3, 11, 16), (4, 3, 17), (5, 13, 31), (6, 4, 33),
        (7, 9, 32), (8, 6, 5), (13, 10, 32), (32, 5, 32), (3, 101, 32), (2, 4, 64), (5, 3, 100), (1, 3, 4), (9, 2, 3),
        (11, 3, 48),
    ]
#endif

@Suite struct LSTMTests {
    @Test(arguments: InstructionLevel.available) func forward(level: Int32) {
        for (index, size) in sizes.enumerated() {
            for withCodes in [false, true] {
                let test = Case(
                    level: level, rows: size.rows, length: size.length, units: size.units,
                    isReversed: (index + (withCodes ? 1 : 0)) % 2 == 0, withCodes: withCodes, gap: index % 3)
                let expected = test.twin
                let result = test.forward(keepsGates: true)
                let place = "\(test.geometry) level \(level)"
                let hidden = test.hidden(result.output)
                let bounds = [Double](repeating: test.allowed, count: hidden.count)
                #expect(worstRatio(hidden, expected.hidden, allowed: bounds) <= 1, "\(place)")
                let gates = test.unblock(result.gates.values)
                let gateBounds = [Double](repeating: test.allowed, count: gates.count)
                #expect(worstRatio(gates, expected.gates, allowed: gateBounds) <= 1, "\(place)")
                let padded = test.geometry.paddedUnits
                let cells = (0..<test.positions * size.units).map {
                    result.cells.pointer[$0 / size.units * padded + $0 % size.units]
                }
                // A cell gathers the errors of all its gates, weighted by values of at most the cell's own magnitude.
                let cellBounds = bounds.map { 3 * $0 * max(1, expected.cells.largest) }
                #expect(worstRatio(cells, expected.cells, allowed: cellBounds) <= 1, "\(place)")
                for i in 0..<result.output.count where i % test.geometry.outputStride >= size.units {
                    #expect(result.output.isUntouched(i))
                }
            }
        }
    }

    @Test(arguments: InstructionLevel.available) func inferenceGivesTheSameBytes(level: Int32) {
        for units in [5, 32] {
            let test = Case(level: level, rows: 7, length: 13, units: units, isReversed: true, withCodes: true)
            let training = test.forward(keepsGates: true).output.values
            #expect(test.forward(keepsGates: false).output.values == training)
        }
    }

    @Test(arguments: InstructionLevel.available) func rowDoesNotDependOnItsNeighbours(level: Int32) {
        for rows in sizes.map(\.rows) where rows > 1 {
            let test = Case(level: level, rows: rows, length: 9, units: 32, isReversed: false, withCodes: true)
            let together = test.hidden(test.forward(keepsGates: false).output)
            for row in 0..<rows {
                var alone = test
                alone.geometry.rows = 1
                alone.codes = Array(test.codes![(row * 9)..<((row + 1) * 9)])
                let hidden = alone.hidden(alone.forward(keepsGates: false).output)
                #expect(hidden == Array(together[(row * 9 * 32)..<((row + 1) * 9 * 32)]))
            }
        }
    }

    /// Gradients: the states that the kernel reads are the forward pass's own, rounded to Float for the twin too.
    @Test(arguments: InstructionLevel.available, [false, true]) func backward(level: Int32, inPlace: Bool) {
        let inputs = Inputs()
        for (index, size) in sizes.enumerated() {
            let test = Case(
                level: level, rows: size.rows, length: size.length, units: size.units, isReversed: index % 2 == 0,
                withCodes: false, gap: index % 3)
            let (h, padded) = (size.units, test.geometry.paddedUnits)
            let state = test.forward(keepsGates: true)
            let packed = GuardedBuffer<Float>(count: 4 * padded * padded)
            test.kernels.packRecurrentTransposed(inputs(test.weights), h, padded, packed.pointer)
            #expect(packed.isIntact)
            let natural = testFloats(test.positions * h, seed: 9)
            let outputGradient = GuardedBuffer<Float>(count: test.positions * test.geometry.outputStride)
            for i in natural.indices {
                outputGradient.pointer[i / h * test.geometry.outputStride + i % h] = natural[i]
            }
            let result = inPlace ? state.gates : GuardedBuffer<Float>(count: state.gates.count)
            let trace = LSTMTrace(
                hidden: [], gates: test.unblock(state.gates.values).doubles,
                cells: (0..<natural.count).map { Double(state.cells.pointer[$0 / h * padded + $0 % h]) })
            let scratch = GuardedBuffer<Float>(count: test.kernels.lstmScratchCount(padded))
            test.kernels.lstmBackward(
                outputGradient.readOnly, state.gates.readOnly, state.cells.readOnly, packed.readOnly, result.pointer,
                scratch.pointer, test.geometry)
            #expect(result.isIntact && scratch.isIntact && state.cells.isIntact)
            let expected = Twin.lstmBackward(
                outputGradient: natural.doubles, trace: trace, weights: test.weights.doubles, geometry: test.geometry)
            let actual = test.unblock(result.values)
            // As for the forward pass, with sums over the 4H gates; scaled by the largest gradient, which bounds what
            // the linear recurrence carries from step to step.
            let scale = 4 * test.allowed * max(1, expected.largest)
            let bounds = [Double](repeating: scale, count: actual.count)
            #expect(worstRatio(actual, expected, allowed: bounds) <= 1, "\(test.geometry) level \(level)")
            // Padding units have no gradient.
            let padding = (0..<test.positions * (padded - h) * 4).map { i in
                let (position, rest) = (i / (4 * (padded - h)), i % (4 * (padded - h)))
                return result.pointer[position * 4 * padded + test.blocked(rest % 4, h + rest / 4)]
            }
            #expect(padding.allSatisfy { $0 == 0 })
        }
        #expect(inputs.areUnchanged)
    }
}
