// Multiply: C = A B with B packed into panels.

import DeepMotifKernelTable

func packMatrix(
    _ b: Floats, _ rowStride: Int, _ columnStride: Int, _ k: Int, _ n: Int, _ packed: MutableFloats
) {
    for first in stride(from: 0, to: n, by: panelColumns) {
        let panel = packed + first * k
        for i in 0..<k {
            for j in 0..<panelColumns {
                let column = first + j
                panel[i * panelColumns + j] = column < n ? b[i * rowStride + column * columnStride] : 0
            }
        }
    }
}

func multiply(
    _ a: Floats, _ lda: Int, _ packed: Floats, _ bias: Floats?, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int,
    _ k: Int, _ accumulates: Bool
) {
    for row in 0..<m {
        for column in 0..<n {
            let panel = packed + column / panelColumns * panelColumns * k + column % panelColumns
            var sum: Float = 0
            for i in 0..<k { sum = accumulate(sum, a[row * lda + i], panel[i * panelColumns]) }
            if let bias { sum += bias[column] }
            if accumulates { sum += c[row * ldc + column] }
            c[row * ldc + column] = sum
        }
    }
}
