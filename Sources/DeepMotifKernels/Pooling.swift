// Pooling: maxima and means of windows of one sequence (length x channels).

import DeepMotifKernelTable

func maxPool(
    _ x: Floats, _ channels: Int, _ width: Int, _ stride: Int, _ outputLength: Int, _ y: MutableFloats,
    _ offsets: UnsafeMutablePointer<Int32>?
) {
    for p in 0..<outputLength {
        for c in 0..<channels {
            var best = x[p * stride * channels + c]
            var offset: Int32 = 0
            for k in 1..<max(width, 1) {
                let value = x[(p * stride + k) * channels + c]
                // A NaN wins and stays, as in PyTorch.
                if value > best || (value.isNaN && !best.isNaN) {
                    best = value
                    offset = Int32(truncatingIfNeeded: k)
                }
            }
            y[p * channels + c] = best
            offsets?[p * channels + c] = offset
        }
    }
}

func maxPoolGradient(
    _ dy: Floats, _ offsets: UnsafePointer<Int32>, _ channels: Int, _ stride: Int, _ outputLength: Int,
    _ dx: MutableFloats
) {
    for p in 0..<outputLength {
        for c in 0..<channels {
            let position = p * stride + Int(offsets[p * channels + c])
            dx[position * channels + c] += dy[p * channels + c]
        }
    }
}

func averagePool(
    _ x: Floats, _ channels: Int, _ width: Int, _ stride: Int, _ outputLength: Int, _ y: MutableFloats
) {
    let scale = 1 / Float(width)
    for p in 0..<outputLength {
        for c in 0..<channels {
            var sum: Float = 0
            for k in 0..<width { sum += x[(p * stride + k) * channels + c] }
            y[p * channels + c] = sum * scale
        }
    }
}

func averagePoolGradient(
    _ dy: Floats, _ channels: Int, _ width: Int, _ stride: Int, _ outputLength: Int, _ dx: MutableFloats
) {
    let scale = 1 / Float(width)
    for p in 0..<outputLength {
        for k in 0..<width {
            for c in 0..<channels { dx[(p * stride + k) * channels + c] += dy[p * channels + c] * scale }
        }
    }
}
