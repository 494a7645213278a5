// Columns: sums and affine maps of the columns of a matrix, for batch normalisation. An element does not depend on its
// place within a vector.

import DeepMotifKernelTable

/// Rows that are added up in Float before they join the Double sums.
private let runLength = 64

func columnMoments(
    _ a: Floats, _ c: Floats, _ b: Floats, _ d: Floats, _ rows: Int, _ columns: Int,
    _ sums: UnsafeMutablePointer<Double>, _ products: UnsafeMutablePointer<Double>
) {
    var j = 0
    while j < columns {
        let left = columns - j
        let (first, second) = (loadNext(c + j, left), loadNext(d + j, left))
        var row = 0
        while row < rows {
            let end = rows - row > runLength ? row + runLength : rows
            var (sum, product) = (Lanes(), Lanes())
            while row < end {
                let x = loadNext(a + row * columns + j, left) - first
                let y = loadNext(b + row * columns + j, left) - second
                sum += x
                product = accumulate(product, x, y)
                row += 1
            }
            var lane = 0
            while lane < laneCount && lane < left {
                sums[j + lane] += Double(sum[lane])
                products[j + lane] += Double(product[lane])
                lane += 1
            }
        }
        j += laneCount
    }
}

func normalizeColumns(
    _ x: Floats, _ rows: Int, _ columns: Int, _ mean: Floats, _ scale: Floats, _ shift: Floats, _ y: MutableFloats
) {
    var j = 0
    while j < columns {
        let left = columns - j
        let (m, s, t) = (loadNext(mean + j, left), loadNext(scale + j, left), loadNext(shift + j, left))
        var row = 0
        while row < rows {
            let place = row * columns + j
            storeNext(accumulate(t, loadNext(x + place, left) - m, s), y + place, left)
            row += 1
        }
        j += laneCount
    }
}

func normalizeColumnsGradient(
    _ dy: Floats, _ x: Floats, _ rows: Int, _ columns: Int, _ scale: Floats, _ mean: Floats, _ slope: Floats,
    _ shift: Floats, _ dx: MutableFloats
) {
    var j = 0
    while j < columns {
        let left = columns - j
        let (s, m) = (loadNext(scale + j, left), loadNext(mean + j, left))
        let (k, t) = (loadNext(slope + j, left), loadNext(shift + j, left))
        var row = 0
        while row < rows {
            let place = row * columns + j
            let part = accumulate(t, loadNext(x + place, left) - m, k)
            storeNext(accumulate(part, loadNext(dy + place, left), s), dx + place, left)
            row += 1
        }
        j += laneCount
    }
}
