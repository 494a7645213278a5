// Conv1D+Codes: the first convolution of a network on codes, a sum of table rows. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

extension Conv1D {
    /// Largest table of pairs: it stays in the first-level cache.
    private static let pairTableFloats = 6144
    /// Fewest filters of the kernels of pairs and of pools.
    static let pairFilters = 16
    /// Lists are used below this share of non-zeros in a gradient: a listed element costs more than a vector of them.
    private static let listedGradientShare = 0.03

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

    /// Integers of the kernels that read tables by groups of taps.
    func pairMemory(_ pass: LayerPass) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(pass.scratch + scratchParts(pass).pairs).bindMemory(
            to: Int32.self, capacity: pairScratchCount(outputLength: pass.output.length))
    }

    // MARK: Gradient

    /// Gradients of weights and bias from codes: sums by tap and letter, then into the layer's layout.
    func addCodesGradient(
        _ codes: UnsafePointer<UInt8>, _ dy: Floats, _ gradient: MutableFloats, _ pass: LayerPass
    ) {
        let elements = pass.rows * pass.output.count
        let nonzeros = pass.table.pointee.countNonzeros(dy, elements)
        let isListed = isListed(nonzeros: nonzeros, of: elements)
        let table = clearedTable(pass)
        if hasBias && !isListed { addBiasGradient(dy, gradient, pass) }
        let bias = hasBias ? gradient + filters * span : nil
        let positions = PoolRun(start: 0, width: 1, stride: 1, count: pass.output.length)
        for row in 0..<pass.rows {
            let (letters, slope) = (codes + row * pass.input.length, dy + row * pass.output.count)
            if isListed {
                addListedGradient(letters, lists(slope, pass), to: table, bias, pass)
            } else {
                addTableGradient(letters, slope, offsets: nil, positions, to: table, pass)
            }
        }
        addTable(table, to: gradient)
    }

    /// Behind a maximum over all positions each filter has one element a sequence.
    func isListed(nonzeros: Int, of elements: Int) -> Bool {
        Double(nonzeros) < Conv1D.listedGradientShare * Double(elements)
    }

    /// The sums by tap and letter (width, 5, F), in scratch memory.
    func clearedTable(_ pass: LayerPass) -> MutableFloats {
        let table = pass.scratch + scratchParts(pass).table
        table.update(repeating: 0, count: letterTableCount)
        return table
    }

    func addTable(_ table: MutableFloats, to gradient: MutableFloats) {
        for k in 0..<width {
            for code in 0..<letterCount {
                let sums = table + (k * 5 + code) * filters
                for f in 0..<filters { gradient[f * span + k * channels + code] += sums[f] }
            }
        }
    }

    /// One sequence; the gradient is that of windows where there are offsets.
    func addTableGradient(
        _ codes: UnsafePointer<UInt8>, _ dy: Floats, offsets: UnsafePointer<Int32>?, _ windows: PoolRun,
        to table: MutableFloats, _ pass: LayerPass
    ) {
        pass.table.pointee.convolveCodesGradient(
            codes, dy, offsets, table, pass.scratch + scratchParts(pass).expanded, geometry(pass), windows)
    }

    /// Non-zeros of one sequence's gradient by filter.
    struct Lists {
        var indices: UnsafeMutablePointer<Int32>
        var values: MutableFloats
        var counts: UnsafeMutablePointer<Int32>
        /// From one filter's list to the next.
        var stride: Int
    }

    /// The lists of `rows` positions or windows, in scratch memory.
    func lists(_ dy: Floats, rows: Int? = nil, _ pass: LayerPass) -> Lists {
        let rows = rows ?? pass.output.length
        let parts = scratchParts(pass)
        let base = UnsafeMutableRawPointer(pass.scratch)
        let lists = Lists(
            indices: (base + 4 * parts.indices).bindMemory(to: Int32.self, capacity: rows * filters),
            values: pass.scratch + parts.values,
            counts: (base + 4 * parts.counts).bindMemory(to: Int32.self, capacity: filters), stride: rows)
        _ = pass.table.pointee.listNonzeros(dy, rows, filters, lists.indices, lists.values, lists.counts)
        return lists
    }

    /// One sequence, from the lists of its gradient by position.
    func addListedGradient(
        _ codes: UnsafePointer<UInt8>, _ lists: Lists, to table: MutableFloats, _ bias: MutableFloats?,
        _ pass: LayerPass
    ) {
        pass.table.pointee.convolveListedGradient(
            codes, lists.indices, lists.values, lists.counts, lists.stride, table, bias, geometry(pass))
    }

    func scratchParts(_ pass: LayerPass) -> Scratch {
        Scratch(
            layer: self, length: pass.input.length, outputLength: pass.output.length)
    }
}
