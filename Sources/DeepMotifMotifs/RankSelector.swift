// RankSelector: values of given ranks without sorting. Motifs room.

import DeepMotifCore

/// Order statistics by one pass of counting and a sort of the one bin that matters.
package final class RankSelector {
    private let bins = 1024
    private let counts: Buffer<Int32>
    private let places: Buffer<UInt16>
    private let count: Int

    package init(count: Int) throws(DeepMotifError) {
        self.count = count
        counts = try Buffer(count: bins)
        places = try Buffer(count: count)
    }

    /// Mean of the values of two ranks, first <= second <= first + 1, among `count` values in least ... most.
    package func meanOfRanks(
        _ first: Int, _ second: Int, of values: UnsafePointer<Double>, least: Double, most: Double
    ) -> Double {
        guard most > least else { return least }
        let scale = Double(bins - 1) / (most - least)
        let last = Double(bins - 1)
        counts.clear()
        for i in 0..<count {
            let bin = (values[i] - least) * scale
            // Written so that NaN, too, ends inside: the conversion must not trap.
            let place = bin > 0 ? Int(bin < last ? bin : last) : 0
            places.pointer[i] = UInt16(truncatingIfNeeded: place)
            counts.pointer[place] += 1
        }
        let low = value(rank: first, of: values)
        return second == first ? low : (low + value(rank: second, of: values)) / 2
    }

    private func value(rank: Int, of values: UnsafePointer<Double>) -> Double {
        var bin = 0
        var below = 0
        while bin < bins - 1, below + Int(counts.pointer[bin]) <= rank {
            below += Int(counts.pointer[bin])
            bin += 1
        }
        var inside: [Double] = []
        inside.reserveCapacity(Int(counts.pointer[bin]))
        for i in 0..<count where Int(places.pointer[i]) == bin { inside.append(values[i]) }
        inside.sort()
        return inside[rank - below]
    }
}
