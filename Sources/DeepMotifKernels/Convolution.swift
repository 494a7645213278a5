// Convolution: the first convolution of a network, from codes. The one-hot product is a sum of table rows.

import DeepMotifKernelTable

/// The taps k of `geometry` whose input position lies inside the sequence, for output position p.
@inline(__always)
private func validTaps(_ p: Int, _ geometry: ConvolutionGeometry) -> (first: Int, end: Int) {
    let start = p * geometry.stride - geometry.padding
    let first = start < 0 ? (geometry.dilation - 1 - start) / geometry.dilation : 0
    let room = geometry.length - start
    let end = room <= 0 ? 0 : (room + geometry.dilation - 1) / geometry.dilation
    return (first, end < geometry.width ? end : geometry.width)
}

func convolveCodes(
    _ codes: UnsafePointer<UInt8>, _ table: Floats, _ bias: Floats, _ y: MutableFloats,
    _ geometry: ConvolutionGeometry
) {
    let filters = geometry.filters
    for p in 0..<geometry.outputLength {
        let taps = validTaps(p, geometry)
        let start = p * geometry.stride - geometry.padding
        let row = y + p * filters
        for f in 0..<filters { row[f] = bias[f] }
        var k = taps.first
        while k < taps.end {
            let code = Int(codes[start + k * geometry.dilation])
            let entry = table + (k * 5 + code) * filters
            for f in 0..<filters { row[f] += entry[f] }
            k += 1
        }
    }
}

func convolveCodesGradient(
    _ codes: UnsafePointer<UInt8>, _ outputGradient: Floats, _ tableGradient: MutableFloats,
    _ geometry: ConvolutionGeometry
) {
    let filters = geometry.filters
    for p in 0..<geometry.outputLength {
        let taps = validTaps(p, geometry)
        let start = p * geometry.stride - geometry.padding
        let row = outputGradient + p * filters
        var k = taps.first
        while k < taps.end {
            let code = Int(codes[start + k * geometry.dilation])
            let entry = tableGradient + (k * 5 + code) * filters
            for f in 0..<filters { entry[f] += row[f] }
            k += 1
        }
    }
}

func addRowsByCode(
    _ codes: UnsafePointer<UInt8>, _ rows: Floats, _ positions: Int, _ width: Int, _ table: MutableFloats
) {
    for p in 0..<positions {
        let entry = table + Int(codes[p]) * width
        for j in 0..<width { entry[j] += rows[p * width + j] }
    }
}
