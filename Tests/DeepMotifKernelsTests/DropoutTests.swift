// DropoutTests: the mask's rate, independence and reproducibility.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

private func mask(_ kernels: KernelTable, count: Int, key: UInt64, dropped: UInt32) -> [Float] {
    let y = GuardedBuffer<Float>(count: count)
    let ones = GuardedBuffer([Float](repeating: 1, count: count))
    kernels.dropout(ones.readOnly, y.pointer, count, key, dropped)
    #expect(y.isIntact)
    return y.values
}

@Suite struct DropoutTests {
    /// The number of dropped elements is binomial: 5 standard deviations bound it but for one run in 10^6.
    @Test(arguments: InstructionLevel.available) func rate(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let count = 100_003
        for dropped in [0, 1, 655, 13107, 32768, 52429, 65535] as [UInt32] {
            let values = mask(kernels, count: count, key: 0x1234_5678_9ABC_DEF0, dropped: dropped)
            let rate = Double(dropped) / 65536
            let zeros = Double(values.count { $0 == 0 })
            #expect(abs(zeros - rate * Double(count)) <= 5 * (Double(count) * rate * (1 - rate)).squareRoot() + 1)
            let scale = Float(65536 / Double(65536 - dropped))
            #expect(values.allSatisfy { $0 == 0 || $0 == scale })
        }
    }

    @Test(arguments: InstructionLevel.available) func sameKeySameMask(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let whole = mask(kernels, count: 1009, key: 77, dropped: 32768)
        for count in [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 500, 1009] {
            #expect(mask(kernels, count: count, key: 77, dropped: 32768) == Array(whole[..<count]))
        }
        // The mask is a property of the key, not of the machine.
        #expect(whole == mask(.table(level: 0), count: 1009, key: 77, dropped: 32768))
        let x = testFloats(1009, seed: 1)
        let same = GuardedBuffer(x)
        kernels.dropout(same.readOnly, same.pointer, 1009, 77, 32768)
        #expect(same.values == zip(x, whole).map(*))
    }

    /// Masks of neighbouring keys, of keys that differ in one half only, and of shifted elements agree as often as
    /// independent coins: the agreements are binomial, 5 standard deviations are allowed.
    @Test func masksAreIndependent() {
        let kernels = KernelTable.current
        let count = 20_000
        let key: UInt64 = 0xDEAD_BEEF_0BAD_F00D
        let base = mask(kernels, count: count, key: key, dropped: 32768)
        let limit = 5 * (Double(count) / 4).squareRoot()
        for other in [key &+ 1, key ^ 1 << 32, key ^ 1 << 63, key ^ 1 << 31, 0] {
            let values = mask(kernels, count: count, key: other, dropped: 32768)
            let agreements = zip(base, values).count { $0 == $1 }
            #expect(abs(Double(agreements) - Double(count) / 2) < limit)
        }
        for shift in [1, 2, 15, 16, 17, 32, 128] {
            let agreements = (0..<count - shift).count { base[$0] == base[$0 + shift] }
            #expect(abs(Double(agreements) - Double(count - shift) / 2) < limit)
        }
    }
}
