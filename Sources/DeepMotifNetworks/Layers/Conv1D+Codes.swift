// Conv1D+Codes: the first convolution of a network on codes, a sum of table rows. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

extension Conv1D {
    /// Largest table of pairs: it and the gradient stay in the first-level cache.
    private static let pairTableFloats = 6144
    /// Fewest filters of the kernels of pairs.
    private static let pairFilters = 16
    /// Lists are used below this share of non-zeros in a gradient: a listed element costs more than a vector of them.
    private static let listedGradientShare = 0.05

    /// Floats of the table of letters (width, 5, F).
    var letterTableCount: Int { width * 5 * filters }

    /// Floats of the table of pairs of letters ((width + 1) / 2, 25, F).
    private var pairTableCount: Int { (width + 1) / 2 * 25 * filters }

    /// A row for every pair of letters of two taps halves the rows to sum up, where there is room for them.
    var usesPairs: Bool {
        acceptsCodes && width > 1 && filters >= Conv1D.pairFilters && pairTableCount <= Conv1D.pairTableFloats
    }

    /// Floats of the table that the forward pass reads.
    var codeTableCount: Int { usesPairs ? pairTableCount : letterTableCount }

    /// Integers that the kernels of pairs work on.
    func pairScratchCount(outputLength: Int) -> Int {
        max(outputLength - 1, 0) * stride + width * dilation + 1
    }

    func fillCodeTable(_ parameters: Floats, _ table: MutableFloats) {
        guard usesPairs else {
            for k in 0..<width {
                for code in 0...letterCount { addWeights(parameters, k, code, to: table + (k * 5 + code) * filters) }
            }
            return
        }
        for group in 0..<((width + 1) / 2) {
            for pair in 0..<25 {
                let row = table + (group * 25 + pair) * filters
                addWeights(parameters, 2 * group, pair / 5, to: row)
                if 2 * group + 1 < width { addWeights(parameters, 2 * group + 1, pair % 5, to: row, adds: true) }
            }
        }
    }

    /// row (F,) = or += the weights of one letter at one tap, zeros for the unknown one.
    private func addWeights(
        _ parameters: Floats, _ k: Int, _ code: Int, to row: MutableFloats, adds: Bool = false
    ) {
        if !adds { row.update(repeating: 0, count: filters) }
        guard code < letterCount else { return }
        let weights = parameters + k * channels + code
        for f in 0..<filters { row[f] += weights[f * span] }
    }

    func convolve(_ codes: UnsafePointer<UInt8>, _ bias: Floats, _ output: MutableFloats, _ pass: LayerPass) {
        let geometry = geometry(pass)
        let (length, count) = (pass.input.length, pass.output.count)
        guard usesPairs else {
            for row in 0..<pass.rows {
                pass.table.pointee.convolveCodes(
                    codes + row * length, pass.prepared, bias, output + row * count, geometry)
            }
            return
        }
        let pairs = pairMemory(pass)
        for row in 0..<pass.rows {
            pass.table.pointee.convolveCodePairs(
                codes + row * length, pass.prepared, bias, output + row * count, pairs, geometry)
        }
    }

    private func pairMemory(_ pass: LayerPass) -> UnsafeMutablePointer<Int32> {
        let parts = Scratch(layer: self, length: pass.input.length, outputLength: pass.output.length)
        return UnsafeMutableRawPointer(pass.scratch + parts.pairs).bindMemory(
            to: Int32.self, capacity: pairScratchCount(outputLength: pass.output.length))
    }

    // MARK: Gradient

    /// Gradients of weights and bias from codes: sums by tap and letter, then into the layer's layout.
    func addCodesGradient(
        _ codes: UnsafePointer<UInt8>, _ dy: Floats, _ gradient: MutableFloats, _ pass: LayerPass
    ) {
        let parts = Scratch(layer: self, length: pass.input.length, outputLength: pass.output.length)
        let table = pass.scratch + parts.table
        table.update(repeating: 0, count: letterTableCount)
        let elements = pass.rows * pass.output.count
        let nonzeros = pass.table.pointee.countNonzeros(dy, elements)
        if Double(nonzeros) < Conv1D.listedGradientShare * Double(elements) {
            addListedGradient(codes, dy, table, hasBias ? gradient + filters * span : nil, parts, pass)
        } else {
            if hasBias { addBiasGradient(dy, gradient, pass) }
            addDenseGradient(codes, dy, table, pass)
        }
        for k in 0..<width {
            for code in 0..<letterCount {
                let sums = table + (k * 5 + code) * filters
                for f in 0..<filters { gradient[f * span + k * channels + code] += sums[f] }
            }
        }
    }

    private func addDenseGradient(
        _ codes: UnsafePointer<UInt8>, _ dy: Floats, _ table: MutableFloats, _ pass: LayerPass
    ) {
        let geometry = geometry(pass)
        let (length, count) = (pass.input.length, pass.output.count)
        guard usesPairs else {
            for row in 0..<pass.rows {
                pass.table.pointee.convolveCodesGradient(codes + row * length, dy + row * count, table, geometry)
            }
            return
        }
        let pairTable = table + aligned(letterTableCount)
        pairTable.update(repeating: 0, count: pairTableCount)
        let pairs = pairMemory(pass)
        for row in 0..<pass.rows {
            pass.table.pointee.convolveCodePairsGradient(
                codes + row * length, dy + row * count, pairTable, pairs, geometry)
        }
        for group in 0..<((width + 1) / 2) {
            for pair in 0..<25 {
                let row = Floats(pairTable + (group * 25 + pair) * filters)
                pass.table.pointee.add(row, table + (2 * group * 5 + pair / 5) * filters, filters)
                guard 2 * group + 1 < width else { continue }
                pass.table.pointee.add(row, table + ((2 * group + 1) * 5 + pair % 5) * filters, filters)
            }
        }
    }

    /// Behind a maximum over all positions each filter has one element a sequence.
    private func addListedGradient(
        _ codes: UnsafePointer<UInt8>, _ dy: Floats, _ table: MutableFloats, _ bias: MutableFloats?, _ parts: Scratch,
        _ pass: LayerPass
    ) {
        let geometry = geometry(pass)
        let positions = pass.output.length
        let base = UnsafeMutableRawPointer(pass.scratch)
        let indices = (base + 4 * parts.indices).bindMemory(to: Int32.self, capacity: positions * filters)
        let counts = (base + 4 * parts.counts).bindMemory(to: Int32.self, capacity: filters)
        let values = pass.scratch + parts.values
        for row in 0..<pass.rows {
            _ = pass.table.pointee.listNonzeros(
                dy + row * positions * filters, positions, filters, indices, values, counts)
            pass.table.pointee.convolveListedGradient(
                codes + row * pass.input.length, indices, values, counts, positions, table, bias, geometry)
        }
    }
}
