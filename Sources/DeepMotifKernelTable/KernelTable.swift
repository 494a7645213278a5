// KernelTable: the list of arithmetic kernels, one table per instruction level. Kernels trust their callers: sizes are
// checked in the rooms above. This module holds types only, so that no code is shared between instruction levels.

/// Read-only floats.
package typealias Floats = UnsafePointer<Float>
/// Writable floats.
package typealias MutableFloats = UnsafeMutablePointer<Float>

/// Geometry of one convolution over one sequence. Position p reads inputs p * stride + k * dilation - padding.
package struct ConvolutionGeometry: Sendable {
    package var length: Int
    package var outputLength: Int
    package var channels: Int
    package var filters: Int
    package var width: Int
    package var stride: Int
    package var dilation: Int
    package var padding: Int

    package init(
        length: Int, outputLength: Int, channels: Int, filters: Int, width: Int, stride: Int, dilation: Int,
        padding: Int
    ) {
        self.length = length
        self.outputLength = outputLength
        self.channels = channels
        self.filters = filters
        self.width = width
        self.stride = stride
        self.dilation = dilation
        self.padding = padding
    }
}

extension ConvolutionGeometry {
    /// Codes that the gradient's kernel takes at once.
    package static var codesAtOnce: Int { 128 }

    /// Floats of its scratch memory: the codes, and as many rows of up to 32 columns with those that the taps reach.
    package var gradientScratchCount: Int {
        ConvolutionGeometry.codesAtOnce / 4 + (ConvolutionGeometry.codesAtOnce + (width - 1) * dilation) * 32
    }
}

/// Windows of equal width that do not overlap, on the positions of a convolution. Windows of one position are the
/// positions themselves.
package struct PoolRun: Sendable {
    /// Where the first window starts.
    package var start: Int
    package var width: Int
    /// From one window's start to the next, at least the width.
    package var stride: Int
    package var count: Int

    package init(start: Int, width: Int, stride: Int, count: Int) {
        self.start = start
        self.width = width
        self.stride = stride
        self.count = count
    }
}

/// Geometry of one LSTM direction over `rows` sequences. Gates are stored in blocks of `KernelTable.lstmLanes` units:
/// gate g (0 input, 1 forget, 2 candidate, 3 output) of unit u stands at (u / lanes * 4 + g) * lanes + u % lanes, and
/// a row of gates has 4 * paddedUnits floats, where padding units have zero weights.
package struct LSTMGeometry: Sendable {
    package var rows: Int
    package var length: Int
    package var units: Int
    package var paddedUnits: Int
    /// Reads the positions from the last to the first.
    package var isReversed: Bool
    /// Floats from one position of the output to the next (2 H behind a bidirectional layer); a sequence's positions
    /// follow each other, a row's output starts `length * outputStride` behind the one before.
    package var outputStride: Int

    package init(rows: Int, length: Int, units: Int, paddedUnits: Int, isReversed: Bool, outputStride: Int) {
        self.rows = rows
        self.length = length
        self.units = units
        self.paddedUnits = paddedUnits
        self.isReversed = isReversed
        self.outputStride = outputStride
    }
}

/// Constants of one Adam step, bias corrections included.
package struct AdamStep: Sendable {
    package var beta1: Float
    package var beta2: Float
    /// learning rate / (1 - beta1^t)
    package var stepSize: Float
    /// sqrt(1 - beta2^t)
    package var secondMomentRoot: Float
    package var epsilon: Float
    /// Element-wise clamp of the gradient; infinity for none.
    package var clip: Float
    /// Times the parameters: added to the clamped gradient.
    package var decay: Float
    /// The parameters are multiplied by this first.
    package var shrinkage: Float

    package init(
        beta1: Float, beta2: Float, stepSize: Float, secondMomentRoot: Float, epsilon: Float, clip: Float,
        decay: Float = 0, shrinkage: Float = 1
    ) {
        self.decay = decay
        self.shrinkage = shrinkage
        self.beta1 = beta1
        self.beta2 = beta2
        self.stepSize = stepSize
        self.secondMomentRoot = secondMomentRoot
        self.epsilon = epsilon
        self.clip = clip
    }
}

/// The kernels of one instruction level.
package struct KernelTable: Sendable {
    /// DM_ISA_... of the C header.
    package var level: Int32
    /// Columns of one panel of a packed matrix.
    package var panelWidth: Int
    /// Units of one block of gates.
    package var lstmLanes: Int

    // MARK: Matrix products

    /// Packs B (k x n, element (i, j) at b[i * rowStride + j * columnStride]) into panels of `panelWidth` columns,
    /// the last padded with zeros: (b, rowStride, columnStride, k, n, packed). Needs `packedCount(k:n:)` floats.
    package var packMatrix: PackMatrixKernel

    /// C = A B + bias, or C += A B (+ bias) where the last argument is true: (a, lda, packedB, bias, c, ldc, m, n, k,
    /// accumulate). A is m x k with row stride lda (rows may overlap: a convolution is this product on its input), C is
    /// m x n with row stride ldc, bias (n,) or nil.
    package var multiply: MultiplyKernel

    /// C += A^T B: (a, lda, b, ldb, c, ldc, m, n, k). A is k x m, B k x n (rows of both may overlap), C m x n.
    package var multiplyTransposed: MultiplyTransposedKernel

    /// C = A B^T or C += A B^T where the last argument is true, only at elements whose mask is not zero; without
    /// accumulation the others become zero: (a, lda, b, mask, c, ldc, m, n, k, accumulate). A is m x k with row stride
    /// lda, B n x k without gaps, the mask (nil: all elements) lies as C. Faster than `multiply` below about 0.4 of
    /// wanted elements, or with a few columns.
    package var multiplyMasked: MultiplyMaskedKernel

    // MARK: Convolution of codes (the one-hot product is a sum of table rows)

    /// y (outputLength x filters) = bias + sum over k of table[k][code]: (codes, table, bias, y, geometry). The table is
    /// (width, 5, filters), row 4 zero; taps outside of the sequence are left out.
    package var convolveCodes: ConvolveCodesKernel

    /// tableGradient[k][code] += outputGradient rows: (codes, outputGradient, offsets, tableGradient, scratch, geometry,
    /// windows). With offsets (nil: none) a row is the gradient of a window's maximum, offsets[row][f] positions behind the
    /// window's start. Row 4 of the table is left alone. scratch: `gradientScratchCount` of the geometry.
    package var convolveCodesGradient: ConvolveCodesGradientKernel

    /// The same, and the gradient of the bias (nil: none), from lists by column of the gradient's non-zeros: (codes,
    /// indices, values, counts, listStride, tableGradient, biasGradient, geometry). Faster below about 0.03 of non-zeros;
    /// row 4 collects garbage that nobody reads.
    package var convolveListedGradient: ConvolveListedGradientKernel

    /// `convolveCodes` with a table ((width + 1) / 2, 25, filters) by pairs of codes of two taps, 5 * first + second, in
    /// which the unknown letter and the tap behind an odd width count as zeros: (codes, table, bias, y, scratch,
    /// geometry). At least 16 filters; scratch: (outputLength - 1) * stride + width * dilation + 1 integers.
    package var convolveCodePairs: ConvolveCodePairsKernel

    /// Maxima over windows of either convolution, and how far behind its window's start the first maximum lies (nil:
    /// not wanted): (codes, taps, table, bias, y, offsets, scratch, geometry, windows, isRectified). taps 1: the table of
    /// `convolveCodes`, 2: that of `convolveCodePairs`; rectified maxima are at least 0. A NaN wins and stays. At least 16
    /// filters; scratch as for `convolveCodePairs`.
    package var convolveCodePools: ConvolveCodePoolsKernel

    // MARK: Sparse gradients (behind ReLU, dropout and maxima most elements are exactly zero)

    /// How many of `count` elements are not zero: (x, count).
    package var countNonzeros: CountNonzerosKernel

    /// Lists the non-zero elements of G (rows x columns) by column: (g, rows, columns, indices, values, counts) and
    /// returns how many there are. Column j's row numbers and values stand from j * rows on, counts[j] of each.
    package var listNonzeros: ListNonzerosKernel

    /// w[j * span ..< (j + 1) * span] += sum of value * x[index * xStride ..< + span] over column j's list: (x, xStride,
    /// span, indices, values, counts, listStride, columns, w).
    package var accumulateSparseRows: AccumulateSparseRowsKernel

    /// x[index * xStride ..< + span] += value * w[j * span ..< (j + 1) * span] for every listed element: (w, span, x,
    /// xStride, indices, values, counts, listStride, columns).
    package var scatterSparseRows: ScatterSparseRowsKernel

    /// C = A B + bias (nil: none) for an A that is given by its non-zeros: (indices, values, count, lda, packedB, bias, c,
    /// ldc, m, n, k). Row r of A is elements r * lda ..< r * lda + k of memory whose non-zeros are listed in ascending order
    /// (`listNonzeros` with one column); rows may overlap. Faster than `multiply` below about 0.4 of non-zeros.
    package var multiplyListed: MultiplyListedKernel

    // MARK: LSTM

    /// Packs recurrent weights (4 units x units, gate-major as PyTorch) for the forward pass; the layout is the kernel's
    /// own, units * 4 * paddedUnits floats: (weights, units, paddedUnits, packed).
    package var packRecurrent: PackRecurrentKernel

    /// Packs the transpose for the backward pass; the layout is the kernel's own, 4 * paddedUnits * paddedUnits
    /// floats: (weights, units, paddedUnits, packed).
    package var packRecurrentTransposed: PackRecurrentTransposedKernel

    /// All steps of one direction from the zero state: (codes, gateInputs, packedRecurrent, output, gates, cells,
    /// scratch, geometry). With codes (rows, length), gateInputs is a table (5, 4 * paddedUnits); without, it is
    /// (rows, length, 4 * paddedUnits); both hold the input product and the bias. `output` receives the `units` hidden
    /// values of each position. gates (rows, length, 4 * paddedUnits) after their activation functions and cells (rows,
    /// length, paddedUnits) are what the backward pass needs; both nil without one. scratch: `lstmScratchCount`.
    package var lstmForward: LSTMForwardKernel

    /// Gradients of the gates before their activation functions, by backpropagation through all steps:
    /// (outputGradient, gates, cells, packedRecurrentTransposed, gateGradients, scratch, geometry). outputGradient is
    /// laid out as `output`, gateGradients as `gates` (the two may be the same memory).
    package var lstmBackward: LSTMBackwardKernel

    /// Floats of scratch memory for either pass: (paddedUnits).
    package var lstmScratchCount: ScratchCountKernel

    /// table[code] += rows of gateGradients: (codes, gateGradients, positions, width, table (5, width)).
    package var addRowsByCode: AddRowsByCodeKernel

    // MARK: Pooling, one sequence (length x channels)

    /// Maxima of windows and the offset of the first maximum within its window: (x, channels, width, stride,
    /// outputLength, y, offsets); offsets nil in inference.
    package var maxPool: MaxPoolKernel

    /// dx[p * stride + offset] += dy: (dy, offsets, channels, stride, outputLength, dx); dx was zeroed by the caller.
    package var maxPoolGradient: MaxPoolGradientKernel

    /// Means of windows: (x, channels, width, stride, outputLength, y).
    package var averagePool: AveragePoolKernel

    /// dx += dy / width over each window: (dy, channels, width, stride, outputLength, dx).
    package var averagePoolGradient: AveragePoolGradientKernel

    // MARK: Element by element; in place is allowed everywhere

    /// y = max(x, 0): (x, y, count). NaN stays NaN.
    package var relu: MapKernel
    /// dx = dy where y > 0, else 0: (y, dy, dx, count).
    package var reluGradient: MapGradientKernel
    /// (x, y, count).
    package var sigmoid: MapKernel
    /// dx = dy y (1 - y): (y, dy, dx, count).
    package var sigmoidGradient: MapGradientKernel
    /// (x, y, count).
    package var tanh: MapKernel
    /// dx = dy (1 - y^2): (y, dy, dx, count).
    package var tanhGradient: MapGradientKernel
    /// y += x: (x, y, count).
    package var add: MapKernel
    /// sums (columns) += column sums of G (rows x columns): (g, rows, columns, sums).
    package var addColumnSums: AddColumnSumsKernel

    /// y = x scaled by 65536 / (65536 - dropped) or 0: (x, y, count, key, dropped). Element i is dropped where 16
    /// random bits, a function of key and i alone, are below `dropped`: the backward pass calls it with the same key.
    package var dropout: DropoutKernel

    /// One Adam step: (parameters, gradient, first moments, second moments, count, constants).
    package var adam: AdamKernel

    // MARK: Ascent

    /// target = shrink * map + rate * gradient; returns the sum of the target's squares: (map, gradient, shrink, rate,
    /// count, target). The target may be the map. With shrink 1 and rate 0 the map stays as it is.
    package var ascend: AscendKernel

    /// The same for a gradient that is zero but for one position in each channel: (map, gradient, positions, shrink, rate,
    /// length, channels, target).
    package var ascendMaxima: AscendMaximaKernel

    /// Further activations, normalisation, GRU.
    package var layers: LayerKernels

    /// The other optimizers, and statistics of whole batches.
    package var training: TrainingKernels

    package init(
        level: Int32, panelWidth: Int, lstmLanes: Int,
        packMatrix: @escaping PackMatrixKernel, multiply: @escaping MultiplyKernel,
        multiplyTransposed: @escaping MultiplyTransposedKernel,
        multiplyMasked: @escaping MultiplyMaskedKernel, convolveCodes: @escaping ConvolveCodesKernel,
        convolveCodesGradient: @escaping ConvolveCodesGradientKernel,
        convolveListedGradient: @escaping ConvolveListedGradientKernel,
        convolveCodePairs: @escaping ConvolveCodePairsKernel,
        convolveCodePools: @escaping ConvolveCodePoolsKernel,
        countNonzeros: @escaping CountNonzerosKernel,
        listNonzeros: @escaping ListNonzerosKernel,
        accumulateSparseRows: @escaping AccumulateSparseRowsKernel,
        scatterSparseRows: @escaping ScatterSparseRowsKernel, multiplyListed: @escaping MultiplyListedKernel,
        packRecurrent: @escaping PackRecurrentKernel,
        packRecurrentTransposed: @escaping PackRecurrentTransposedKernel, lstmForward: @escaping LSTMForwardKernel,
        lstmBackward: @escaping LSTMBackwardKernel, lstmScratchCount: @escaping ScratchCountKernel,
        addRowsByCode: @escaping AddRowsByCodeKernel, maxPool: @escaping MaxPoolKernel,
        maxPoolGradient: @escaping MaxPoolGradientKernel, averagePool: @escaping AveragePoolKernel,
        averagePoolGradient: @escaping AveragePoolGradientKernel, relu: @escaping MapKernel,
        reluGradient: @escaping MapGradientKernel, sigmoid: @escaping MapKernel,
        sigmoidGradient: @escaping MapGradientKernel, tanh: @escaping MapKernel,
        tanhGradient: @escaping MapGradientKernel, add: @escaping MapKernel,
        addColumnSums: @escaping AddColumnSumsKernel, dropout: @escaping DropoutKernel, adam: @escaping AdamKernel,
        ascend: @escaping AscendKernel, ascendMaxima: @escaping AscendMaximaKernel, layers: LayerKernels,
        training: TrainingKernels
    ) {
        self.level = level
        self.panelWidth = panelWidth
        self.lstmLanes = lstmLanes
        self.packMatrix = packMatrix
        self.multiply = multiply
        self.multiplyTransposed = multiplyTransposed
        self.multiplyMasked = multiplyMasked
        self.convolveCodes = convolveCodes
        self.convolveCodesGradient = convolveCodesGradient
        self.convolveListedGradient = convolveListedGradient
        self.convolveCodePairs = convolveCodePairs
        self.convolveCodePools = convolveCodePools
        self.countNonzeros = countNonzeros
        self.listNonzeros = listNonzeros
        self.accumulateSparseRows = accumulateSparseRows
        self.scatterSparseRows = scatterSparseRows
        self.multiplyListed = multiplyListed
        self.packRecurrent = packRecurrent
        self.packRecurrentTransposed = packRecurrentTransposed
        self.lstmForward = lstmForward
        self.lstmBackward = lstmBackward
        self.lstmScratchCount = lstmScratchCount
        self.addRowsByCode = addRowsByCode
        self.maxPool = maxPool
        self.maxPoolGradient = maxPoolGradient
        self.averagePool = averagePool
        self.averagePoolGradient = averagePoolGradient
        self.relu = relu
        self.reluGradient = reluGradient
        self.sigmoid = sigmoid
        self.sigmoidGradient = sigmoidGradient
        self.tanh = tanh
        self.tanhGradient = tanhGradient
        self.add = add
        self.addColumnSums = addColumnSums
        self.dropout = dropout
        self.adam = adam
        self.ascend = ascend
        self.ascendMaxima = ascendMaxima
        self.layers = layers
        self.training = training
    }

    /// Floats that `packMatrix` writes.
    package func packedCount(k: Int, n: Int) -> Int {
        (n + panelWidth - 1) / panelWidth * panelWidth * k
    }

    /// Units rounded up to whole blocks.
    package func paddedUnits(_ units: Int) -> Int {
        (units + lstmLanes - 1) / lstmLanes * lstmLanes
    }
}
