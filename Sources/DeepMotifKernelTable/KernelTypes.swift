// KernelTypes: the function types of the kernels. What each argument means stands in KernelTable.swift.

extension KernelTable {
    package typealias PackMatrixKernel = @Sendable (Floats, Int, Int, Int, Int, MutableFloats) -> Void
    package typealias MultiplyKernel =
        @Sendable (Floats, Int, Floats, Floats?, MutableFloats, Int, Int, Int, Int, Bool) -> Void
    package typealias MultiplyTransposedKernel =
        @Sendable (Floats, Int, Floats, Int, MutableFloats, Int, Int, Int, Int) -> Void
    package typealias MultiplyMaskedKernel =
        @Sendable (Floats, Int, Floats, Floats?, MutableFloats, Int, Int, Int, Int, Bool) -> Void
    package typealias ConvolveCodesKernel =
        @Sendable (UnsafePointer<UInt8>, Floats, Floats, MutableFloats, ConvolutionGeometry) -> Void
    package typealias ConvolveCodesGradientKernel =
        @Sendable (
            UnsafePointer<UInt8>, Floats, UnsafePointer<Int32>?, MutableFloats, MutableFloats, ConvolutionGeometry,
            PoolRun
        ) -> Void
    package typealias ConvolveListedGradientKernel =
        @Sendable (
            UnsafePointer<UInt8>, UnsafePointer<Int32>, Floats, UnsafePointer<Int32>, Int, MutableFloats,
            MutableFloats?,
            ConvolutionGeometry
        ) -> Void
    package typealias ConvolveCodePairsKernel =
        @Sendable (
            UnsafePointer<UInt8>, Floats, Floats, MutableFloats, UnsafeMutablePointer<Int32>, ConvolutionGeometry
        ) -> Void
    package typealias ConvolveCodePoolsKernel =
        @Sendable (
            UnsafePointer<UInt8>, Int, Floats, Floats, MutableFloats, UnsafeMutablePointer<Int32>?,
            UnsafeMutablePointer<Int32>, ConvolutionGeometry, PoolRun, Bool
        ) -> Void
    package typealias CountNonzerosKernel = @Sendable (Floats, Int) -> Int
    package typealias ListNonzerosKernel =
        @Sendable (Floats, Int, Int, UnsafeMutablePointer<Int32>, MutableFloats, UnsafeMutablePointer<Int32>) -> Int
    package typealias AccumulateSparseRowsKernel =
        @Sendable (Floats, Int, Int, UnsafePointer<Int32>, Floats, UnsafePointer<Int32>, Int, Int, MutableFloats) ->
        Void
    package typealias ScatterSparseRowsKernel =
        @Sendable (Floats, Int, MutableFloats, Int, UnsafePointer<Int32>, Floats, UnsafePointer<Int32>, Int, Int) ->
        Void
    package typealias MultiplyListedKernel =
        @Sendable (
            UnsafePointer<Int32>, Floats, Int, Int, Floats, Floats?, MutableFloats, Int, Int, Int, Int
        ) -> Void
    package typealias PackRecurrentKernel = @Sendable (Floats, Int, Int, MutableFloats) -> Void
    package typealias PackRecurrentTransposedKernel = @Sendable (Floats, Int, Int, MutableFloats) -> Void
    package typealias LSTMForwardKernel =
        @Sendable (
            UnsafePointer<UInt8>?, Floats, Floats, MutableFloats, MutableFloats?, MutableFloats?, MutableFloats,
            LSTMGeometry
        ) -> Void
    package typealias LSTMBackwardKernel =
        @Sendable (Floats, Floats, Floats, Floats, MutableFloats, MutableFloats, LSTMGeometry) -> Void
    package typealias ScratchCountKernel = @Sendable (Int) -> Int
    package typealias AddRowsByCodeKernel = @Sendable (UnsafePointer<UInt8>, Floats, Int, Int, MutableFloats) -> Void
    package typealias MaxPoolKernel =
        @Sendable (Floats, Int, Int, Int, Int, MutableFloats, UnsafeMutablePointer<Int32>?) -> Void
    package typealias MaxPoolGradientKernel =
        @Sendable (Floats, UnsafePointer<Int32>, Int, Int, Int, MutableFloats) -> Void
    package typealias AveragePoolKernel = @Sendable (Floats, Int, Int, Int, Int, MutableFloats) -> Void
    package typealias AveragePoolGradientKernel = @Sendable (Floats, Int, Int, Int, Int, MutableFloats) -> Void
    package typealias MapKernel = @Sendable (Floats, MutableFloats, Int) -> Void
    package typealias MapGradientKernel = @Sendable (Floats, Floats, MutableFloats, Int) -> Void
    package typealias AddColumnSumsKernel = @Sendable (Floats, Int, Int, MutableFloats) -> Void
    package typealias DropoutKernel = @Sendable (Floats, MutableFloats, Int, UInt64, UInt32) -> Void
    package typealias AdamKernel =
        @Sendable (MutableFloats, Floats, MutableFloats, MutableFloats, Int, AdamStep) -> Void
    package typealias AscendKernel = @Sendable (Floats, Floats, Float, Float, Int, MutableFloats) -> Double
    package typealias AscendMaximaKernel =
        @Sendable (Floats, Floats, UnsafePointer<Int32>, Float, Float, Int, Int, MutableFloats) -> Double
}
