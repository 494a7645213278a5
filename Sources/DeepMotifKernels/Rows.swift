// Rows: kernels that need a sum over each row of a matrix.

import DeepMotifKernelTable

/// The sum of a vector's elements, halves first.
@inline(__always)
private func total(_ x: Lanes) -> Float {
    #if DM_AVX512
        let eight = x.lowHalf + x.highHalf
        let four = eight.lowHalf + eight.highHalf
    #elseif DM_AVX2
        let four = x.lowHalf + x.highHalf
    #else
        let four = x
    #endif
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}

@inline(__always)
private func rowSum(_ x: Floats, _ count: Int) -> Float {
    var sum = Lanes()
    var j = 0
    while j < count {
        sum += loadPart(x + j, count - j)
        j += laneCount
    }
    return total(sum)
}

func softmax(_ x: Floats, _ rows: Int, _ columns: Int, _ y: MutableFloats) {
    for row in 0..<rows {
        let (source, target) = (x + row * columns, y + row * columns)
        var highest = source[0]
        for j in 1..<(columns > 1 ? columns : 1) where source[j] > highest { highest = source[j] }
        let shift = Lanes(repeating: highest)
        var j = 0
        while j < columns {
            storePart(exponentialLanes(loadPart(source + j, columns - j) - shift), target + j, columns - j)
            j += laneCount
        }
        let scale = Lanes(repeating: 1 / rowSum(Floats(target), columns))
        j = 0
        while j < columns {
            storePart(loadPart(target + j, columns - j) * scale, target + j, columns - j)
            j += laneCount
        }
    }
}

func softmaxGradient(_ y: Floats, _ dy: Floats, _ rows: Int, _ columns: Int, _ dx: MutableFloats) {
    for row in 0..<rows {
        let (value, gradient) = (y + row * columns, dy + row * columns)
        var products = Lanes()
        var j = 0
        while j < columns {
            products = accumulate(products, loadPart(value + j, columns - j), loadPart(gradient + j, columns - j))
            j += laneCount
        }
        let mean = Lanes(repeating: total(products))
        j = 0
        while j < columns {
            let part = loadPart(value + j, columns - j) * (loadPart(gradient + j, columns - j) - mean)
            storePart(part, dx + row * columns + j, columns - j)
            j += laneCount
        }
    }
}

// MARK: Layer normalisation

/// Mean of a row and 1 / sqrt(variance + epsilon), in two passes.
@inline(__always)
private func moments(_ x: Floats, _ count: Int, _ epsilon: Float) -> (mean: Float, scale: Float) {
    let mean = rowSum(x, count) / Float(count)
    var squares = Lanes()
    var j = 0
    while j + laneCount <= count {
        let difference = load(x + j) - Lanes(repeating: mean)
        squares = accumulate(squares, difference, difference)
        j += laneCount
    }
    var sum = total(squares)
    while j < count {
        sum = accumulate1(sum, x[j] - mean, x[j] - mean)
        j += 1
    }
    return (mean, 1 / (sum / Float(count) + epsilon).squareRoot())
}

func layerNorm(
    _ x: Floats, _ rows: Int, _ columns: Int, _ weight: Floats, _ epsilon: Float, _ y: MutableFloats
) {
    let bias = weight + columns
    for row in 0..<rows {
        let source = x + row * columns
        let (mean, scale) = moments(source, columns, epsilon)
        var j = 0
        while j < columns {
            let left = columns - j
            let normal = (loadPart(source + j, left) - Lanes(repeating: mean)) * Lanes(repeating: scale)
            storePart(
                accumulate(loadPart(bias + j, left), normal, loadPart(weight + j, left)), y + row * columns + j, left)
            j += laneCount
        }
    }
}

func layerNormGradient(
    _ x: Floats, _ dy: Floats, _ rows: Int, _ columns: Int, _ weight: Floats, _ epsilon: Float, _ dx: MutableFloats?,
    _ gradient: MutableFloats?
) {
    for row in 0..<rows {
        let (source, slope) = (x + row * columns, dy + row * columns)
        let (mean, scale) = moments(source, columns, epsilon)
        let (shift, factor) = (Lanes(repeating: mean), Lanes(repeating: scale))
        var (sum, product) = (Lanes(), Lanes())
        var j = 0
        while j < columns {
            let left = columns - j
            let dy = loadPart(slope + j, left)
            let normal = (loadPart(source + j, left) - shift) * factor
            let inner = dy * loadPart(weight + j, left)
            sum += inner
            product = accumulate(product, inner, normal)
            if let gradient {
                storePart(accumulate(loadPart(gradient + j, left), dy, normal), gradient + j, left)
                let bias = gradient + columns + j
                storePart(loadPart(bias, left) + dy, bias, left)
            }
            j += laneCount
        }
        guard let dx else { continue }
        let share = 1 / Float(columns)
        let meanOfSum = Lanes(repeating: total(sum) * share)
        let meanOfProduct = Lanes(repeating: total(product) * share)
        j = 0
        while j < columns {
            let left = columns - j
            let normal = (loadPart(source + j, left) - shift) * factor
            let inner = loadPart(slope + j, left) * loadPart(weight + j, left)
            storePart(factor * (inner - meanOfSum - normal * meanOfProduct), dx + row * columns + j, left)
            j += laneCount
        }
    }
}
